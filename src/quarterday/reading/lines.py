"""Reads a return's lines by its edition, and holds what it says of itself against its file name and folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property
from itertools import compress, islice
from pathlib import Path
from typing import TYPE_CHECKING

from quarterday.calendar import FinancialQuarter, Period, parse_date, parse_period
from quarterday.contracts import Form
from quarterday.errors import HIDDEN, Finding, ReturnDoesNotFitForm, ReturnIsUnreadable
from quarterday.layouts import Edition, Source, Statement, code_for
from quarterday.reading.files import is_workbook, read_grid
from quarterday.reading.fitting import REMEDY, Fit, WideColumn, choose_sheets, fit_sheet
from quarterday.reading.grids import BLOCK_ROWS, Row, is_filled, text_columns, texts_of
from quarterday.reading.places import Found, search_sheet
from quarterday.wording import is_like, mark_key, matching, plain

if TYPE_CHECKING:
    from quarterday.identifying import Identity

QUARTER_REMEDY = (
    "If the file is of another quarter, give it that quarter's name; if the figures are, put the right ones in. "
    "Send it again."
)
FOLDER_REMEDY = "Put the file into the folder of the partner it is from, or mend the name on the form."
MOST_FINDINGS = 200
_FIGURE = re.compile(r"\s*[-\u2212(]?£?\d[\d,.]*\)?%?\s*")

# Lines by landing columns: a column of texts for each, all of one length, in which '' is blank.
Block = list[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line to land. ``cells`` are by landing column, without ``load_id``; every one is text as sent, or None."""

    sheet: str | None
    line_number: int
    cells: dict[str, str | None]
    column_number: int | None = None
    column_name: str | None = None


def read_return(path: Path, form: Form, identity: Identity) -> Iterator[Line]:
    """Yield a return's lines in the order of the file.

    Args:
        path: The file.
        form: The form that it is.
        identity: What :func:`quarterday.identifying.identify` told of it.

    Raises:
        ReturnIsUnreadable: The file can't be opened, or a csv is damaged further down.
        ReturnDoesNotFitForm: With every finding: of sheets and headings before the first line; of quarters, partners
            and stray cells after the last one, so whoever takes the lines must be able to take them back.
    """
    return _Return(Path(path), form, identity).lines()


def read_blocks(path: Path, form: Form, identity: Identity, columns: Sequence[str]) -> Iterator[Block]:
    """Yield the same lines as :func:`read_return` by blocks, each a column of texts per landing column; blank is ''.

    Raises:
        As :func:`read_return` does.
    """
    return _Return(Path(path), form, identity).blocks(columns)


@dataclass(frozen=True)
class PlainCsv:
    """A csv of which every record is a line and every column, in order, a column of the form."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]


def plain_csv(path: Path, form: Form, identity: Identity) -> PlainCsv | None:
    """Return how a return can be copied as it stands; None where there is something to leave out, fill in or compare.

    Raises:
        ReturnIsUnreadable: The file can't be opened.
        ReturnDoesNotFitForm: With every finding about headings.
    """
    edition = form.layout.edition(identity.edition)
    asks_for_more = (edition.tables, edition.says, edition.values, edition.header_rows > 1)
    if form.is_indicator or _chooses_lines(edition) or any(asks_for_more) or is_workbook(path):
        return None
    whole = _Return(Path(path), form, identity)
    fits = [reading.fit for reading in whole.open()]
    if whole.findings or fits[0].sheet.csv is None or fits[0].header_line != 1:
        return None
    columns = fits[0].columns
    names = [columns[index].field if index in columns else "ignore" for index in range(len(fits[0].headings))]
    is_plain = "ignore" not in names and len(set(names)) == len(names)
    return PlainCsv(*fits[0].sheet.csv, tuple(names)) if is_plain else None


def _chooses_lines(edition: Edition) -> bool:
    """Say whether a row must be looked at to know if it is a line, and what of the rows above holds for it."""
    return any((edition.fill_down, edition.titles, edition.line_if_filled, edition.stop_at, edition.skip_lines))


@dataclass
class _Return:
    """One return while it is read; gathers what is found wrong."""

    path: Path
    form: Form
    identity: Identity
    findings: dict[tuple[object, ...], Finding] = field(default_factory=dict)
    ends_in_quarter: bool = False
    latest: tuple[Period, Found] | None = None

    @cached_property
    def edition(self) -> Edition:
        return self.form.layout.edition(self.identity.edition)

    @cached_property
    def quarter(self) -> FinancialQuarter:
        return FinancialQuarter.parse(self.identity.reporting_quarter)

    def check_id(self, number: int) -> str:
        return f"{self.form.contract.check_prefix}-{number:03d}"

    def find(self, key: tuple[object, ...], finding: Finding) -> None:
        """Keep a finding once per key, so that a fault in every line is told once, where it is first seen."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.setdefault(key, finding)

    def fits(self) -> tuple[list[Fit], list[Finding]]:
        """Return how each sheet fits, and every finding about sheets and headings."""
        grid = read_grid(self.path, self.edition.encoding, self.edition.delimiter, self.check_id(1))
        sheets, findings = choose_sheets(grid, self.edition, self.check_id(2))
        fits = []
        for sheet, table in sheets:
            fit, faults = fit_sheet(sheet, table, self.check_id(2))
            # Without its headings the first row is one of lines, and may be about a person.
            findings += [self.without_person(fault) for fault in faults] if fit is None else faults
            fits += [fit] if fit else []
        return fits, findings

    def lines(self) -> Iterator[Line]:
        readings = self.open()
        count = 0
        for reading in readings:
            for line in reading.lines():
                count += 1
                yield line
        self.close(readings, count)

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        readings = self.open()
        count = 0
        for reading in readings:
            for block in reading.blocks(columns):
                count += len(block[0])
                yield block
        self.close(readings, count)

    def close(self, readings: list[_SheetReading], count: int) -> None:
        """Find fault with a return that has too little in it, and reject it for all that was found."""
        if count == 0:
            expected = "at least one line below the headings"
            finding = Finding(self.check_id(5), expected, None, "Fill the form in, and send it again.")
            self.find(("no lines",), finding)
        elif any(reading.edition.period_ends == "by_the_quarter" for reading in readings) and not self.ends_in_quarter:
            self.find_nothing_new()
        self.reject_if_faulty([])

    def open(self) -> list[_SheetReading]:
        """Return the sheets, ready to be read, when their headings fit.

        Raises:
            ReturnDoesNotFitForm: They don't. What the sheets say of themselves is held against the return first, so
            that all is told at once.
        """
        self.check_issued()
        fits, faults = self.fits()
        readings = [_SheetReading(self, fit) for fit in fits]
        for reading in readings:
            reading.check_statements()
        if faults:
            self.reject_if_faulty(faults)
        return readings

    def reject_if_faulty(self, faults: list[Finding]) -> None:
        findings = [*faults, *(self.masked(finding) for finding in self.findings.values())]
        if findings:
            raise ReturnDoesNotFitForm(self.path.name, findings)

    @cached_property
    def personal_fields(self) -> frozenset[str]:
        """What a column can be that the contract says is about a person."""
        names = [column.name for column in self.form.contract.columns if column.personal]
        return frozenset(part for name in names for part in (name, name.removesuffix("_code")))

    def masked(self, finding: Finding) -> Finding:
        """Return a finding without what it found, where that stood in a personal column."""
        tables = self.edition.tables or (self.edition,)
        personal = [rule for table in tables for rule in table.columns if rule.field in self.personal_fields]
        # A column that is told by its place may have any heading.
        is_personal = any(rule.place is not None or rule.claims(finding.column or "") for rule in personal)
        return self.without_person(finding) if is_personal else finding

    def without_person(self, finding: Finding) -> Finding:
        """Return a finding without what it found, where the form has anything personal in it."""
        return replace(finding, found=HIDDEN) if self.personal_fields and finding.found else finding

    def check_issued(self) -> None:
        """Find fault with a day of issue that is written but is no date; identify took it for not given."""
        source = self.form.layout.issued
        if source and source.origin == "file_name" and self.identity.issued_on is None:
            text = source.search(self.path.name)
            if text:
                self.find_no_date(Found(text))
        if self.identity.issued_on and self.identity.issued_on > date.today():
            self.find_future_date()

    def find_future_date(self) -> None:
        """Find fault with a day of issue to come: the figures would stand above every later return."""
        source = self.form.layout.issued
        found = None
        if source and source.origin == "file_name":
            text = source.search(self.path.name)
            found = Found(text) if text else None
        elif source:
            grid = read_grid(self.path, self.edition.encoding, self.edition.delimiter, self.check_id(1))
            found = next((place for sheet in grid if (place := search_sheet(source, sheet))), None)
        self.find_no_date(found or Found(str(self.identity.issued_on)), "a day of issue not after today")

    def find_no_date(self, found: Found, expected: str = "the day of issue, written as 23/01/2018") -> None:
        finding = Finding(
            self.check_id(2),
            expected,
            found.text,
            "Mend the date, and send the file again.",
            found.sheet,
            found.line,
            found.column,
        )
        self.find(("issued", found.text), finding)

    def find_nothing_new(self) -> None:
        origin = self.form.layout.quarter.origin.replace("_", " ")
        expected = f"at least one figure of {self.quarter.label}, as the {origin} says"
        period, place = self.latest or (None, Found(""))
        found = f"figures up to {_shown(period)}" if period else "no period that can be read"
        finding = Finding(self.check_id(3), expected, found, QUARTER_REMEDY, place.sheet, place.line, place.column)
        self.find(("nothing new",), finding)


class _SheetReading:
    """One sheet while its lines are read."""

    def __init__(self, whole: _Return, fit: Fit) -> None:
        self.whole, self.fit, self.edition = whole, fit, fit.edition
        self.sheet = fit.sheet
        self.labels = self.edition.labels
        self.codes = {column.name: column.allowed_values for column in whole.form.contract.columns}
        self.known: dict[tuple[str, str | None], str | None] = {}
        self.periods: dict[str, Period | None] = {}
        self.filled: dict[int, tuple[str | None, str | None]] = {}
        self.standings: dict[tuple[str, str], int] = {}
        columns = self.columns_by_field()
        self.by_field = {name: indexes[0] for name, indexes in columns.items()}
        self.instead = [indexes for name, indexes in columns.items() if len(indexes) > 1 and name != "ignore"]
        self.down = self.fill_down_columns()
        self.needed = [index for index, heading in enumerate(fit.headings) if heading and self.is_needed(heading)]
        self.titles = sorted(self.edition.titles, key=lambda title: not title.like)
        self.bare = self.bare_columns()
        self.own_label = _shown(whole.identity.period)
        self.given = {key: self.given_text(value) for key, value in self.edition.values.items()}
        self.sides = self.side_columns()

    def columns_by_field(self) -> dict[str, list[int]]:
        """Return where each field stands, in the order of the layout: where one is blank, the next one counts."""
        order = {id(rule): position for position, rule in enumerate(self.edition.columns)}
        columns: dict[str, list[int]] = {}
        for index, rule in sorted(self.fit.columns.items(), key=lambda item: order[id(item[1])]):
            columns.setdefault(rule.field, []).append(index)
        return columns

    def fill_down_columns(self) -> list[tuple[int, int | None]]:
        """Return the columns to fill down, each with the one that it goes with."""
        places = {rule.heading: index for index, rule in self.fit.columns.items()}
        wanted = self.edition.fill_down.items()
        return [(places[heading], places.get(within or "")) for heading, within in wanted if heading in places]

    def is_needed(self, heading: str) -> bool:
        return matching(heading, self.edition.line_if_filled) is not None

    # What stands above and beside the lines.

    def given_text(self, value: str | Source) -> str | None:
        if isinstance(value, str):
            return value
        found = self.find_source(value)
        return found.text if found else None

    def find_source(self, source: Source) -> Found | None:
        if source.origin in ("file_name", "fixed"):
            text = source.search(self.whole.path.name)
            return Found(text) if text else None
        if source.origin == "column":
            return search_sheet(source, self.sheet)
        return search_sheet(source, self.sheet, self.above())

    def above(self) -> Iterator[Row]:
        for line, cells in self.sheet.rows():
            if line >= self.fit.first_header_line:
                return
            yield line, cells

    def own_period(self) -> Period:
        """Return the period that the sheet is about: its own where its name gives one, or else the return's."""
        source = self.edition.values.get("period")
        if isinstance(source, Source) and source.origin == "sheet":
            return self.period(self.given.get("period")) or self.whole.identity.period
        return self.whole.identity.period

    # What the sheet says of itself.

    def check_statements(self) -> None:
        issued = self.whole.form.layout.issued
        if issued and issued.origin != "file_name" and self.whole.identity.issued_on is None:
            found = self.find_source(issued)
            if found:
                self.whole.find_no_date(found)
        for statement in self.edition.says:
            if statement.source.origin == "column":
                continue  # held against every line, see check_line
            found = self.find_source(statement.source)
            if found:
                self.check_statement(statement, found)
            elif not statement.optional:
                self.find_no_statement(statement)

    def check_statement(self, statement: Statement, found: Found) -> None:
        if statement.about == "partner":
            self.check_partner(found)
        else:
            self.check_quarter(found, statement.source.type)

    def find_no_statement(self, statement: Statement) -> None:
        wanted = "the name of the organisation" if statement.about == "partner" else f"the period, {self.own_period()}"
        finding = Finding(
            self.whole.check_id(2), f"{wanted}, in a cell above the headings", None, REMEDY, self.sheet.name
        )
        self.whole.find(("no statement", statement.about, self.sheet.name), finding)

    def check_partner(self, found: Found) -> None:
        partners = self.whole.form.contract.partners
        code = code_for(found.text, self.labels.get("partners", {}), partners)
        if code != self.whole.identity.partner_code:
            expected = f"the partner of the folder, {self.whole.identity.partner_code}"
            finding = Finding(
                self.whole.check_id(4), expected, found.text, FOLDER_REMEDY, found.sheet, found.line, found.column
            )
            self.whole.find(("partner", found.sheet, plain(found.text)), finding)

    def check_quarter(self, found: Found, hint: str | None) -> None:
        expected = self.own_period()
        period = self.period(found.text, hint)
        same_kind = period is not None and period.type == expected.type
        if period is None or (period != expected if same_kind else period.quarter != expected.quarter):
            says = f"{_shown(expected)}, as the {self.authority()} says"
            finding = Finding(
                self.whole.check_id(3), says, found.text, QUARTER_REMEDY, found.sheet, found.line, found.column
            )
            self.whole.find(("quarter", found.sheet, plain(found.text)), finding)

    def authority(self) -> str:
        source = self.edition.values.get("period")
        if isinstance(source, Source) and source.origin == "sheet":
            return "sheet's name"
        return self.whole.form.layout.quarter.origin.replace("_", " ")

    # The lines.

    def lines(self) -> Iterator[Line]:
        yield from self.lines_of(self.sheet.rows())
        self.check_standings()

    def lines_of(self, rows: Iterable[Row]) -> Iterator[Line]:
        read = self.indicator_lines if self.whole.form.is_indicator else self.register_lines
        for line, cells in self.rows(rows):
            self.check_line(line, cells)
            yield from read(line, cells)

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield the lines by blocks: as whole columns where a line is no more than the cells of its row."""
        blocks = None if self.asks_for_rows() else self.sheet.blocks(self.fit.header_line)
        if blocks is None:
            yield from _blocks_of(self.lines(), columns)
            return
        for first, rows in blocks:
            texts = text_columns(rows, len(self.fit.headings))
            strays = [*self.bare, *range(len(self.fit.headings), len(texts))]
            if any(is_filled(texts[index]) for index in strays):  # found fault with line by line
                lines = self.lines_of(enumerate(map(texts_of, rows), start=first))
                yield from _blocks_of(lines, columns)
            else:
                yield from self.block(first, len(rows), texts, columns)

    def asks_for_rows(self) -> bool:
        """Say whether more has to be done with a row than to take its cells."""
        says = any(statement.source.origin == "column" for statement in self.edition.says)
        return bool(self.whole.form.is_indicator or self.instead or says or _chooses_lines(self.edition))

    def block(self, first: int, count: int, texts: list[Sequence[str]], columns: Sequence[str]) -> Iterator[Block]:
        """Yield the block of some rows' columns without those rows that are blank, if any is left."""
        lines: Sequence[int] = range(first, first + count)
        # Nearly always a column is filled in every row, and no row need be looked at.
        if not any(all(map(str.strip, column)) for column in texts):
            kept = [any(map(str.strip, row)) for row in zip(*texts, strict=True)]
            lines, texts = list(compress(lines, kept)), [list(compress(column, kept)) for column in texts]
        if not lines:
            return
        fields: dict[str, Sequence[str]] = {
            "sheet": [self.sheet.name or ""] * len(lines),
            "line_number": list(map(str, lines)),
            **{name: [text or ""] * len(lines) for name, text in self.given.items()},
            **{name: texts[index] for name, index in self.by_field.items() if name != "ignore"},
        }
        blank = [""] * len(lines)
        yield [fields.get(name, blank) for name in columns]

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows below the header that are lines of the form, with blanks filled down where the layout asks."""
        width, is_csv = len(self.fit.headings), self.sheet.name is None
        rows = iter(rows)
        for line, cells in rows:
            if line <= self.fit.header_line:
                continue
            first = next((cell for cell in cells if cell and cell.strip()), None)
            if first is None or is_like(first, self.edition.skip_lines):
                continue
            if is_like(first, self.edition.stop_at):
                self.check_below(first.strip(), rows)
                return
            if is_csv and len(cells) != width:
                self.check_width(line, cells, width)
            row = [*cells, *[None] * (width - len(cells))]
            if self.is_line(row):
                yield line, self.fill_down(row)

    def check_below(self, notes: str, rows: Iterator[Row]) -> None:
        """Find fault with what looks like a line below the row from which everything is left out."""
        named = [index for index, heading in enumerate(self.fit.headings) if heading]
        try:
            for line, cells in rows:
                filled = [text for index in named if index < len(cells) and (text := (cells[index] or "").strip())]
                if len(filled) < max(2, len(named) * 3 / 4) or not any(map(_FIGURE.fullmatch, filled[1:])):
                    continue
                remedy = f"Put the lines above '{notes}' and send it again, or take the figures out of the notes."
                found, expected = " | ".join(filled)[:200], f"nothing but notes below '{notes}'"
                finding = Finding(self.whole.check_id(2), expected, found, remedy, self.sheet.name, line)
                self.whole.find(("below", self.sheet.name), self.whole.without_person(finding))
                return
        except ReturnIsUnreadable:
            return  # notes in a csv need not be records

    def is_line(self, cells: list[str | None]) -> bool:
        """Take in what a title says of the lines below it, and return whether the row is a line."""
        is_title = bool(self.titles) and self.take_title(cells)
        if self.edition.line_if_filled:
            return any((cells[index] or "").strip() for index in self.needed)
        return not is_title

    def take_title(self, cells: list[str | None]) -> bool:
        for title in self.titles:
            if text := title.claims(cells):
                self.given[title.field] = text
                for inner in self.edition.titles[self.edition.titles.index(title) + 1 :]:
                    if inner.field != title.field:
                        self.given[inner.field] = None
                return True
        return False

    def fill_down(self, cells: list[str | None]) -> list[str | None]:
        for index, within in self.down:
            beside = cells[within] if within is not None else None
            if cells[index] and str(cells[index]).strip():
                self.filled[index] = cells[index], beside
            text, beside_then = self.filled.get(index, (None, None))
            cells[index] = text if beside == beside_then else None
        for first, *others in self.instead:
            if not (cells[first] or "").strip():
                cells[first] = next((cells[index] for index in others if (cells[index] or "").strip()), None)
        return cells

    def check_width(self, line: int, cells: list[str | None], width: int) -> None:
        if len(cells) > width and not any(cell and cell.strip() for cell in cells[width:]):
            return
        finding = Finding(
            self.whole.check_id(2),
            f"{width} fields, one under each heading",
            f"{len(cells)}",
            "Look for a delimiter too many or too few, or for a file that was cut off, and send it again.",
            line=line,
        )
        self.whole.find(("width", line), finding)

    def bare_columns(self) -> set[int]:
        placed = self.fit.columns
        return {index for index, heading in enumerate(self.fit.headings) if not heading and index not in placed}

    def check_line(self, line: int, cells: list[str | None]) -> None:
        """Find fault with cells under no heading, and with a period or partner in a column that is not the return's."""
        for index in (*self.bare, *range(len(self.fit.headings), len(cells))):
            if cells[index] and str(cells[index]).strip():
                finding = Finding(
                    self.whole.check_id(2),
                    "nothing where there is no heading",
                    cells[index],
                    REMEDY,
                    self.sheet.name,
                    line,
                    self.fit.heading(index),
                )
                # What slipped out of its column may come from any, so also from a personal one.
                self.whole.find(("no heading", self.sheet.name, index), self.whole.without_person(finding))
        for statement in self.edition.says:
            if statement.source.origin == "column":
                self.check_cell(statement, line, cells)

    def check_cell(self, statement: Statement, line: int, cells: list[str | None]) -> None:
        for index, heading in enumerate(self.fit.headings):
            if (
                heading
                and matching(heading, (statement.source.heading or "",))
                and (cell := cells[index])
                and cell.strip()
            ):
                text = statement.source.search(cell)
                if text:
                    self.check_statement(statement, Found(text, self.sheet.name, line, heading))

    def register_lines(self, line: int, cells: list[str | None]) -> Iterator[Line]:
        landed: dict[str, str | None] = {"sheet": self.sheet.name, "line_number": str(line), **self.given}
        for name, index in self.by_field.items():
            if name != "ignore":
                landed[name] = cells[index]
        yield Line(self.sheet.name, line, landed)

    def indicator_lines(self, line: int, cells: list[str | None]) -> Iterator[Line]:
        row = {**self.given, **{name: cells[index] for name, index in self.by_field.items() if name != "ignore"}}
        if self.edition.repeated:
            self.note_standings(row)
        if "value" in self.by_field:
            yield self.line(line, self.by_field["value"], row, {})
        for column in self.fit.wide:
            value = cells[column.index]
            is_blank = not (value and value.strip())
            if column.rule.role != "value" or (is_blank and column.rule.leave_out_blank):
                continue
            beside = {role: cells[index] for role, index in self.sides.get(column.index, {}).items()}
            yield self.line(line, column.index, {**row, "value": value, **beside}, column.texts)

    def line(self, line: int, index: int, row: Mapping[str, str | None], said: Mapping[str, str]) -> Line:
        """Make the line of one value from its row and from what its own heading says."""
        heading = self.fit.heading(index)
        cells: dict[str, str | None] = {
            "sheet": self.sheet.name,
            "line_number": str(line),
            "column_number": str(index + 1),
            "column_name": heading,
            **{name: row.get(name) for name in ("value", "numerator", "denominator", "note")},
        }
        for name in ("measure", "breakdown", "area"):
            label = said.get(name) or _or_none(row.get(name))
            cells[f"{name}_label"], cells[f"{name}_code"] = label, self.code(name, label)
        label, period = self.period_of(row, said)
        cells |= {"period_label": label, "period_type": None, "period_start": None, "period_end": None}
        if period:
            cells |= _dates(period)
            self.check_period(period, label, line, heading, row.get("value"))
        status, rag = said.get("status") or _or_none(row.get("status")), _or_none(row.get("declared_rag"))
        cells["status"] = self.label("statuses", status, str.lower)
        cells["declared_rag"] = self.label("rags", rag, str.upper)
        return Line(self.sheet.name, line, cells, index + 1, heading)

    # What labels mean.

    def note_standings(self, row: Mapping[str, str | None]) -> None:
        """Give a label that stands for several things the code of this time that it stands in the sheet."""
        for name in ("measure", "breakdown", "area"):
            label = row.get(name) or ""
            codes = self.edition.repeated.get((name, plain(label))) or self.edition.repeated.get(
                (name, plain(label, footnotes=False))
            )
            if codes:
                key = (name, plain(label, footnotes=False))
                time = self.standings[key] = self.standings.get(key, 0) + 1
                self.known[(name, label)] = codes[time - 1] if time <= len(codes) else None

    def check_standings(self) -> None:
        """Find fault with a label that stands more or less often than it has meanings: then no one knows which."""
        for (name, label), codes in self.edition.repeated.items():
            times = self.standings.get((name, label), 0)
            if times != len(codes):
                expected = f"the {name} '{label}' {len(codes)} times, for {', '.join(codes)}"
                finding = Finding(self.whole.check_id(2), expected, f"{times} times", REMEDY, self.sheet.name)
                self.whole.find(("standing", self.sheet.name, name, label), finding)

    def code(self, name: str, label: str | None) -> str | None:
        key = (name, label)
        if key not in self.known:
            self.known[key] = code_for(label, self.labels.get(f"{name}s", {}), self.codes.get(f"{name}_code", ()))
        return self.known[key]

    def label(self, name: str, text: str | None, otherwise: Callable[[str], str]) -> str | None:
        if text is None:
            return None
        return code_for(text, self.labels.get(name, {})) or otherwise(text.strip())

    def period_of(self, row: Mapping[str, str | None], said: Mapping[str, str]) -> tuple[str | None, Period | None]:
        """Return a value's period as sent and as read: from two dates, from its texts together, or the return's own."""
        start, end = _or_none(row.get("period_start")), _or_none(row.get("period_end"))
        if start or end:
            label = _or_none(row.get("period")) or " - ".join(part for part in (start, end) if part)
            return label, self.period_between(start, end, _or_none(row.get("period_type")))
        column = row.get("period") if "period" in self.by_field else None
        texts = [self.given.get("period"), column, said.get("period")]
        label = " ".join(text.strip() for text in texts if text and text.strip())
        if not label:
            return self.own_label, self.whole.identity.period
        return label, self.period(label, _or_none(row.get("period_type")))

    def period(self, text: str | None, hint: str | None = None) -> Period | None:
        if text is None:
            return None
        hint = plain(hint).replace(" ", "_") if hint else self.edition.period_type
        key = f"{hint}|{text}"
        if key not in self.periods:
            self.periods[key] = self.read_period(text, hint)
        return self.periods[key]

    def read_period(self, text: str, hint: str | None) -> Period | None:
        labels = self.labels.get("periods", {})
        known = matching(text, labels)
        try:
            return parse_period(labels[known]) if known is not None else parse_period(text, hint)
        except ValueError:
            return None

    def period_between(self, start: str | None, end: str | None, hint: str | None) -> Period | None:
        hint = plain(hint).replace(" ", "_") if hint else self.edition.period_type
        try:
            last = parse_date(end or start or "")
            first = last if start is None else parse_date(start)
            return Period("as_at", last, last) if hint == "as_at" else parse_period(f"{first} - {last}", hint)
        except ValueError:
            return None

    def check_period(self, period: Period, label: str | None, line: int, heading: str, value: str | None) -> None:
        """Find fault with a period that the return can't be about. A mark such as n/a may stand in a later quarter."""
        whole, ends = self.whole, self.edition.period_ends
        if ends == "any":
            return
        whole.ends_in_quarter = whole.ends_in_quarter or period.quarter == whole.quarter
        if whole.latest is None or period.end > whole.latest[0].end:
            whole.latest = period, Found(label or "", self.sheet.name, line, heading)
        is_later = ends == "by_the_quarter" and period.quarter > whole.quarter
        is_other = ends == "in_the_quarter" and period.quarter != whole.quarter
        text = mark_key(value or "")
        if is_other or (is_later and text and text not in whole.form.layout.marks):
            wanted = "a period that ends in" if is_other else "a period that ends by"
            expected = (
                f"{wanted} {whole.quarter.label}, as the {whole.form.layout.quarter.origin.replace('_', ' ')} says"
            )
            finding = Finding(whole.check_id(3), expected, label, QUARTER_REMEDY, self.sheet.name, line, heading)
            whole.find(("period", self.sheet.name, label), finding)

    def side_columns(self) -> dict[int, dict[str, int]]:
        """Return which columns stand beside a value (its numerator, its RAG), by the value's column and the field."""
        sides: dict[int, dict[str, int]] = {}
        for side in self.fit.wide:
            for column in self.fit.wide:
                is_pair = side.rule.role not in ("value", "ignore") and column.rule.role == "value"
                if is_pair and self.belong(side, column):
                    sides.setdefault(column.index, {})[side.rule.role] = side.index
        return sides

    def belong(self, side: WideColumn, column: WideColumn) -> bool:
        """Return whether all that a side column says of itself is said by the value's column, too."""
        return all(self.mean_same(name, text, column.texts.get(name)) for name, text in side.texts.items())

    def mean_same(self, name: str, one: str, other: str | None) -> bool:
        if other is None:
            return False
        if name == "period":
            first, second = self.period(one), self.period(other)
            return first == second if first and second else plain(one) == plain(other)
        first_code, second_code = (self.code(name, text) or plain(text) for text in (one, other))
        return first_code == second_code


def _blocks_of(lines: Iterator[Line], columns: Sequence[str]) -> Iterator[Block]:
    while some := list(islice(lines, BLOCK_ROWS)):
        yield [[line.cells.get(name) or "" for line in some] for name in columns]


def _or_none(text: str | None) -> str | None:
    return text if text and text.strip() else None


@cache
def _dates(period: Period) -> dict[str, str]:
    return {
        "period_type": period.type,
        "period_start": period.start.isoformat(),
        "period_end": period.end.isoformat(),
    }


def _shown(period: Period) -> str:
    return period.quarter.label if period.type == "financial_quarter" else period.key
