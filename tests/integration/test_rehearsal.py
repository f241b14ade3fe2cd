"""A newcomer's first form, rehearsed: draft it from a sample, fill in what is open, check, send the blank form out.

The two samples are of kinds that no form of ours is: a workbook with quarters over parts, and a monthly csv by line.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from quarterday.blanks.template import make_template
from quarterday.contracts import load_form
from quarterday.loading import check_file
from quarterday.openplaces import open_places
from quarterday.reference import read_partners
from quarterday.settings import Settings
from quarterday.sketching.sketch import Sketch, sketch_form

PROJECT = Path(__file__).parents[2]
MEASURES = "dbt_project/seeds/measures.csv"
# What the engineer writes, by what the open place asks for.
ANSWERS = (
    ("what it means", "x"), ("working days", "20"), ("first day on which", "2017-04-01"),
    ("email address", "returns@partner.example"), ("area.s code", "pcc_area"), ("unit, such as", "count"),
    (r"one of plan_\d", None), (".", "people"),
)  # fmt: skip


def housing_workbook(folder: Path) -> Path:
    """Notes above, quarters merged over men and women, percentages among counts, marks, a total, a footnote."""
    book = openpyxl.Workbook()
    sheet = book["Sheet"]
    sheet.title = "Performance"
    for text in ("Threshold Homes: housing for people leaving prison, 2017/18", "Period: October to December 2017"):
        sheet.append([text])
    for row in (
        ["Issued: 22 January 2018"],
        [],
        ["Measure", "Q1 2017/18", None, "Q2 2017/18", None, "Q3 2017/18", None],
        [None, *["Men", "Women"] * 3],
        ["Places available", 42, 12, 42, 12, 44, 14],
        ["People housed within 28 days", 7, 2, 5, 1, 4, "n/a"],
        ["Licence compliance", 0.813, 0.9, 0.795, 0.857, 0.84, "n/a"],
        ["Total housed", 38, 10, 41, 11, 42, "n/a"],
        [],
        ["* Compliance is the share of tenants with no recall in the quarter."],
    ):
        sheet.append(row)
    for cells in ("A5:A6", "B5:C5", "D5:E5", "F5:G5"):
        sheet.merge_cells(cells)
    for cell in sheet[9][1:]:
        cell.number_format = "0.0%"
    book.save(folder / "Threshold Homes 2017-18 Q3.xlsx")
    return folder / "Threshold Homes 2017-18 Q3.xlsx"


def calls_csv(folder: Path) -> Path:
    """Month by line in Windows-1252, with thousands separators, percent and pound signs."""
    lines = ["Month,Line,Calls received,% answered in target,Average wait (secs),Cost (£)"]
    for month in ("Oct-17", "Nov-17", "Dec-17"):
        lines += [f'{month},101,"37,797",88.9%,38,"£98,490"', f'{month},999,"18,947",97.1%,9,"£129,377"']
    file = folder / "control_room_2017-18-Q3.csv"
    file.write_bytes("\r\n".join([*lines, ""]).encode("cp1252"))
    return file


@pytest.fixture
def newcomer(settings: Settings, tmp_path: Path) -> Settings:
    """A copy of what holds forms, in which nothing else may change."""
    project = tmp_path / "project"
    leave_out = shutil.ignore_patterns("target", "logs", "dbt_packages")
    for name in ("returns", "dbt_project", "expectations"):
        shutil.copytree(PROJECT / name, project / name, ignore=leave_out)
    return replace(settings, project=project)


def hashes(project: Path) -> dict[str, str]:
    return {
        str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.rglob("*")
        if path.is_file()
    }


def fill_in_draft(sketch: Sketch, settings: Settings) -> None:
    """Write over the open places, and copy the lines that the contract's end has for the two lists."""
    for path in sketch.folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for _, wanted in open_places(text):
            answer = next(answer for asked, answer in ANSWERS if re.search(asked, wanted))
            answer = answer or re.findall(r"plan_\w+\.\w+", wanted)[0]
            text = re.sub(r"'FILL IN: [^']*'", f"'{answer}'", text, count=1)
        path.write_text(text, encoding="utf-8")
    comment = (sketch.folder / "contract.odcs.yaml").read_text(encoding="utf-8").partition("\n# For ")[2]
    for line in re.findall(r"^#   (.+)$", comment, re.MULTILINE):
        is_measure = line.startswith(sketch.form + "_")
        target = settings.project / (MEASURES if is_measure else "returns/partners.csv")
        for asked, answer in (("true or false", "false"), ("higher", "no_direction"), ("sum", "none"), ("", "people")):
            line = re.sub(rf"<[^>]*{asked}[^>]*>", answer, line)
        target.write_text(target.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")


def fill_in_blank(path: Path) -> int:
    """Write a figure into every cell of a named row; return how many."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    first = int(str(sheet.freeze_panes)[1:])
    figures = [
        cell
        for row in sheet.iter_rows(min_row=first)
        for cell in row
        if row[0].value and cell.value is None and sheet.cell(first - 1, cell.column).value
    ]
    for cell in figures:
        cell.value = 5
    book.save(path)
    return len(figures)


def rename_heading(file: Path) -> None:
    book = openpyxl.load_workbook(file)
    book["Performance"]["F6"] = "Male"
    book.save(file)


def rename_line(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"Nov-17,999", b"Nov-17,998"))


@pytest.mark.parametrize(
    ("sample", "partner", "line_count", "figures", "damage", "told"),
    [
        (housing_workbook, "threshold_homes", 24, 8, rename_heading, "'[period] | Men'"),
        (calls_csv, "control_room", 24, 24, rename_line, "line 5, column 'Line'"),
    ],
)
def test_a_new_form_is_drafted_checked_and_sent_out_blank_by_its_folder_and_measures_alone(
    sample: Callable[[Path], Path], partner: str, line_count: int, figures: int, damage: Callable[[Path], None],
    told: str, newcomer: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    before, file = hashes(newcomer.project), sample(tmp_path)
    sketch = sketch_form(file, newcomer, partner=partner, family="indicator")
    fill_in_draft(sketch, newcomer)

    verdict, receipt = check_file(file, partner, newcomer)
    assert (verdict.is_admitted, verdict.line_count) == (True, line_count), receipt
    made = make_template(sketch.form, "2017-18-Q4", None, tmp_path, newcomer)
    assert fill_in_blank(made.path) == figures
    verdict, receipt = check_file(made.path, partner, newcomer)
    assert (verdict.is_admitted, verdict.line_count) == (True, figures), receipt
    damage(file)
    verdict, receipt = check_file(file, partner, newcomer)
    assert not verdict.is_admitted
    assert receipt.count(told) == 1

    with (newcomer.project / MEASURES).open(encoding="utf-8", newline="") as seed:
        listed = {row["measure_code"] for row in csv.DictReader(seed) if row["source_series"]}
    assert set(load_form(sketch.folder).contract.columns[0].measures) <= listed
    assert partner in read_partners(newcomer.returns)
    after = hashes(newcomer.project)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    own = {f"returns/{sketch.form}/contract.odcs.yaml", f"returns/{sketch.form}/layout.yml", "returns/partners.csv"}
    assert changed == {*own, MEASURES}
