"""Layouts: what is said of a wrong one, and how wordings are compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from quarterday.calendar import FinancialQuarter
from quarterday.errors import OperatorError
from quarterday.layouts import INDICATOR_FIELDS, Layout, WideRule, code_for, load_layout
from quarterday.wording import is_like, matching, plain

LAYOUT: dict[str, Any] = {
    "file_names": ["visits*.csv"],
    "example": "visits-2017-18-Q3.csv",
    "quarter": {"from": "file_name", "pattern": r"(?P<quarter>\d{4}-\d{2}-Q[1-4])"},
    "labels": {"areas": {"Stoke": "stoke_on_trent"}},
    "editions": [
        {"name": "2015-09", "to_quarter": "2016-17-Q4", "columns": {"Area": "area", "Visits": "value"}},
        {"name": "2017-04", "from_quarter": "2017-18-Q1", "columns": {"Where": "area", "Visits": "value"}},
    ],
}


def load(raw: Any, tmp_path: Path, fields: tuple[str, ...] = INDICATOR_FIELDS, is_indicator: bool = True) -> Layout:
    path = tmp_path / "layout.yml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_layout(path, fields, is_indicator)


def edition(**keys: Any) -> dict[str, Any]:
    return {**LAYOUT, "editions": [{"name": "2015-09", "columns": {"Area": "area", "Visits": "value"}, **keys}]}


def test_the_edition_of_the_quarter_fits(tmp_path: Path) -> None:
    old, new = load(LAYOUT, tmp_path).editions
    assert old.fits("any", FinancialQuarter(2016, 4), "visits.csv")
    assert not old.fits("any", FinancialQuarter(2017, 1), "visits.csv")
    assert new.fits("any", FinancialQuarter(2017, 1), "visits.csv")


def test_an_editions_labels_add_to_the_forms(tmp_path: Path) -> None:
    layout = load(edition(labels={"areas": {"Staffs": "staffordshire_county"}}), tmp_path)
    assert layout.editions[0].labels["areas"] == {"stoke": "stoke_on_trent", "staffs": "staffordshire_county"}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({**LAYOUT, "sheets": []}, "unknown key 'sheets'"),
        ({key: value for key, value in LAYOUT.items() if key != "quarter"}, "the key 'quarter' is missing"),
        ({**LAYOUT, "quarter": {"from": "sky"}}, "quarter, from: expected one of file_name"),
        ({**LAYOUT, "quarter": {"from": "cell"}}, "'from: cell' needs a pattern"),
        ({**LAYOUT, "quarter": {"from": "file_name", "pattern": "("}}, "is no regular expression"),
        ({**LAYOUT, "marks": {"n/a": "zero"}}, "marks, 'n/a': expected one of x"),
        ({**LAYOUT, "labels": {"area": {}}}, "unknown key 'area'"),
        ({**LAYOUT, "example": "other.csv"}, "'other.csv' does not fit file_names"),
        ({**LAYOUT, "editions": []}, "expected at least one edition"),
        (edition(colums={}), "edition '2015-09': unknown key 'colums'"),
        (edition(columns={"Area": "place"}), "columns, 'Area': expected one of measure"),
        (edition(columns={"Area": "area"}), "no column is a value"),
        (edition(columns={"Area": {"is": "area", "or": []}}), "unknown key 'or'"),
        (edition(wide=[{"breakdown": "x"}]), "either a heading or a pattern"),
        (edition(wide=[{"pattern": "(?P<colour>.)"}]), "named group of the pattern"),
        (edition(fill_down=["Place"]), "'Place' is no heading of columns"),
        (edition(from_quarter="soon"), "'soon' is not a financial quarter"),
        (edition(encoding="latin-99"), "unknown encoding 'latin-99'"),
        (edition(period={"type": "week"}), "period, type: expected one of"),
        (edition(period={"ends": "never"}), "period, ends: expected one of"),
        (edition(says=[{"is": "quarter", "from": "column"}]), "'heading' goes with 'from: column'"),
        (edition(header={"rows": 4}), "header, rows: expected one of 1, 2, 3"),
        (edition(sheets="Q*"), "expected a list"),
        (edition(values={"colour": "red"}), "unknown key 'colour'"),
        ("nonsense", "expected a mapping"),
    ],
)
def test_a_wrong_layout_is_refused_with_the_file_and_the_key(raw: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="layout.yml") as caught:
        load(raw, tmp_path)
    assert message in str(caught.value)


def test_a_pattern_of_headings_is_shown_without_its_signs() -> None:
    pattern = re.compile(r"(?P<period>(?:q\d|h\d) \d{4}/\d{2}) \| Men \(all\)")
    assert WideRule("value", (), pattern).name == "[period] | Men (all)"


def test_a_register_has_no_columns_that_are_values(tmp_path: Path) -> None:
    raw = {**LAYOUT, "editions": [{"name": "a", "columns": {"Area": "area"}, "wide": [{"heading": "Q1"}]}]}
    with pytest.raises(OperatorError, match="only indicator forms"):
        load(raw, tmp_path, ("area",), is_indicator=False)


def test_a_form_without_a_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="a form needs a layout"):
        load_layout(tmp_path / "layout.yml", INDICATOR_FIELDS, is_indicator=True)


@pytest.mark.parametrize(
    "sent",
    [
        "Stalking and harassment",
        "Stalking\nand  harassment5",
        "stalking and harassment 4,5",
        "STALKING AND HARASSMENT¹",
        "Stalking and harassment*",
    ],
)
def test_a_heading_is_known_whatever_its_case_spaces_and_footnotes(sent: str) -> None:
    assert matching(sent, ["Stalking and harassment"]) == "Stalking and harassment"


@pytest.mark.parametrize(("sent", "known"), [("Indicator 1", "Indicator"), ("Q1", "Q1"), ("2016/17", "2016/17")])
def test_a_number_at_the_end_is_first_taken_as_part_of_the_heading(sent: str, known: str) -> None:
    assert matching(sent, [sent, known]) == sent
    assert matching("2016/17", ["2016/"]) is None


def test_dashes_and_quotation_marks_of_all_kinds_are_one() -> None:
    assert plain("Apr–Jun ‘local’\u00a0data :") == "apr-jun 'local' data"


def test_a_glob_overlooks_case_spaces_and_footnotes() -> None:
    assert is_like("Table P1 ", ["table p1"])
    assert is_like("Space_Programme 2016.XLSX", ["space programme*.xlsx"])
    assert not is_like("Table P10", ["Table P1"])


def test_a_label_or_its_code_gives_the_code_and_any_other_gives_none() -> None:
    labels = {"stoke": "stoke_on_trent"}
    assert code_for(" STOKE 2", labels) == "stoke_on_trent"
    assert code_for("stoke_on_trent", labels) == "stoke_on_trent"
    assert code_for("pcc_area", labels, ["pcc_area"]) == "pcc_area"
    assert code_for("Stoke-on-Sea", labels) is None
    assert code_for(None, labels) is None
