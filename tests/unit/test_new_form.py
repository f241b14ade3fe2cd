"""A form is drafted from a sample: nothing is guessed in silence, and once it is filled in it reads the sample."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from datacontract.data_contract import DataContract

from quarterday.contracts import Form, load_form, load_forms
from quarterday.errors import OperatorError
from quarterday.identifying import identify
from quarterday.openplaces import open_places
from quarterday.reading import Line, read_return
from quarterday.settings import Settings, load_settings
from quarterday.sketching.sketch import Sketch, sketch_form

PROJECT = Path(__file__).parents[2]
DEMO = PROJECT / "demo"
LISTED = [
    row for row in csv.DictReader((DEMO / "expected.csv").open(encoding="utf-8", newline="")) if row["line_count"]
]
NEWEST = list({(row["form"], row["partner_code"]): row for row in LISTED if row["wave"] == "1"}.values())
REGISTERS = ("budget_outturn", "community_fund_awards", "reducing_offending_action_plan")
# What an engineer would write into an open place, by what it asks for.
ANSWERS = (
    ("what it means|what a blank figure means", "x"),
    ("working days", "20"),
    ("first day on which", "2016-04-01"),
    ("one of plan_", "plan_2021.support_victims"),
    ("the partner", "drug_service"),
    ("email address", "returns@drug-service.example"),
    ("the area.s code", "pcc_area"),
    ("unit, such as", "count"),
    ("the period that it is", "2015/16"),
    ("or ignore", "ignore"),
    (".", "people"),
)
INDICATOR = """Indicator,Quarter,Area,Figure,Comment
Adults in treatment,Q1 2026/27,Stoke-on-Trent,412,
Adults in treatment,Q1 2026/27,Staffordshire,873,
Adults leaving treatment (%),Q1 2026/27,Stoke-on-Trent,12.5%,
Adults leaving treatment (%),Q1 2026/27,Staffordshire,n/a,new system
Young people referred,Q1 2026/27,Stoke-on-Trent,"1,023",
Young people referred,Q1 2026/27,Staffordshire,over 50,
"""
REGISTER = """Grants of the fund
Issued:,12/10/2026

Ref,Project name,Award date,Amount (£'000),Paid,Theme,Reference year
G001,Football club,01/05/2026,"1,200.00",Yes,Youth,2026/27
G002,Drop-in,17/06/2026,950.00,No,Victims,2026/27
G003,Boxing,02/07/2026,"2,000.00",Yes,Youth,2026/27
G004,Café,11/09/2026,*,No,Victims,2026/27
"""
CALLS = """Month,Line,Calls received,Average wait (secs),Cost (£)
Oct-17,101,"37,797",38,"£98,490"
Oct-17,999,"18,947",21,"£129,377"
Nov-17,101,"30,431",125,"£83,994"
Nov-17,999,"18,512",125,"£120,906"
Dec-17,101,"48,010",43,"£80,398"
Dec-17,999,"15,242",138,"£101,109"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A project of its own: no forms yet, and the seeds."""
    project = tmp_path / "project"
    (project / "returns").mkdir(parents=True)
    (project / "dbt_project").symlink_to(PROJECT / "dbt_project")
    return replace(load_settings(), project=project)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def wide_workbook(path: Path) -> Path:
    """A title, a day of issue, headings in two rows with merged cells, a spacer column, a total and notes."""
    book = openpyxl.Workbook()
    sheet = book["Sheet"]
    sheet.title = "Return"
    rows: list[list[object]] = [
        ["Moorland Rescue Trust: quarterly return"],
        ["Issued", "14 July 2026"],
        [],
        ["Area", None, "Call-outs", None, "Hours of volunteers", None],
        [None, None, "Q4 2025/26", "Q1 2026/27", "Q4 2025/26", "Q1 2026/27"],
        ["Cannock Chase", None, 12, 15, 120.5, 88],
        ["Lichfield", None, 3, "..", 14, 9],
        ["The moors", None, 30, 22, 400, 310.25],
        ["Total", None, 45, 37, 534.5, 407.25],
        [],
        ["Notes: .. not recorded"],
    ]
    for row in rows:
        sheet.append(row)
    sheet.merge_cells("C4:D4")
    sheet.merge_cells("E4:F4")
    book.create_sheet("Guidance").append(["How to fill this in"])
    book.save(path)
    return path


def fill_in(folder: Path) -> None:
    """Write over every open place of a drafted form, as an engineer would."""
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for _, wanted in open_places(text):
            answer = next(answer for asked, answer in ANSWERS if re.search(asked, wanted))
            text = re.sub(r"'FILL IN: [^']*'", f"'{answer}'", text, count=1)
        path.write_text(text, encoding="utf-8")


def drafted(file: Path, settings: Settings, **chosen: str) -> tuple[Sketch, Form]:
    """Draft a form from a sample and fill it in."""
    sketch = sketch_form(file, settings, **chosen)
    with pytest.raises(OperatorError, match="still open"):
        load_form(sketch.folder)
    fill_in(sketch.folder)
    return sketch, load_form(sketch.folder)


def lines_of(file: Path, form: Form) -> list[Line]:
    partner = form.contract.partners[0]
    return list(read_return(file, form, identify(file, partner, {form.name: form})))


def test_an_indicator_csv_reads_its_sample_once_filled_in(settings: Settings, tmp_path: Path) -> None:
    file = written(tmp_path / "Drug service 2026-27 Q1.csv", INDICATOR)
    sketch, form = drafted(file, settings)
    lines = lines_of(file, form)
    assert [line.cells["measure_code"] for line in lines[::2]] == [
        "drug_service_adults_in_treatment",
        "drug_service_adults_leaving_treatment_pct",
        "drug_service_young_people_referred",
    ]
    assert {line.cells["area_code"] for line in lines} == {"stoke_on_trent", "staffordshire_county"}
    assert {line.cells["period_end"] for line in lines} == {"2026-06-30"}
    assert (lines[3].cells["note"], form.layout.marks) == ("new system", {"n/a": "x"})
    assert form.layout.editions[0].period_ends == "in_the_quarter"
    assert any("not available: n/a" in told for told in sketch.found)


def test_a_wide_workbook_reads_its_sample_once_filled_in(settings: Settings, tmp_path: Path) -> None:
    file = wide_workbook(tmp_path / "moorland-rescue_2026-27-Q1.xlsx")
    sketch, form = drafted(file, settings, partner="moorland_rescue")
    lines = lines_of(file, form)
    assert len(lines) == 12
    read = {(line.line_number, line.column_number): line.cells for line in lines}
    assert read[7, 4]["value"] == ".."
    assert read[8, 6]["measure_code"] == "moorland_rescue_hours_of_volunteers"
    assert (read[8, 6]["area_code"], read[8, 6]["period_start"]) == ("pcc_area", "2026-04-01")
    assert str(identify(file, "moorland_rescue", {form.name: form}).issued_on) == "2026-07-14"
    text = " ".join(sketch.found + sketch.guessed)
    for told in ("lines 4 to 5", "Spacer columns without anything: B", "totals, left out: lines 9", "Guidance"):
        assert told in text


def test_a_register_in_windows_coding_reads_its_sample_once_filled_in(settings: Settings, tmp_path: Path) -> None:
    file = written(tmp_path / "grants 2026-27.csv", REGISTER, "cp1252")
    _, form = drafted(file, settings)
    assert {column.name: column.logical_type for column in form.contract.columns} == {
        "ref": "string", "project_name": "string", "award_date": "date", "amount_gbp": "number", "paid": "boolean",
        "theme": "string", "reference_year": "string",
    }  # fmt: skip
    amount = form.contract.column("amount_gbp")
    assert amount is not None
    assert (amount.unit, amount.scale, amount.required, amount.minimum) == ("gbp", 1000, False, 0)
    assert form.contract.key == ("ref",)
    lines = lines_of(file, form)
    assert [line.cells["project_name"] for line in lines][3] == "Café"
    assert form.layout.marks == {"*": "c"}


def test_numbers_that_tell_lines_of_one_month_apart_are_the_breakdown(settings: Settings, tmp_path: Path) -> None:
    file = written(tmp_path / "control_room_2017-18-Q3.csv", CALLS, "cp1252")
    sketch, form = drafted(file, settings, family="indicator")
    lines = lines_of(file, form)
    assert [line.cells["breakdown_code"] for line in lines[::3]] == ["n_101", "n_999"] * 3
    assert form.contract.columns[1].business_name == "Line"
    assert any("'Line' is the breakdown" in told for told in sketch.guessed)
    measures = form.contract.columns[0].measures
    assert measures["control_room_average_wait_secs"]["unit"] == "seconds"


def test_a_measure_taken_by_its_name_alone_is_told(settings: Settings, tmp_path: Path) -> None:
    file = written(tmp_path / "custody 2026-27 Q1.csv", "Indicator,Q1 2026/27\nCustody visits,4\nDogs seen,9\n")
    sketch = sketch_form(file, settings, family="indicator")
    assert any("'Custody visits' is taken for the measure icv_visits" in told for told in sketch.guessed)


def test_a_register_has_the_columns_of_words_for_its_key_and_no_figures(settings: Settings, tmp_path: Path) -> None:
    file = written(tmp_path / "control_room_2017-18-Q3.csv", CALLS, "cp1252")
    assert drafted(file, settings, family="register")[1].contract.key == ("month", "line")


def test_a_mere_year_is_no_contradiction_and_a_row_called_total_is_told(settings: Settings, tmp_path: Path) -> None:
    text = "Return for 2026/27,\nIndicator,Q1 2026/27\nPeople housed within 28 days,4\nTotal housed,9\n"
    file = written(tmp_path / "housing 2026-27 Q1.csv", text)
    sketch, form = drafted(file, settings, family="indicator")
    assert not any("find out which" in told for told in sketch.guessed)
    assert any("'Total housed' may be a total" in told for told in sketch.guessed)
    assert form.contract.columns[0].measures["housing_people_housed_within_28_days"]["unit"] == "count"


@pytest.mark.parametrize("kind", ["indicator", "register"])
def test_a_filled_draft_passes_the_standards_lint(kind: str, settings: Settings, tmp_path: Path) -> None:
    text = {"indicator": INDICATOR, "register": REGISTER}[kind]
    sketch, _ = drafted(written(tmp_path / "drug service 2026-27.csv", text), settings, family=kind)
    result = DataContract(data_contract_file=str(sketch.folder / "contract.odcs.yaml")).lint()
    assert [check.reason for check in result.checks or [] if check.result != "passed"] == []


def test_an_open_place_fails_the_load_with_its_line_and_what_to_write(settings: Settings, tmp_path: Path) -> None:
    sketch = sketch_form(written(tmp_path / "Drug service 2026-27 Q1.csv", INDICATOR), settings)
    with pytest.raises(OperatorError, match=r"contract.odcs.yaml: \d+ places are still open") as caught:
        load_forms(settings.returns)
    assert re.search(r"line \d+: working days after the end of the quarter", str(caught.value))
    assert len([told for told in sketch.to_decide if "line" in told]) >= 8


def test_nothing_is_written_over(settings: Settings, tmp_path: Path) -> None:
    file = written(tmp_path / "Drug service 2026-27 Q1.csv", INDICATOR)
    sketch = sketch_form(file, settings)
    before = {path: path.read_bytes() for path in sketch.folder.iterdir()}
    with pytest.raises(OperatorError, match="is there already, so nothing was written"):
        sketch_form(file, settings)
    assert {path: path.read_bytes() for path in sketch.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "text", "chosen", "message"),
    [
        ("notes.csv", "Dear all\nplease find\n", {}, "no table was found"),
        ("a.csv", INDICATOR, {}, "can't be a form's name"),
        ("drug.csv", INDICATOR, {"name": "../drug"}, "can't be a form's name"),
        ("drug.csv", INDICATOR, {"family": "table"}, "indicator, register"),
        ("drug.csv", "", {}, "an empty file"),
    ],
)
def test_what_cannot_be_drafted_is_refused_and_nothing_is_written(
    name: str, text: str, chosen: dict[str, str], message: str, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(OperatorError, match=message):
        sketch_form(written(tmp_path / name, text), settings, **chosen)
    assert list(settings.returns.iterdir()) == []


@pytest.mark.parametrize("row", NEWEST, ids=lambda row: row["file"])
def test_a_draft_of_a_demonstration_return_reads_as_many_lines_as_its_own_form(
    row: dict[str, str], settings: Settings
) -> None:
    file = DEMO / "returns" / row["partner_code"] / row["file"]
    family = "register" if row["form"] in REGISTERS else "indicator"
    _, form = drafted(file, settings, name="drafted", partner=row["partner_code"], family=family)
    assert len(lines_of(file, form)) == int(row["line_count"])
