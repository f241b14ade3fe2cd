"""What a layout can say of blocks, tables, places and repeated labels: small files, and the lines that they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from openpyxl import Workbook

from quarterday.calendar import parse_period
from quarterday.contracts import Form, load_form
from quarterday.errors import OperatorError, ReturnDoesNotFitForm
from quarterday.identifying import identify
from quarterday.layouts import Source
from quarterday.reading import Line, read_return
from quarterday.wording import matching

Rows = Sequence[Sequence[object]]
REGISTER = ("area", "kind", "name", "total")
INDICATOR = ("measure_code", "breakdown_code", "area_code", "period_start", "period_end", "value")


def form_of(edition: dict[str, Any], family: str, folder: Path, **layout: Any) -> Form:
    """Write a form's folder and read it."""
    place = folder / "returns" / "blocks"
    place.mkdir(parents=True, exist_ok=True)
    custom = {"family": family, "checkPrefix": "BLO", "partners": ["me"], "cadence": "irregular", "dueWorkingDays": 1}
    names = REGISTER if family == "register" else INDICATOR
    columns = [{"name": name, "logicalType": "string", "description": name} for name in names]
    contract = {
        "name": "blocks",
        "version": "1.0.0",
        "schema": [{"name": "blocks", "properties": columns}],
        "customProperties": [{"property": key, "value": value} for key, value in custom.items()],
    }
    whole = {
        "file_names": ["blocks*"],
        "example": "blocks.xlsx",
        "quarter": {"from": "fixed", "text": "2017-18"},
        "editions": [{"name": "1", **edition}],
        **layout,
    }
    (place / "contract.odcs.yaml").write_text(yaml.safe_dump(contract))
    (place / "layout.yml").write_text(yaml.safe_dump(whole))
    return load_form(place)


def lines_of(form: Form, folder: Path, **sheets: Rows) -> list[Line]:
    """Write a workbook and return the lines that the form makes of it."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    path = folder / "blocks.xlsx"
    book.save(path)
    return list(read_return(path, form, identify(path, "me", {form.name: form})))


def cells(lines: list[Line], *names: str) -> list[tuple[str | None, ...]]:
    return [tuple(line.cells.get(name) for name in names) for line in lines]


BLOCKS: Rows = (
    ("2017/18", "Number"),
    ("Wales",),
    ("Custody",),
    ("Detention", 3),
    ("TOTAL", 3),
    ("Powys",),
    ("Fine", 1),
    ("Custody",),
    ("Detention", 2),
    (None, 0),
)
TITLES = {
    "header": {"find": ["Number"]},
    "columns": {"Name": {"is": "name", "at": "A"}, "Number": "total"},
    "titles": [{"is": "area", "at": "A"}, {"is": "kind", "at": "A", "like": ["Custody", "TOTAL"]}],
}


def test_titles_are_said_of_the_lines_below_them_until_an_outer_one_comes(tmp_path: Path) -> None:
    form = form_of({**TITLES, "line_if_filled": ["Number"]}, "register", tmp_path)
    assert cells(lines_of(form, tmp_path, Sheet=BLOCKS), "line_number", *REGISTER) == [
        ("4", "Wales", "Custody", "Detention", "3"),
        ("5", "Wales", "TOTAL", "TOTAL", "3"),
        ("7", "Powys", None, "Fine", "1"),
        ("9", "Powys", "Custody", "Detention", "2"),
        ("10", "Powys", "Custody", None, "0"),
    ]


def test_a_title_is_no_line_unless_the_layout_says_what_a_line_has(tmp_path: Path) -> None:
    lines = lines_of(form_of(TITLES, "register", tmp_path), tmp_path, Sheet=BLOCKS)
    assert [line.line_number for line in lines] == [4, 7, 9, 10]


TABLES = {
    "columns": {"Code": "area", "Name": "area"},
    "tables": [
        {"sheets": ["P1"], "wide": [{"heading": "Crimes", "measure": "crimes"}]},
        {"sheets": ["P4"], "wide": [{"pattern": "(?P<breakdown>.+) knife", "measure": "knives"}]},
        {"sheets": ["P5"], "optional": True, "wide": [{"pattern": ".+", "is": "ignore"}, {"heading": "X"}]},
    ],
}


def test_each_table_of_a_workbook_has_a_layout_of_its_own(tmp_path: Path) -> None:
    form = form_of(TABLES, "indicator", tmp_path)
    p1, p4 = (("Code", "Name", "Crimes"), ("E1", "Ours", 5)), (("Code", "Name", "Gang knife5"), (None, "Rail", 2))
    assert cells(
        lines_of(form, tmp_path, **{"P1 ": p1, "P4": p4}), "measure_label", "breakdown_label", "area_label"
    ) == [
        ("crimes", None, "E1"),
        ("knives", "gang", "Rail"),
    ]


def test_a_table_that_must_be_there_is_missed_and_a_sheet_of_no_table_is_unknown(tmp_path: Path) -> None:
    form = form_of(TABLES, "indicator", tmp_path)
    with pytest.raises(ReturnDoesNotFitForm) as caught:
        lines_of(form, tmp_path, P1=(("Code", "Name", "Crimes"), ("E1", "Ours", 5)), P9=(("What",),))
    assert [(finding.check_id, finding.found) for finding in caught.value.findings] == [
        ("BLO-002", "P9"),
        ("BLO-002", None),
    ]
    assert "'P4'" in caught.value.findings[1].expected


REPEATED = {
    "columns": {"Place": "area", "Value": "value"},
    "values": {"measure": "crimes"},
    "labels": {"areas": {"West Midlands": ["region", "force"], "Stafford": "stafford"}},
}


def test_a_label_that_stands_twice_is_told_by_its_standing(tmp_path: Path) -> None:
    form = form_of(REPEATED, "indicator", tmp_path)
    rows = (("Place", "Value"), ("West Midlands ", 9), ("Stafford", 4), ("West Midlands1", 5))
    assert cells(lines_of(form, tmp_path, S=rows), "area_code", "value") == [
        ("region", "9"),
        ("stafford", "4"),
        ("force", "5"),
    ]


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_label_that_stands_more_or_less_often_than_it_has_meanings_is_refused(times: int, tmp_path: Path) -> None:
    form = form_of(REPEATED, "indicator", tmp_path)
    rows = (("Place", "Value"), ("Stafford", 4), *[("West Midlands", 9)] * times)
    with pytest.raises(ReturnDoesNotFitForm, match=f"found '{times} times'"):
        lines_of(form, tmp_path, S=rows)


def test_filling_down_ends_where_the_column_beside_it_changes(tmp_path: Path) -> None:
    edition = {
        "columns": {"Key": "kind", "Item": "name", "Total": "total"},
        "fill_down": [{"heading": "Item", "within": "Key"}],
    }
    rows = (("Key", "Item", "Total"), ("a", "Alpha", 1), ("a", None, 2), ("b", None, 3), ("a", None, 4))
    lines = lines_of(form_of(edition, "register", tmp_path), tmp_path, S=rows)
    assert [name for (name,) in cells(lines, "name")] == ["Alpha", "Alpha", None, "Alpha"]


def test_a_source_gives_what_a_text_means_and_nothing_for_one_it_does_not_list() -> None:
    source = Source("file_name", None, means={"march2018v2": "2018-07-19"})
    assert source.search("March2018v2") == "2018-07-19"
    assert source.search("march2020") is None


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("titles", [{"is": "area", "at": "1"}], "letter of a column"),
        ("titles", [{"is": "weather", "at": "A"}], "expected one of"),
        ("tables", [{"columns": {"A": "area"}}], "'sheets' is missing"),
        ("fill_down", [{"heading": "Nothing"}], "no heading of columns"),
        ("labels", {"kind": {"X": ["a", "b"]}}, "take a list"),
        ("values", {"area": {"from": "fixed"}}, "'text' goes with"),
    ],
)
def test_a_wrong_key_is_named(key: str, value: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=words):
        form_of({"columns": {"Area": "area"}, key: value}, "register", tmp_path)


@pytest.mark.parametrize(
    ("text", "hint", "key"),
    [
        ("Apr '11 to Mar '12", "date_range", "date_range:2011-04-01/2012-03-31"),
        ("Jan \u201918 to Dec \u201918", None, "calendar_year:2018-01-01/2018-12-31"),
        ("march2018", "rolling_year", "rolling_year:2017-04-01/2018-03-31"),
        ("sep18", "as_at", "as_at:2018-09-30"),
    ],
)
def test_periods_as_publishers_write_them(text: str, hint: str | None, key: str) -> None:
    assert parse_period(text, hint).key == key


def test_months_the_wrong_way_round_are_no_period() -> None:
    with pytest.raises(ValueError, match="is not a period"):
        parse_period("Apr '12 to Mar '11")


def test_footnotes_stand_behind_brackets_and_in_each_part_of_a_heading() -> None:
    assert matching("England (without London)4,5,10", ["England (without London)"]) is not None
    assert matching("Homicide5 | Number6", ["Homicide | Number"]) is not None
