"""What a file is, told by its folder, its name and its cells."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest
import yaml

from quarterday.contracts import Form, load_forms
from quarterday.errors import Finding, ReturnIsNotRecognised, ReturnIsUnreadable
from quarterday.identifying import Identity, identify

RETURNS = Path(__file__).parents[2] / "returns"
GATEWAY = "victim-gateway-2017-18-Q3.xlsx"


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    """Every form of the project."""
    return load_forms(RETURNS)


def workbook(path: Path, rows: list[list[object]], sheet: str = "Q3 2017-18") -> Path:
    book = openpyxl.Workbook()
    active = book["Sheet"]
    active.title = sheet
    for row in rows:
        active.append(row)
    book.save(path)
    return path


def rejection(path: Path, partner: str, forms: dict[str, Form]) -> Finding:
    with pytest.raises(ReturnIsNotRecognised) as caught:
        identify(path, partner, forms)
    (finding,) = caught.value.findings
    return finding


def season_form(folder: Path, quarter: dict[str, str]) -> dict[str, Form]:
    """Return a form like the Space programme's, whose period is where ``quarter`` says."""
    form = folder / "returns" / "season"
    form.mkdir(parents=True)
    contract = (RETURNS / "victim_gateway" / "contract.odcs.yaml").read_text(encoding="utf-8")
    (form / "contract.odcs.yaml").write_text(contract.replace("victim_gateway\n", "season\n"), encoding="utf-8")
    layout = {
        "file_names": ["season*"],
        "example": "season.xlsx",
        "quarter": quarter,
        "editions": [
            {"name": "old", "to_quarter": "2015-16-Q4", "columns": {"Measure": "measure", "Value": "value"}},
            {"name": "new", "from_quarter": "2016-17-Q1", "columns": {"Measure": "measure", "Value": "value"}},
        ],
    }
    (form / "layout.yml").write_text(yaml.safe_dump(layout), encoding="utf-8")
    return load_forms(folder / "returns")


def test_the_folder_the_name_and_a_cell_say_what_a_file_is(forms: dict[str, Form], tmp_path: Path) -> None:
    path = workbook(tmp_path / GATEWAY, [["Victim Gateway"], ["Issued", date(2018, 1, 26)]])
    identity = identify(path, "citizens_advice", forms)
    assert identity == Identity(
        form="victim_gateway",
        partner_code="citizens_advice",
        edition="2015-09",
        reporting_quarter="2017-18-Q3",
        issued_on=date(2018, 1, 26),
        period=identity.period,
    )
    assert identity.period.key == "2017-18-Q3"


@pytest.mark.parametrize("name", ["Victim_Gateway 2017-18-q3.XLSX", "victim-gateway-2017-18-Q3 (copy).xlsx"])
def test_case_spaces_and_additions_in_a_name_do_not_matter(name: str, forms: dict[str, Form], tmp_path: Path) -> None:
    layout_name = name.replace("Victim_Gateway ", "victim-gateway ")
    identity = identify(workbook(tmp_path / layout_name, [["x"]]), "citizens_advice", forms)
    assert identity.reporting_quarter == "2017-18-Q3"


def test_a_year_is_reported_in_the_quarter_in_which_it_ends(forms: dict[str, Form], tmp_path: Path) -> None:
    path = tmp_path / "budget-outturn-2016-17-final-2017-09-29.csv"
    path.write_text("Body\n")
    identity = identify(path, "opcc_finance", forms)
    assert (identity.period.key, identity.reporting_quarter) == ("2016-17", "2016-17-Q4")
    assert identity.issued_on == date(2017, 9, 29)


def test_a_name_that_no_form_claims_is_not_recognised(forms: dict[str, Form], tmp_path: Path) -> None:
    finding = rejection(tmp_path / "minutes.docx", "citizens_advice", forms)
    assert (finding.check_id, finding.found) == ("QDY-001", "minutes.docx")
    assert GATEWAY in finding.expected


def test_a_form_in_another_partners_folder_is_not_taken(forms: dict[str, Form], tmp_path: Path) -> None:
    finding = rejection(tmp_path / GATEWAY, "rj_hub", forms)
    assert (finding.check_id, finding.expected, finding.found) == (
        "VGW-004",
        "this form from citizens_advice",
        "rj_hub",
    )


@pytest.mark.parametrize(
    "name", ["victim-gateway.xlsx", "victim-gateway-2017-18.xlsx", "victim-gateway-2017-19-Q3.xlsx"]
)
def test_a_name_without_a_quarter_is_not_recognised(name: str, forms: dict[str, Form], tmp_path: Path) -> None:
    finding = rejection(tmp_path / name, "citizens_advice", forms)
    assert finding.check_id == "VGW-003"
    assert GATEWAY in finding.expected


def test_a_quarter_in_a_cell_is_found_and_chooses_the_edition(tmp_path: Path) -> None:
    forms = season_form(tmp_path, {"from": "cell", "pattern": "^Season:? (?P<period>.+)"})
    path = workbook(tmp_path / "season.xlsx", [["Programme"], ["Season", "20/07/2016 - 31/08/2016"]])
    identity = identify(path, "citizens_advice", forms)
    assert (identity.reporting_quarter, identity.edition) == ("2016-17-Q2", "new")
    assert identity.period.key == "date_range:2016-07-20/2016-08-31"


def test_a_quarter_in_a_sheets_name_or_a_column_is_found(tmp_path: Path) -> None:
    forms = season_form(tmp_path, {"from": "sheet", "pattern": r"q\d \d{4}-\d\d"})
    path = workbook(tmp_path / "season.xlsx", [["Quarter"], [None], ["Q2 2015-16"]])
    assert identify(path, "citizens_advice", forms).reporting_quarter == "2017-18-Q3"
    forms = season_form(tmp_path / "other", {"from": "column", "heading": "Quarter"})
    assert identify(path, "citizens_advice", forms).reporting_quarter == "2015-16-Q2"


def test_a_cell_that_is_no_period_is_told_with_its_place(tmp_path: Path) -> None:
    forms = season_form(tmp_path, {"from": "cell", "pattern": "^Season:? (?P<period>.+)"})
    finding = rejection(workbook(tmp_path / "season.xlsx", [["x"], ["Season", "summer"]]), "citizens_advice", forms)
    assert (finding.check_id, finding.sheet, finding.line, finding.column) == ("VGW-003", "Q3 2017-18", 2, "B")
    assert finding.found == "summer"


def test_a_quarter_in_a_file_that_can_not_be_opened_is_unreadable(tmp_path: Path) -> None:
    forms = season_form(tmp_path, {"from": "cell", "pattern": "^Season:? (?P<period>.+)"})
    path = tmp_path / "season.xlsx"
    path.write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(ReturnIsUnreadable):
        identify(path, "citizens_advice", forms)


def test_a_file_that_can_not_be_opened_is_still_known_by_its_name(forms: dict[str, Form], tmp_path: Path) -> None:
    path = tmp_path / GATEWAY
    path.write_bytes(b"PK\x03\x04 no more")
    identity = identify(path, "citizens_advice", forms)
    assert (identity.form, identity.reporting_quarter, identity.issued_on) == ("victim_gateway", "2017-18-Q3", None)


def test_a_period_that_no_edition_covers_is_told(tmp_path: Path) -> None:
    forms = season_form(tmp_path, {"from": "file_name", "pattern": r"\d{4}-\d{2}-q\d"})
    path = forms["season"].folder / "layout.yml"
    layout = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**layout, "editions": layout["editions"][:1]}), encoding="utf-8")
    finding = rejection(tmp_path / "season-2017-18-Q3.xlsx", "citizens_advice", load_forms(tmp_path / "returns"))
    assert (finding.check_id, finding.found) == ("VGW-002", "2017-18-Q3")
    assert "old from the start to 2015-16-Q4" in finding.expected
