"""Lines land as they were sent, once, by either way of copying."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import psycopg2
import pytest
import yaml
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from quarterday import generating, landing
from quarterday.contracts import Form, load_form, load_forms
from quarterday.errors import ReturnDoesNotFitForm, ReturnIsUnreadable
from quarterday.identifying import identify
from tests.conftest import database_named, run_on_server

RETURNS = Path(__file__).parents[2] / "returns"
PARTNER = "opcc_finance"
HEAD = "Code,Place,Note\n"


@pytest.fixture(scope="module")
def database(template: str) -> Iterator[str]:
    """The URL of a warehouse that the tests of this module share; each takes back what it did."""
    name = f"quarterday_test_landing_{os.getpid()}"
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    yield database_named(name)
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def owner(database: str) -> Iterator[Connection]:
    """A connection whose transaction is never committed."""
    with closing(psycopg2.connect(database)) as connection:
        yield connection


@pytest.fixture
def loader(owner: Connection, form: Form) -> Connection:
    """The connection as the role that lands returns, with the register form deployed."""
    generating.deploy(owner, {"things": form})
    with owner.cursor() as cursor:
        cursor.execute("set role quarterday_loader")
        cursor.execute("savepoint before_landing")
    return owner


def take_back(connection: Connection) -> None:
    """Undo all that was landed."""
    with connection.cursor() as cursor:
        cursor.execute("rollback to savepoint before_landing")


@pytest.fixture
def form(tmp_path: Path) -> Form:
    """A register form of three columns."""
    folder = tmp_path / "returns" / "things"
    folder.mkdir(parents=True)
    contract = yaml.safe_load((RETURNS / "budget_outturn" / "contract.odcs.yaml").read_text(encoding="utf-8"))
    names = ("code", "place", "note")
    contract["name"] = "things"
    contract["schema"][0]["properties"] = [{"name": name, "logicalType": "string"} for name in names]
    layout = {
        "file_names": ["things*"],
        "example": "things-2017-18-Q3.csv",
        "quarter": {"from": "file_name", "pattern": r"\d{4}-\d{2}-Q\d"},
        "editions": [{"name": "a", "columns": {"Code": "code", "Place": "place", "Note": "note"}}],
    }
    (folder / "contract.odcs.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    (folder / "layout.yml").write_text(yaml.safe_dump(layout), encoding="utf-8")
    return load_form(folder)


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "things-2017-18-Q3.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def land(path: Path, form: Form, connection: Connection, load_id: int = 1, partner: str = PARTNER) -> int:
    return landing.land_return(path, form, identify(path, partner, {form.name: form}), load_id, connection)


def landed(connection: Connection, columns: str = "line_number, code, place, note") -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"select {columns} from landing.things order by load_id, line_number")
        return cursor.fetchall()


@pytest.fixture(params=["whole", "as it stands", "line by line"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """All ways of copying: a large file into a partition of its own, the file's own records, the lines as read."""
    if request.param == "whole":
        monkeypatch.setattr(landing, "LARGE_BYTES", 0)
    if request.param == "line by line":
        monkeypatch.setattr(landing, "ENCODINGS", {})
    return str(request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (HEAD + "4.10,Stoke,\n007,,x\n", [(2, "4.10", "Stoke", None), (3, "007", None, "x")]),
        (
            HEAD + '1,"two\nlines",""\n\n,,\n2,b,"say ""so"""\n',
            [(2, "1", "two\nlines", None), (6, "2", "b", 'say "so"')],
        ),
        (HEAD + '1,5" pipe,\\N\n2,\\.,a\tb', [(2, "1", '5" pipe', "\\N"), (3, "2", "\\.", "a\tb")]),
        ("\ufeff" + HEAD + " 1 ,é,\r\n", [(2, " 1 ", "é", None)]),
        (HEAD.replace(",", ";") + "1;a,b;c\n", [(2, "1", "a,b", "c")]),
        ("Note,Code,Place\nc,1,b\n", [(2, "1", "b", "c")]),
        (HEAD + "1,a,\n,,\n ,\t,\n\\.,b,\n 3,,", [(2, "1", "a", None), (5, "\\.", "b", None), (6, " 3", None, None)]),
        (HEAD + "1,a,\n\n2,b,\r\n", [(2, "1", "a", None), (4, "2", "b", None)]),
    ],
)
def test_lines_land_as_they_were_sent(
    content: str, lines: list[tuple[Any, ...]], form: Form, loader: Connection, tmp_path: Path
) -> None:
    assert land(write(tmp_path, content), form, loader) == len(lines)
    assert landed(loader) == lines


def test_windows_text_is_copied_as_it_stands(form: Form, loader: Connection, tmp_path: Path) -> None:
    edition = replace(form.layout.editions[0], encoding="cp1252")
    form = replace(form, layout=replace(form.layout, editions=(edition,)))
    land(write(tmp_path, (HEAD + "1,£5 – “x”,\n").encode("cp1252")), form, loader)
    assert landed(loader) == [(2, "1", "£5 – “x”", None)]


@pytest.mark.usefixtures("way")
def test_landing_again_replaces_the_load_and_no_other(form: Form, loader: Connection, tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "1,a,\n2,b,\n")
    land(path, form, loader, load_id=1)
    land(path, form, loader, load_id=2)
    assert land(write(tmp_path, HEAD + "3,c,\n"), form, loader, load_id=1) == 1
    assert landed(loader, "load_id, code") == [(1, "3"), (2, "1"), (2, "2")]


def test_landing_is_undone_with_the_callers_transaction(form: Form, loader: Connection, tmp_path: Path) -> None:
    land(write(tmp_path, HEAD + "1,a,\n"), form, loader)
    take_back(loader)
    assert landed(loader) == []


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("content", "check_id", "line"),
    [
        (HEAD + "1,a,\n2,b\n", "BUD-002", 3),
        (HEAD + "1,a,\n2,b,c,d\n", "BUD-002", 3),
        (HEAD, "BUD-005", None),
        ("Code,Place\n1,a\n", "BUD-002", 1),
    ],
)
def test_a_return_that_does_not_fit_says_why(
    content: str, check_id: str, line: int | None, form: Form, loader: Connection, tmp_path: Path
) -> None:
    with pytest.raises(ReturnDoesNotFitForm) as caught:
        land(write(tmp_path, content), form, loader)
    assert {(finding.check_id, finding.line) for finding in caught.value.findings} >= {(check_id, line)}
    take_back(loader)
    assert landed(loader) == []


def test_a_quotation_mark_that_is_not_closed_is_told_with_its_line(
    form: Form, loader: Connection, tmp_path: Path
) -> None:
    with pytest.raises(ReturnIsUnreadable) as caught:
        land(write(tmp_path, HEAD + '1,a,\n2,"b,\n3,c,\n'), form, loader)
    assert caught.value.findings[0].line == 3


def test_a_large_file_lands_whole_by_both_ways(
    form: Form, loader: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f'{number},"Place, {number}",{"n" * 40}\n' for number in range(50_000))
    path = write(tmp_path, HEAD + rows)
    assert land(path, form, loader, load_id=1) == 50_000
    monkeypatch.setattr(landing, "ENCODINGS", {})
    assert land(path, form, loader, load_id=2) == 50_000
    with loader.cursor() as cursor:
        cursor.execute(
            """select count(*) from landing.things as one
            join landing.things as two using (line_number, code, place, note)
            where one.load_id = 1 and two.load_id = 2"""
        )
        assert cursor.fetchone() == (50_000,)


@pytest.mark.parametrize(
    ("last", "kinds"),
    [
        ("2,b,", ["format text"]),
        ("2,\\N,", ["format text", "format csv, header"]),
        ('2,"b",', ["format text", "format csv, delimiter"]),
        ("2,b", ["format text", "format csv, delimiter"]),
    ],
)
def test_a_large_csv_is_copied_as_text_until_something_in_it_forbids(
    last: str, kinds: list[str], form: Form, loader: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, statements = landing._copy, []
    monkeypatch.setattr(landing, "LARGE_BYTES", 0)
    monkeypatch.setattr(landing, "CHUNK_BYTES", 16)  # what forbids it is found when part of the file is copied
    monkeypatch.setattr(
        landing, "_copy", lambda statement, *words: (statements.append(statement), copy(statement, *words))
    )
    path = write(tmp_path, HEAD + "1,a,\n" * 40 + last)
    with contextlib.suppress(ReturnDoesNotFitForm):
        assert land(path, form, loader) == len(landed(loader)) == 41
        assert landed(loader)[-1] == (42, "2", last.split(",")[1].strip('"'), None)
    assert len(statements) == len(kinds) + (last == "2,b")
    assert all(kind in statement for kind, statement in zip(kinds, statements, strict=False))


def partitions(connection: Connection) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'landing.things'::regclass order by 1"
        )
        return [name for (name,) in cursor.fetchall()]


def test_only_a_large_load_has_a_partition_of_its_own(
    form: Form, loader: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, HEAD + "1,a,\n2,b,\n")
    land(path, form, loader, load_id=1)
    assert partitions(loader) == ["landing.things_small_loads"]
    monkeypatch.setattr(landing, "LARGE_BYTES", path.stat().st_size)
    land(path, form, loader, load_id=2)
    land(path, form, loader, load_id=2)
    assert partitions(loader) == ["landing.things_load_2", "landing.things_small_loads"]
    assert landed(loader, "load_id, line_number, code") == [(1, 2, "1"), (1, 3, "2"), (2, 2, "1"), (2, 3, "2")]
    with loader.cursor() as cursor:
        cursor.execute("select count(*) from typed.things where load_id = 2")
        assert cursor.fetchone() == (2,)


def test_a_new_column_reaches_the_partition_of_a_large_load(
    form: Form, loader: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "LARGE_BYTES", 0)
    land(write(tmp_path, HEAD + "1,a,\n"), form, loader)
    columns = (*form.contract.columns, replace(form.contract.columns[0], name="colour"))
    wider = replace(form, contract=replace(form.contract, columns=columns))
    with loader.cursor() as cursor:
        cursor.execute("reset role")
    generating.deploy(loader, {"things": wider})
    assert landed(loader, "code, colour") == [("1", None)]


def test_a_landing_table_from_before_partitions_keeps_its_lines(form: Form, owner: Connection) -> None:
    with owner.cursor() as cursor:
        cursor.execute(
            "create table landing.things (load_id bigint not null, sheet text, line_number integer not null, "
            "code text, gone text, place text)"
        )
        cursor.execute("create index things_load on landing.things (load_id)")
        cursor.execute("insert into landing.things values (1, null, 2, 'a', 'b', 'c')")
    for _ in range(2):
        generating.deploy(owner, {"things": form})
    assert landed(owner, "load_id, line_number, code, gone, place, note") == [(1, 2, "a", "b", "c", None)]
    assert partitions(owner) == ["landing.things_small_loads"]


def test_an_indicator_return_lands_in_its_forms_partition(loader: Connection, tmp_path: Path) -> None:
    form = load_forms(RETURNS)["victim_gateway"]
    book = openpyxl.Workbook()
    sheet = book["Sheet"]
    sheet.title = "Q3 2017-18"
    for row in (
        ["Organisation", "Citizens Advice"],
        ["Period", "October to December 2017"],
        ["Measure", "Enhanced", "Standard", "All victims"],
        ["Referrals received", "-", "-", 14574],
        ["Notes"],
        ["None of this\tis read"],
    ):
        sheet.append(row)
    path = tmp_path / "victim-gateway-2017-18-Q3.xlsx"
    book.save(path)
    assert land(path, form, loader, load_id=9, partner="citizens_advice") == 3
    with loader.cursor() as cursor:
        cursor.execute(
            "select form, sheet, line_number, column_number, column_name, measure_code, value "
            "from landing.indicator order by column_number"
        )
        assert cursor.fetchall()[-1] == (
            "victim_gateway",
            "Q3 2017-18",
            4,
            4,
            "All victims",
            "victim_gateway_referrals",
            "14574",
        )


def test_a_real_month_of_crimes_lands_line_for_line(owner: Connection, tmp_path: Path, shared: Path) -> None:
    source = shared / "data" / "partner-files" / "police-uk-street-crime" / "2018-10-staffordshire-street.csv"
    with source.open(encoding="utf-8", newline="") as file:
        headings = next(csv.reader(file))
    names = [heading.lower().replace(" ", "_") for heading in headings]
    folder = tmp_path / "returns" / "street_crime"
    folder.mkdir(parents=True)
    contract = yaml.safe_load((RETURNS / "budget_outturn" / "contract.odcs.yaml").read_text(encoding="utf-8"))
    contract["name"] = "street_crime"
    contract["schema"][0]["properties"] = [{"name": name, "logicalType": "string"} for name in names]
    layout = {
        "file_names": ["*-street.csv"],
        "example": "2018-10-staffordshire-street.csv",
        "quarter": {"from": "file_name", "pattern": r"^\d{4}-\d{2}", "type": "calendar_month"},
        "editions": [{"name": "a", "columns": dict(zip(headings, names, strict=True))}],
    }
    (folder / "contract.odcs.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    (folder / "layout.yml").write_text(yaml.safe_dump(layout), encoding="utf-8")
    form = load_form(folder)
    generating.deploy(owner, {"street_crime": form})
    identity = identify(source, PARTNER, {"street_crime": form})
    assert (identity.reporting_quarter, identity.period.type) == ("2018-19-Q3", "calendar_month")
    assert landing.land_return(source, form, identity, 1, owner) == 10_938
    with owner.cursor() as cursor:
        cursor.execute("select count(*) filter (where crime_id is null), max(line_number) from landing.street_crime")
        assert cursor.fetchone() == (3_160, 10_939)
