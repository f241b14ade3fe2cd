"""The blank workbook as a partner meets it: where things stand, what cells take, what is told; without a database."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import yaml
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from quarterday.blanks.template import Template, make_template
from quarterday.blanks.wordings import sheet_names, written
from quarterday.calendar import FinancialQuarter, Period
from quarterday.contracts import load_forms
from quarterday.errors import OperatorError
from quarterday.identifying import identify, only_partner
from quarterday.reading.files import EARLIER_SHEET, GUIDE_SHEET, read_grid
from quarterday.settings import Settings, load_settings

FORMS = load_forms(load_settings().returns)
# Every form is tried, and filled in, in tests/integration/test_template.py.
NAMED = [
    ("victim_gateway", "citizens_advice"), ("budget_outturn", "opcc_finance"), ("first_time_entrants", "yos_stoke"),
    ("police_workforce", "home_office"), ("statistical_area_forces", "opcc_analysts"),
]  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings without a database."""
    return replace(load_settings(), home=tmp_path_factory.mktemp("home"), server_url=None)


@pytest.fixture(scope="module")
def gateway(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The Victim Gateway's blank form for 2017-18 Q3."""
    return make_template("victim_gateway", "Q3 2017/18", None, tmp_path_factory.mktemp("blank"), settings)


def sheet_of(made: Template, name: str) -> Worksheet:
    sheet = openpyxl.load_workbook(made.path)[name]
    assert isinstance(sheet, Worksheet)
    return sheet


def check_of(sheet: Worksheet, cell: str) -> DataValidation:
    return next(check for check in sheet.data_validations.dataValidation if cell in check.sqref)


def told(made: Template) -> dict[str, str]:
    rows = sheet_of(made, GUIDE_SHEET).iter_rows(min_row=4, values_only=True)
    return {str(what): str(text) for what, text, *_ in rows}


def test_headings_rows_and_statements_stand_where_the_layout_wants_them(gateway: Template) -> None:
    sheet = sheet_of(gateway, "Q3 2017-18")
    assert gateway.path.name == "victim-gateway-2017-18-Q3.xlsx"
    assert [sheet.cell(row, 1).value for row in (2, 3, 4)] == ["Period", "Organisation", "Issued"]
    assert [cell.value for cell in sheet[6]] == ["Measure", "Enhanced", "Standard", "All victims"]
    assert sheet["A7"].value == "Referrals received"
    assert (sheet.freeze_panes, sheet.merged_cells.ranges) == ("B7", set())


def test_only_what_is_to_be_filled_in_can_be_written_over(gateway: Template) -> None:
    sheet = sheet_of(gateway, "Q3 2017-18")
    locked = {place: sheet[place].protection.locked for place in ("A6", "A7", "B4", "B7", "D14")}
    assert sheet.protection.sheet
    assert locked == {"A6": True, "A7": True, "B4": False, "B7": False, "D14": False}


def test_a_count_takes_whole_numbers_from_nought_and_the_marks_of_the_form(gateway: Template) -> None:
    check = check_of(sheet_of(gateway, "Q3 2017-18"), "B7")
    assert check.formula1 == 'OR(IFERROR(AND(ISNUMBER(B7),B7=INT(B7),B7>=0,B7<=100000),FALSE),B7="-",B7="n/a")'
    assert not check.allow_blank
    assert "Unit: number of" in str(check.prompt)
    assert "Required" in str(check.prompt)
    assert check.error == "Expected a whole number, at least 0 and at most 100000, or -, n/a."


def test_a_share_takes_decimals_to_a_hundred(gateway: Template) -> None:
    sheet = sheet_of(gateway, "Q3 2017-18")
    row = next(row for row in range(7, 15) if "%" in str(sheet.cell(row, 1).value))
    formula = str(check_of(sheet, f"B{row}").formula1)
    assert "INT(" not in formula
    assert f"B{row}<=100)" in formula


def test_the_guide_says_when_to_whom_and_what_the_marks_mean(gateway: Template) -> None:
    guide = told(gateway)
    assert guide["Due"].startswith("29 January 2018: 20 working days")  # New Year's Day is out
    assert "victim-gateway@citizens-advice.example" in guide["Contact"]
    assert "'victim-gateway-2017-18-Q3.xlsx'" in guide["How to send it"]
    assert guide["No figure: 'n/a'"].startswith("not available")
    assert gateway.due == date(2018, 1, 29)


def test_without_a_database_the_workbook_says_that_earlier_figures_are_not_shown(gateway: Template) -> None:
    assert "not shown" in str(sheet_of(gateway, EARLIER_SHEET)["A2"].value)


def test_the_sheets_for_the_partner_alone_are_not_read(gateway: Template) -> None:
    assert [sheet.name for sheet in read_grid(gateway.path)] == ["Q3 2017-18"]


def test_a_register_has_lists_dates_and_bounds_and_rows_to_add(settings: Settings, tmp_path: Path) -> None:
    made = make_template("community_fund_awards", "2017-18-Q2", None, tmp_path, settings)
    sheet = sheet_of(made, "Return")
    assert str(made.blank.quarter) == "2017-18-Q4"  # a year is reported in its last quarter
    assert re.fullmatch(r"community-fund-2017-18_20\d\d-\d\d-\d\d.xlsx", made.path.name)
    assert check_of(sheet, "A4").formula1 == '"Locality Deal Fund,Proceeds of Crime Fund,People Power Fund"'
    assert check_of(sheet, "H4").formula1 == '"plan,interim,final"'
    assert "Here: 2017/18." in str(check_of(sheet, "B4").prompt)
    assert "F60" in check_of(sheet, "F4").sqref
    assert not sheet.protection.sheet
    assert "day of issue" in told(made)["How to send it"]


def test_a_form_of_months_has_the_rows_of_each_month(settings: Settings, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(settings.returns / "restorative_justice_hub", project / "returns" / "restorative_justice_hub")
    path = project / "returns" / "restorative_justice_hub" / "layout.yml"
    layout = yaml.safe_load(path.read_text(encoding="utf-8"))
    layout["editions"][-1]["period"] = {"type": "calendar_month", "ends": "in_the_quarter"}
    path.write_text(yaml.safe_dump(layout), encoding="utf-8")
    made = make_template("restorative_justice_hub", "2017-18-Q4", None, tmp_path, replace(settings, project=project))
    sheet = sheet_of(made, "Return")
    cells = [str(cell.value) for row in sheet.iter_rows() for cell in row]
    assert [cells.count(f"{month} 2018") for month in ("January", "February", "March")] == [2, 2, 2]


def test_headings_of_two_rows_are_repeated_and_not_merged(settings: Settings, tmp_path: Path) -> None:
    sheet = sheet_of(make_template("yjb_disposals", "2017-18-Q4", None, tmp_path, settings), "Wales")
    assert [sheet[place].value for place in ("B4", "C4", "B5", "C5")] == [
        "Age",
        "Age",
        "10 - 14",
        "15",
    ]
    assert sheet.merged_cells.ranges == set()


def test_nothing_is_written_over(gateway: Template, settings: Settings) -> None:
    before = gateway.path.read_bytes()
    with pytest.raises(OperatorError, match="is there already, so nothing was written"):
        make_template("victim_gateway", "2017-18-Q3", None, gateway.path.parent, settings)
    assert gateway.path.read_bytes() == before


@pytest.mark.parametrize(
    ("form", "quarter", "partner", "message"),
    [
        ("victim_gate", "2017-18-Q3", None, "There is no form 'victim_gate'. The forms are budget_outturn"),
        ("victim_gateway", "autumn", None, "no financial quarter; write it as 2017-18-Q3"),
        ("first_time_entrants", "2017-18-Q3", None, "yos_staffordshire, yos_stoke: say for whom, with --partner"),
        ("victim_gateway", "2017-18-Q3", "rj_hub", "'rj_hub' doesn't send it"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_reason(
    form: str, quarter: str, partner: str | None, message: str, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(OperatorError, match=re.escape(message)):
        make_template(form, quarter, partner, tmp_path, settings)
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_takes_no_workbook_says_what_to_add(settings: Settings, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "returns").mkdir(parents=True)
    (project / "returns" / "smart_alert").mkdir()
    for path in (settings.returns / "smart_alert").iterdir():
        text = path.read_text(encoding="utf-8").replace(", 'smart-alert*.xlsx'", "")
        (project / "returns" / "smart_alert" / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(OperatorError, match=r"Add one to file_names .*'smart-alert\*\*?.xlsx'"):
        make_template("smart_alert", "2017-18-Q3", None, tmp_path, replace(settings, project=project))


@pytest.mark.parametrize(("form", "partner"), NAMED)
def test_a_blank_form_goes_by_a_name_that_tells_form_quarter_and_edition(
    form: str, partner: str, settings: Settings, tmp_path: Path
) -> None:
    made = make_template(form, "2018-19-Q3", partner, tmp_path, settings)
    identity = identify(made.path, partner, FORMS)
    assert (identity.form, identity.edition) == (form, made.blank.edition)
    assert identity.reporting_quarter == str(made.blank.quarter)
    if FORMS[form].layout.quarter.origin != "fixed":
        assert identity.reporting_quarter.startswith("2018-19")


@pytest.mark.parametrize(
    ("pattern", "given", "text"),
    [
        (r"^Issued:? (?P<date>.+)", {"date": "today"}, "Issued today"),
        (r"(a|b) \| (?P<period>\d{4})", {"period": "2017"}, "a | 2017"),
        (r"total[a-c]{2}x*\d+", {}, "totalaa0"),
    ],
)
def test_a_text_is_made_that_a_pattern_takes(pattern: str, given: dict[str, str], text: str) -> None:
    compiled = re.compile(pattern, re.IGNORECASE)
    assert written(compiled, given) == text
    assert compiled.search(text)


def test_sheets_are_named_by_the_period_or_by_each_member_of_a_class() -> None:
    period = [Period.of_quarter(FinancialQuarter(2017, 3))]
    assert sheet_names(["Q[1-4] *", "Year *"], period) == ["Q3 2017-18"]
    assert sheet_names(["Table_[1-3]", "Notes"], period) == ["Table_1", "Table_2", "Table_3", "Notes"]


def test_the_only_partner_of_a_form_need_not_be_said() -> None:
    assert only_partner("rj-hub_2017-18-Q3.csv", FORMS) == "rj_hub"
    assert only_partner("holiday.csv", FORMS) == "unknown"
    with pytest.raises(OperatorError, match="yos_staffordshire or yos_stoke"):
        only_partner("FTE return 2017-18 Q3.xlsx", FORMS)


def test_a_wrong_example_of_an_edition_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "smart_alert"
    folder.mkdir()
    for path in (load_settings().returns / "smart_alert").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    raw = yaml.safe_load((folder / "layout.yml").read_text(encoding="utf-8"))
    raw["editions"][0]["example"] = "cadets.csv"
    (folder / "layout.yml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(OperatorError, match="'cadets.csv' does not fit file_names"):
        load_forms(tmp_path)
