"""Makes the demonstration returns from the figures, each in the shape its partner would send.

``figures/<form>.csv`` holds what stands in each file, ``expected.csv`` lists the files with their day of issue,
``shapes.yml`` says what each form's file looks like; the forms whose files are odder than that have a function here.
The same figures give the same bytes on every machine, because the ledger knows a file by its bytes.

    python demo/make_returns.py            writes demo/returns/<partner_code>/<file>
    python demo/make_returns.py FOLDER     writes there instead
"""

from __future__ import annotations

import csv
import io
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

# The same bytes whether or not lxml is there; openpyxl looks once, when it is imported.
os.environ["OPENPYXL_LXML"] = "False"

# ruff: noqa: E402
import yaml
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook
from openpyxl.styles import Font

HERE = Path(__file__).resolve().parent
Figures = dict[str, str]
Row = Sequence[str | int | float | None]

# What is left blank in a wide sheet because the partner doesn't count it that way.
NOT_RECORDED = "n/a"
FIRST_DAY_OF_ZIP = (1980, 1, 1, 0, 0, 0)
TIMESTAMP = re.compile(rb"(?<=>)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?(?=<)")


@dataclass(frozen=True)
class Return:
    """One file to make, as ``expected.csv`` lists it."""

    file: str
    partner_code: str
    form: str
    reporting_quarter: str
    issued_on: date

    @property
    def issued(self) -> str:
        """The day of issue as people write it, '23 April 2018'."""
        return f"{self.issued_on.day} {self.issued_on:%B %Y}"

    @property
    def issued_in_numbers(self) -> str:
        """The day of issue as '23/04/2018'."""
        return f"{self.issued_on:%d/%m/%Y}"


def main(target: Path = HERE / "returns") -> list[Path]:
    """Write every return below a folder and say where; return the paths."""
    paths = write_returns(target)
    print(f"{len(paths)} returns written below {target}")
    return paths


def write_returns(target: Path) -> list[Path]:
    """Write ``<target>/<partner_code>/<file>`` for every return of ``expected.csv``; return the paths in its order."""
    paths = []
    for due in listed_returns():
        path = target / due.partner_code / due.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_of(due))
        paths.append(path)
    return paths


def listed_returns() -> list[Return]:
    """Return what ``expected.csv`` lists, in its order."""
    return [
        Return(
            row["file"],
            row["partner_code"],
            row["form"],
            row["reporting_quarter"],
            date.fromisoformat(row["issued_on"]),
        )
        for row in read_figures("../expected")
    ]


def content_of(due: Return) -> bytes:
    """Return the bytes of one return."""
    # A partner's copy of a file is the same file under another name.
    name = due.file.replace(" (copy)", "")
    figures = [row for row in read_figures(due.form) if row["file"] == name]
    if not figures:
        raise ValueError(f"demo/figures/{due.form}.csv: no line for the file '{name}' of demo/expected.csv.")
    return MAKERS.get(due.form, shaped)(due, figures)


def read_figures(form: str) -> list[Figures]:
    """Return the lines of ``figures/<form>.csv``."""
    with (HERE / "figures" / f"{form}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---- forms that shapes.yml describes ----


def shaped(due: Return, figures: list[Figures]) -> bytes:
    """A file as ``shapes.yml`` describes it: rows above, a heading row, the figures, rows below."""
    if due.form not in shapes():
        raise ValueError(f"demo/shapes.yml: nothing is said of the form '{due.form}'.")
    shape = shapes()[due.form]
    said = {**figures[0], "issued": due.issued, "issued_day": due.issued_on.isoformat()}
    said["issued_in_numbers"] = due.issued_in_numbers

    def filled(rows: list[list[str]]) -> list[Row]:
        return [[cell.format(**said) for cell in row] for row in rows]

    header, body = listed(shape, figures, said) if "across" not in shape else spread(shape, figures)
    rows = [*filled(shape.get("above", [])), header, *body, *filled(shape.get("below", []))]
    if shape["file"] == "csv":
        return text_file(rows, shape.get("encoding", "utf-8"), shape.get("delimiter", ","), shape.get("line_end", "\n"))
    write = {"xlsx": workbook, "ods": open_document}[shape["file"]]
    return write({shape["sheet"].format(**said): rows})


def listed(shape: dict[str, Any], figures: list[Figures], said: Figures) -> tuple[Row, list[Row]]:
    """Return headings and a row per figure; ``{issued}`` and its like are the same in every row."""
    return list(shape["columns"]), [
        [number_or_text(field.format(**said) if "{" in field else row[field]) for field in shape["columns"].values()]
        for row in figures
    ]


def spread(shape: dict[str, Any], figures: list[Figures]) -> tuple[Row, list[Row]]:
    """Return headings and a row per thing, with a column per value of the field ``across``."""
    fields, across = list(shape["columns"].values()), shape["across"]
    headings = in_order(row[across] for row in figures)
    cells = {(*(row[field] for field in fields), row[across]): row["value"] for row in figures}
    things = dict.fromkeys(tuple(row[field] for field in fields) for row in figures)
    missing = shape.get("missing", NOT_RECORDED)
    return [*shape["columns"], *headings], [
        [*thing, *(number_or_text(cells.get((*thing, heading), missing)) for heading in headings)] for thing in things
    ]


@cache
def shapes() -> dict[str, dict[str, Any]]:
    """Return ``shapes.yml``: a shape per form."""
    return yaml.safe_load((HERE / "shapes.yml").read_text(encoding="utf-8")) or {}


# ---- forms with a maker of their own ----


def victim_gateway(due: Return, figures: list[Figures]) -> bytes:
    """A workbook: title and notes, then measures down and levels of need across."""
    levels = ("Enhanced", "Standard", "All victims")
    first = figures[0]
    above: list[Row] = [
        ["Staffordshire Victim Gateway: return to the Commissioner"],
        ["Organisation", "Citizens Advice"],
        ["Period", first["period"]],
        ["Issued", due.issued],
        ["n/a: not recorded at this level of need. Levels are those of the Victims Code."],
        [],
    ]
    body = pivot(figures, "measure", "need_level", levels, missing=NOT_RECORDED)
    guidance: list[Row] = [
        ["How to fill in this form"],
        ["One sheet per quarter. Send the workbook within 20 working days."],
    ]
    return workbook({first["sheet"]: [*above, ["Measure", *levels], *body], "Guidance": guidance})


def business_crime_advisor(due: Return, figures: list[Figures]) -> bytes:
    """A csv from a Windows system, with a title above the header."""
    above: list[Row] = [["Business Crime Advisor – return to the Commissioner"], [f"Issued: {due.issued}"], []]
    header = ["Indicator", "Period", "Figure", "Charge to business"]
    body = columns(figures, "measure", "period", "value", "charge")
    return text_file([*above, header, *body], encoding="cp1252", line_end="\r\n")


def restorative_justice_hub(due: Return, figures: list[Figures]) -> bytes:
    """A long csv, one number a line, as a system exports it."""
    header = ["Quarter", "Measure", "Area", figures[0]["count_heading"], "Issued on"]
    body = [[*line, due.issued_on.isoformat()] for line in columns(figures, "quarter", "measure", "area", "count")]
    return text_file([header, *body])


def first_time_entrants(due: Return, figures: list[Figures]) -> bytes:
    """Staffordshire's workbook, wide by quarter, or Stoke-on-Trent's csv under other headings."""
    make = entrants_of_staffordshire if due.partner_code == "yos_staffordshire" else entrants_of_stoke
    return make(due, figures)


def entrants_of_staffordshire(due: Return, figures: list[Figures]) -> bytes:
    """A workbook with a column per period, and the service's own colour at the end."""
    periods = in_order(row["period"] for row in figures)
    rag = [row["declared_rag"] for row in figures if row["declared_rag"]]
    above: list[Row] = [
        ["First time entrants to the youth justice system"],
        ["Service", "Staffordshire Youth Offending Service"],
        ["Issued", due.issued],
        [],
    ]
    header = ["Authority", *periods, *(["RAG"] if rag else [])]
    body = [[*line, *rag] for line in pivot(figures, "area", "period", periods)]
    below: list[Row] = [[], ["Notes: n/a is a quarter or year that is not over."]]
    return workbook({"FTE by quarter": [*above, header, *body, *below]})


def entrants_of_stoke(due: Return, figures: list[Figures]) -> bytes:
    """A csv with a line per period."""
    is_rated = any(row["declared_rag"] for row in figures)
    fields = ["period", "value", *(["declared_rag"] if is_rated else [])]
    header = ["When", "Young people new to the system", *(["Own rating"] if is_rated else [])]
    return text_file([[f"Issued {due.issued_in_numbers}"], header, *columns(figures, *fields)])


def proven_reoffending(due: Return, figures: list[Figures]) -> bytes:
    """An OpenDocument table: measures and areas down, cohorts across, the measure on its first line only."""
    cohorts = in_order(row["cohort"] for row in figures)
    table: list[Row] = [["Proven reoffending within one year"], [f"Published: {due.issued}"], []]
    table.append(["Measure", "Authority", *cohorts])
    for measure in in_order(row["measure"] for row in figures):
        lines = pivot([row for row in figures if row["measure"] == measure], "area", "cohort", cohorts)
        table += [[measure if number == 0 else None, *line] for number, line in enumerate(lines)]
    table.append(["Notes: n/a until two years after the cohort."])
    return open_document({"Rates": table})


def space_programme(due: Return, figures: list[Figures]) -> bytes:
    """A workbook per season."""
    above: list[Row] = [["Space programme"], ["Season", figures[0]["season"]], ["Issued", due.issued], []]
    body = [[row["measure"], row["period"] or None, number_or_text(row["value"]), row["status"]] for row in figures]
    return workbook({"Season": [*above, ["Measure", "Period", "Figure", "Status"], *body]})


def reducing_offending_action_plan(due: Return, figures: list[Figures]) -> bytes:
    """A workbook with the actions, and the overview as printed on a second sheet."""
    year, quarter = due.reporting_quarter[:7].replace("-", "/"), due.reporting_quarter[-1]
    above: list[Row] = [
        ["Strategic framework for reducing offending: action plan"],
        ["Report", f"Quarter {quarter} {year}"],
        ["Issued", due.issued],
        [],
    ]
    headings = ("No", "Theme", "Ref", "Action", "Lead", "Term", "Carried forward", "Due", "RAG")
    header = [*headings, "Evidence given", "Evidence"]
    body = [[number_or_text(value) for value in row] for row in as_listed(figures)]
    return workbook({"Action plan": [*above, header, *body], "Overview": overview()})


def overview() -> list[Row]:
    """The printed matrix of actions by theme, term and colour."""
    terms = ["Overall status", *("Short-term 2015/16", None, None, None), *("Medium-term 2016/17", None, None, None)]
    colours = ["Current status", *("R", "A", "G", "W") * 3]
    body = [[number_or_text(value) for value in row.values()] for row in read_figures("action_overview")]
    return [[*terms, "Long-term 2017/18"], colours, *body]


def budget_outturn(due: Return, figures: list[Figures]) -> bytes:
    """A csv in thousands of pounds, overspends in brackets."""
    money = ["Budget £'000", "Outturn £'000", "Variance £'000", "Variance %"]
    return text_file([["Body", "Budget line", "Financial year", "Status", *money], *as_listed(figures)])


def community_fund_awards(due: Return, figures: list[Figures]) -> bytes:
    """A csv with a line per fund, year and round, marked as UTF-8 the way spreadsheets do."""
    money = ["Made available (£)", "Awarded (£)", "Awards", "Status"]
    header = ["Fund", "Year", "Round", "Rounds in the year", *money]
    return text_file([header, *as_listed(figures)], encoding="utf-8-sig")


def custody_visiting(due: Return, figures: list[Figures]) -> bytes:
    """A csv of one year."""
    body = [[*line, due.issued_in_numbers] for line in columns(figures, "period", "measure", "value")]
    return text_file([["Financial year", "Indicator", "Number", "Report date"], *body])


def smart_alert(due: Return, figures: list[Figures]) -> bytes:
    """A csv with semicolons."""
    body = [[*line, due.issued_on.isoformat()] for line in columns(figures, "measure", "period", "value")]
    return text_file([["Metric", "Period", "Count", "Issued"], *body], delimiter=";")


def police_cadets(due: Return, figures: list[Figures]) -> bytes:
    """A csv of head counts."""
    body = [[*line, due.issued] for line in columns(figures, "measure", "group", "area", "period", "value")]
    return text_file([["Measure", "Group", "Area", "Period", "Count", "Issued"], *body])


MAKERS: dict[str, Callable[[Return, list[Figures]], bytes]] = {
    make.__name__: make
    for make in (
        victim_gateway,
        business_crime_advisor,
        restorative_justice_hub,
        first_time_entrants,
        proven_reoffending,
        space_programme,
        reducing_offending_action_plan,
        budget_outturn,
        community_fund_awards,
        custody_visiting,
        smart_alert,
        police_cadets,
    )
}


# ---- shaping ----


def columns(figures: list[Figures], *names: str) -> list[list[str]]:
    """Return the named columns, a row per figure."""
    return [[row[name] for name in names] for row in figures]


def as_listed(figures: list[Figures]) -> list[list[str]]:
    """Return every column but the file's name, a row per figure."""
    return columns(figures, *[name for name in figures[0] if name != "file"])


def in_order(values: Iterable[str]) -> list[str]:
    """Return each value once, in the order of its first appearance."""
    return list(dict.fromkeys(values))


def pivot(figures: list[Figures], down: str, across: str, headings: Sequence[str], missing: str = "") -> list[Row]:
    """Return a row per value of ``down``: the value, then the figure under each heading of ``across``."""
    cells = {(row[down], row[across]): row["value"] for row in figures}
    return [
        [label, *(number_or_text(cells.get((label, heading), missing)) for heading in headings)]
        for label in in_order(row[down] for row in figures)
    ]


def number_or_text(value: str) -> str | int | None:
    """Return a whole number as a number, as a spreadsheet holds it, a blank as nothing, and anything else as it is."""
    return int(value) if value.isdecimal() else value or None


# ---- writing ----


def text_file(rows: Sequence[Row], encoding: str = "utf-8", delimiter: str = ",", line_end: str = "\n") -> bytes:
    """Return rows as a csv file."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return buffer.getvalue().encode(encoding)


def workbook(sheets: dict[str, list[Row]]) -> bytes:
    """Return sheets as an xlsx file; the title is bold."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet["A1"].font = Font(bold=True)
        sheet.column_dimensions["A"].width = 40
    buffer = io.BytesIO()
    book.save(buffer)
    return without_clock(buffer.getvalue())


def open_document(sheets: dict[str, list[Row]]) -> bytes:
    """Return sheets as an ods file; every cell is text."""
    document = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for value in row or [None]:
                line.addElement(text_cell(value))
            table.addElement(line)
        document.spreadsheet.addElement(table)
    buffer = io.BytesIO()
    document.write(buffer)
    return without_clock(buffer.getvalue())


def text_cell(value: str | int | float | None) -> TableCell:
    """Return a cell of an OpenDocument table."""
    if value is None:
        return TableCell()
    cell = TableCell(valuetype="string")
    cell.addElement(P(text=str(value)))
    return cell


def without_clock(packed: bytes) -> bytes:
    """Return a zipped document without times and without compression, so that the same content has the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            content = TIMESTAMP.sub(b"2000-01-01T00:00:00Z", source.read(name))
            target.writestr(zipfile.ZipInfo(name, FIRST_DAY_OF_ZIP), content)
    return buffer.getvalue()


if __name__ == "__main__":
    main(*[Path(argument) for argument in sys.argv[1:2]])
