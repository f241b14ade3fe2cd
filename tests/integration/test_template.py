"""The blank workbook of every form: filled in as its cells ask, it is admitted by the form's own layout and checks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet
from psycopg2 import sql

from quarterday import warehouse
from quarterday.blanks.template import Template, make_template
from quarterday.contracts import load_forms
from quarterday.identifying import identify
from quarterday.loading import check_file
from quarterday.openplaces import open_places
from quarterday.reading.files import EARLIER_SHEET, GUIDE_SHEET
from quarterday.settings import Settings, load_settings
from quarterday.sketching.sketch import sketch_form
from tests.conftest import database_named, run_on_server, session_settings
from tests.path_support import rows_of, send, take_in

Mend = Callable[[tuple[openpyxl.cell.Cell, ...]], None]
FORMS = load_forms(load_settings().returns)
EVERYBODY = [(form.name, partner) for form in FORMS.values() for partner in form.contract.partners]
# The small size is every fifth sender.
SENDERS = EVERYBODY if os.environ.get("QUARTERDAY_LONG_TESTS") else EVERYBODY[::5]
# What a partner writes where a cell takes any text; by the heading.
TEXTS = {
    "Season": "20/07/2016 - 31/08/2016", "Period": "As at 31 December 2016", "When": "As at 31 December 2016",
    "Round": "1", "Year": "2016/17", "Financial year": "2016/17", "Financial Year": "2016/17", "Due": "2015/16",
    "Month": "2016-12", "LAD16CD": "E07000192", "CSP16CD": "E22000001", "PFA16CD": "E23000015", "Crime ID": "0a" * 32,
    "Region code": "E12000005", "Local authority code": "E07000192", "MSOA Code": "E02000001",
    "LSOA Code": "E01000001", "LSOA code": "E01000001",
}  # fmt: skip


@pytest.fixture(scope="module")
def stocked(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse that has admitted one return of the Restorative Justice Hub. Nothing here changes it."""
    name, home = f"quarterday_test_blank_{os.getpid()}", tmp_path_factory.mktemp("blank")
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    places = {place: home / place for place in ("inbox", "archive", "receipts")}
    settings = replace(session_settings(), home=home, **places, server_url=database_named(name))
    warehouse.migrate(settings)
    send([{"partner_code": "rj_hub", "file": "rj-hub_2017-18-Q3.csv"}], settings)
    take_in(settings)
    yield settings
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def fill_in(path: Path, partner: str) -> None:
    """Fill in a blank form as its cells ask, and mend what its own checks hold against each other."""
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        if sheet.title not in (GUIDE_SHEET, EARLIER_SHEET, "Lists"):
            fill_sheet(sheet, book)
            for cells in sheet.iter_rows(min_row=first_row(sheet)):
                MEND.get(partner, lambda cells: None)(cells)
    book.save(path)


def first_row(sheet: Worksheet) -> int:
    return int(str(sheet.freeze_panes)[1:])


def fill_sheet(sheet: Worksheet, book: openpyxl.Workbook) -> None:
    """Fill every cell that has a rule: of rows that are written already all, else the first that it holds for."""
    first = first_row(sheet)
    named = next((column for column in range(1, 6) if sheet.cell(first, column).value), None)
    for check in sheet.data_validations.dataValidation:
        start = min(cells.min_row for cells in check.sqref.ranges)
        for row, column in (cell for cells in check.sqref.ranges for cell in cells.cells):
            is_wanted = row < first or (sheet.cell(row, named).value if named else row == start)
            if is_wanted and sheet.cell(row, column).value is None:
                sheet.cell(row, column).value = value_for(check, book)  # type: ignore[assignment]


def value_for(check: DataValidation, book: openpyxl.Workbook) -> object:
    if check.type == "list":
        formula = str(check.formula1)
        if formula.startswith('"'):
            return formula.strip('"').split(",")[0]
        return book["Lists"][formula.partition("!")[2].replace("$", "").split(":")[0]].value
    if check.type == "date":
        return date(2018, 1, 23)
    if check.type is None:
        return TEXTS.get(str(check.promptTitle), "text")
    lowest = str(check.formula1)
    return int(lowest) if check.type in ("whole", "decimal") and lowest.isdigit() and lowest > "1" else 1


def add_up_victims(cells: tuple[openpyxl.cell.Cell, ...]) -> None:
    if cells[0].value == "Share of referrals (%)":
        cells[1].value, cells[2].value, cells[3].value = 50, 50, 100
    elif cells[0].value:
        cells[3].value = 2


def leave_out_stoke(cells: tuple[openpyxl.cell.Cell, ...]) -> None:
    if cells[0].value == "Stoke on Trent":
        cells[0].value = cells[1].value = None


def date_downloads(cells: tuple[openpyxl.cell.Cell, ...]) -> None:
    if cells[0].value == "App downloads":
        cells[1].value = "1 December 2016 to 31 December 2016"


def carry_nothing_forward(cells: tuple[openpyxl.cell.Cell, ...]) -> None:
    if cells[0].value:
        cells[6].value = "No"


def say_no_period(cells: tuple[openpyxl.cell.Cell, ...]) -> None:
    cells[1].value = None


def name_force(force: str) -> Mend:
    def mend(cells: tuple[openpyxl.cell.Cell, ...]) -> None:
        if cells[1].value:
            cells[2].value = cells[3].value = force

    return mend


def leave_out_england_and_wales(cells: tuple[openpyxl.cell.Cell, ...]) -> None:
    """It is held against the sum of all forces, which the contract doesn't list."""
    if cells[0].value == "K04000001":
        for cell in cells:
            cell.value = None


MEND: dict[str, Mend] = {
    "citizens_advice": add_up_victims,
    "yos_staffordshire": leave_out_stoke,
    "smart_alert_platform": date_downloads,
    "offender_management_board": carry_nothing_forward,
    "space_partnership": say_no_period,
    "office_for_national_statistics": leave_out_england_and_wales,
    "staffordshire_police": name_force("Staffordshire Police"),
    "west_mercia_police": name_force("West Mercia Police"),
}


@pytest.mark.parametrize(("form", "partner"), SENDERS)
def test_a_blank_form_filled_in_as_its_cells_ask_is_admitted(
    form: str, partner: str, stocked: Settings, tmp_path: Path
) -> None:
    made = make_template(form, "2016-17-Q3", partner, tmp_path, stocked)
    fill_in(made.path, partner)
    identity = identify(made.path, partner, FORMS)
    season = "2016-17-Q2" if form == "space_programme" else str(made.blank.quarter)  # the days that the test filled in
    assert (identity.form, identity.reporting_quarter, identity.edition) == (form, season, made.blank.edition)
    verdict, receipt = check_file(made.path, partner, stocked)
    assert verdict.is_admitted, receipt


def test_earlier_figures_stand_on_a_sheet_that_is_not_read(stocked: Settings, tmp_path: Path) -> None:
    made = make_template("restorative_justice_hub", "2017-18-Q4", None, tmp_path, stocked)
    sheet = openpyxl.load_workbook(made.path)[EARLIER_SHEET]
    assert "2017-18 Q3, the last return that was admitted" in str(sheet["A2"].value)
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
    assert rows[0] == ["Measure", "Area", "Period", "Column", "Value as sent"]
    assert len(rows) == 2
    assert "Adult referrals" in rows[1]


def test_no_earlier_figures_of_a_later_quarter_or_another_partner_are_shown(stocked: Settings, tmp_path: Path) -> None:
    made = make_template("restorative_justice_hub", "2017-18-Q2", None, tmp_path, stocked)
    assert "no earlier figures" in made.earlier


def test_check_judges_by_a_form_that_the_warehouse_has_not_seen_and_leaves_no_trace(
    stocked: Settings, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(stocked.returns, project / "returns")
    for name in ("dbt_project", "expectations"):
        (project / name).symlink_to(stocked.project / name)
    file = tmp_path / "Drug service 2026-27 Q1.csv"
    file.write_text("Indicator,Quarter,Area,Figure\nAdults seen,Q1 2026/27,Stafford,12\n", encoding="utf-8")
    settings = replace(stocked, project=project)
    sketch = sketch_form(file, settings, partner="drug_service")
    for path in sketch.folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for _, wanted in open_places(text):
            answer = "20" if "working days" in wanted else "2026-04-01" if "first day" in wanted else "people"
            text = text.replace(next(part for part in text.split("'") if part.startswith("FILL IN")), answer, 1)
        path.write_text(text, encoding="utf-8")
    verdict, receipt = check_file(file, "drug_service", settings)
    assert verdict.is_admitted, receipt
    assert verdict.line_count == 1
    path = sketch.folder / "contract.odcs.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("minimum: 0 ", "minimum: 20 "), encoding="utf-8")
    assert not check_file(file, "drug_service", settings)[0].is_admitted
    query = "select to_regclass('landing.drug_service') as landing, to_regclass('typed.drug_service') as typed"
    assert rows_of(query, stocked, "loader") == [{"landing": None, "typed": None}]


def test_a_form_that_changed_is_judged_as_it_stands_now(stocked: Settings, tmp_path: Path) -> None:
    """A mark that is new in the layout changes the typed view; the warehouse's own stays as it was."""
    project = tmp_path / "project"
    shutil.copytree(stocked.returns, project / "returns")
    for name in ("dbt_project", "expectations"):
        (project / name).symlink_to(stocked.project / name)
    settings = replace(stocked, project=project)
    made: Template = make_template("restorative_justice_hub", "2017-18-Q4", None, tmp_path, stocked)
    fill_in(made.path, "rj_hub")
    book = openpyxl.load_workbook(made.path)
    book["Return"]["D4"] = "unknown"
    book.save(made.path)
    assert not check_file(made.path, "rj_hub", settings)[0].is_admitted
    layout = project / "returns" / "restorative_justice_hub" / "layout.yml"
    layout.write_text(layout.read_text(encoding="utf-8").replace("{n/a: x}", "{n/a: x, unknown: x}"), encoding="utf-8")
    verdict, receipt = check_file(made.path, "rj_hub", settings)
    assert verdict.is_admitted, receipt
