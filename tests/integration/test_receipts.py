"""Receipts: what the partner reads, from a real ledger."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from openpyxl import load_workbook
from psycopg2.extensions import connection as Connection

from quarterday import receipts
from quarterday.checking.judging import judge_findings, judge_load
from quarterday.errors import Finding, OperatorError
from tests.checking_support import GOOD_VISIT, land, make_register, new_load

pytest_plugins = ("tests.checking_support",)
NONE = Path("no-expectations")
FINDING = Finding(
    "VIS-002", "a heading 'Visit'", "<script>alert(1)</script>", "Use the unaltered form.", "Q3 & Q4", 7, "=1+1"
)


class Page(HTMLParser):
    """Collects a page's text, tags with their attributes, and whether the tags close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture
def rejected(connection: Connection, tmp_path: Path) -> int:
    load_id = new_load(make_register(tmp_path, connection), connection)
    judge_findings(load_id, [FINDING], connection)
    return load_id


def test_receipt_of_a_rejected_return_says_where_what_and_what_to_do(
    rejected: int, connection: Connection, tmp_path: Path
) -> None:
    path = receipts.write_receipt(rejected, connection, tmp_path / "out")
    assert path.name == f"receipt-{rejected}-visits-2017-18-Q3.html"
    page = Page(path.read_text())
    for words in (
        "We could not accept this return", "visits.csv", "ICV Scheme", "2017-18 Q3", "20 January 2018", "0 of 0",
        "VIS-002", "Q3 & Q4", "7", "=1+1", "a heading 'Visit'", "<script>alert(1)</script>", "Use the unaltered form.",
    ):  # fmt: skip
        assert words in page.text


def test_page_can_be_read_by_everyone_and_needs_nothing_else(
    rejected: int, connection: Connection, tmp_path: Path
) -> None:
    page = Page(receipts.write_receipt(rejected, connection, tmp_path).read_text())
    assert page.open == []
    assert ("html", {"lang": "en-GB"}) in page.tags
    assert page.count("h1") == page.count("main") == page.count("title") == 1
    assert page.count("table") == page.count("caption") == 3
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "img", "iframe")]
    assert not [attributes for _, attributes in page.tags if {"src", "href"} & set(attributes)]


def test_refused_return_does_not_say_that_lines_were_set_aside(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [GOOD_VISIT | {"detainees": "many"}], connection)
    assert judge_load(load_id, form, connection, NONE).verdict == "rejected"
    text = receipts.as_text(load_id, connection)
    assert "VIS-040  line 2, column 'Detainees seen' (line to mend)" in text
    assert "(line set aside)" not in text


def test_receipt_of_a_good_return_thanks_and_asks_for_nothing(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [GOOD_VISIT], connection)
    judge_load(load_id, form, connection, NONE)
    page = Page(receipts.write_receipt(load_id, connection, tmp_path).read_text())
    assert "Accepted: thank you" in page.text
    assert "1 line was taken in. There is nothing for you to do." in page.text
    assert "What to mend" not in page.text
    assert load_workbook(tmp_path / f"receipt-{load_id}-visits-2017-18-Q3.xlsx").sheetnames == ["Receipt"]


def test_receipt_with_lines_set_aside_counts_both(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection, limit=0.5)
    load_id = land(form, [GOOD_VISIT, GOOD_VISIT | {"visit_number": "2", "detainees": "many"}], connection)
    judge_load(load_id, form, connection, NONE)
    text = receipts.as_text(load_id, connection)
    assert "Accepted, with some lines set aside" in text
    assert "1 line was taken in and 1 set aside." in text
    assert "VIS-040  line 3, column 'Detainees seen' (line set aside)" in text
    assert "found     'many'" in text


def test_workbook_lists_every_issue_and_calculates_nothing(
    rejected: int, connection: Connection, tmp_path: Path
) -> None:
    path = receipts.write_receipt(rejected, connection, tmp_path).with_suffix(".xlsx")
    rows = list(load_workbook(path)["What to mend"].iter_rows(values_only=True))
    assert rows[0] == receipts.ISSUE_HEADINGS
    assert rows[1] == (
        "VIS-002", "return refused", "Q3 & Q4", 7, "'=1+1", "a heading 'Visit'", "<script>alert(1)</script>",
        "Use the unaltered form.",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_like_a_formula_is_made_harmless(text: str) -> None:
    assert receipts.safe_cell(text) == "'" + text


def test_characters_that_no_workbook_holds_are_replaced() -> None:
    assert receipts.safe_cell("a\x00b\x0bc") == "a\ufffdb\ufffdc"
    assert len(str(receipts.safe_cell("x" * 50_000))) == receipts.CELL_LIMIT


def test_terminal_text_holds_no_control_characters(connection: Connection, tmp_path: Path) -> None:
    load_id = new_load(make_register(tmp_path, connection), connection)
    judge_findings(load_id, [Finding("VIS-001", "a file", "\x1b[2Jgone\nline", "Send it again.")], connection)
    text = receipts.as_text(load_id, connection)
    assert "\x1b" not in text
    assert "found     ' [2Jgone line'" in text


def test_long_list_is_cut_on_the_page_and_whole_in_the_workbook(connection: Connection, tmp_path: Path) -> None:
    load_id = new_load(make_register(tmp_path, connection), connection)
    findings = [Finding("VIS-002", "x", "y", "Z.", line=line) for line in range(1, 251)]
    judge_findings(load_id, findings, connection)
    path = receipts.write_receipt(load_id, connection, tmp_path)
    assert "These are the first 200; the workbook beside this page has 250." in Page(path.read_text()).text
    assert load_workbook(path.with_suffix(".xlsx"))["What to mend"].max_row == 251


def test_receipt_written_again_is_the_same(rejected: int, connection: Connection, tmp_path: Path) -> None:
    first = receipts.write_receipt(rejected, connection, tmp_path).read_bytes()
    assert receipts.write_receipt(rejected, connection, tmp_path).read_bytes() == first
    assert sorted(path.suffix for path in tmp_path.glob("receipt-*")) == [".html", ".xlsx"]


def test_file_that_no_form_claims_gets_its_receipt(connection: Connection, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.load (file_sha256, file_name, file_bytes, archive_path, partner_code)
            values (repeat('a', 64), 'holiday.jpg', 1, 'x', 'rj_hub') returning load_id"""
        )
        (load_id,) = cursor.fetchone()
    judge_findings(load_id, [Finding("QDY-001", "a form", "holiday.jpg", "Use the name of the form.")], connection)
    path = receipts.write_receipt(load_id, connection, tmp_path)
    assert path.name == f"receipt-{load_id}-unknown-form-no-quarter.html"
    assert "RJ Hub" in Page(path.read_text()).text


def test_load_without_a_verdict_has_no_receipt(connection: Connection, tmp_path: Path) -> None:
    load_id = new_load(make_register(tmp_path, connection), connection)
    with pytest.raises(OperatorError, match=f"Load {load_id} has no verdict"):
        receipts.write_receipt(load_id, connection, tmp_path)


def test_a_receipt_of_which_a_crash_left_a_draft_is_written_whole(
    rejected: int, connection: Connection, tmp_path: Path
) -> None:
    page = receipts.write_receipt(rejected, connection, tmp_path / "out")
    whole = page.read_bytes()
    page.unlink()
    receipts._draft(page).write_bytes(whole[:10])
    receipts._draft(page.with_suffix(".xlsx")).write_bytes(b"")
    receipts.write_receipt(rejected, connection, tmp_path / "out")
    assert page.read_bytes() == whole
    assert {path.suffix for path in page.parent.iterdir()} == {".html", ".xlsx"}
    assert load_workbook(page.with_suffix(".xlsx")).sheetnames[0] == "Receipt"
