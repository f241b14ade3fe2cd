"""Where a sample says what quarter it is about and when it was issued, and how headings name periods."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quarterday.calendar import Period, parse_date
from quarterday.reading.grids import Row
from quarterday.sketching.columns import Column
from quarterday.sketching.looking import Sample
from quarterday.sketching.texts import is_date, period_of, period_within
from quarterday.wording import plain

_MONTH_WORD = re.compile(r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*")
_ISSUED = re.compile(
    r"^(?P<words>(?:date )?(?:issued|published|issue date|date of (?:issue|return|report)|report date|produced))"
    r"(?: on)?\b[: ]*(?P<date>.+)$",
    re.IGNORECASE,
)
_ISSUED_HEADINGS = ("issued", "issued on", "issue date", "date issued", "date of issue", "report date", "published")


@dataclass(frozen=True)
class Saying:
    """A place that says a period or a day: the layout's *source* as YAML, where it is in words, and what it says."""

    source: str
    place: str
    text: str
    period: Period | None = None


def quarter_sayings(sample: Sample, columns: list[Column]) -> list[Saying]:
    """Return every place that says which period the sample is about, the surest first."""
    said = [_in_file_name(sample), *_in_cells(sample), _in_sheet_name(sample), *_in_columns(columns)]
    return [saying for saying in said if saying]


def issue_sayings(sample: Sample, columns: list[Column]) -> list[Saying]:
    """Return every place that says on which day the sample was issued, the surest first."""
    said: list[Saying | None] = []
    for row in sample.table.above:
        for text in _readings(row):
            match = _ISSUED.match(text)
            if match and is_date(match["date"]):
                pattern = f"^{re.escape(match['words']).replace(chr(92) + ' ', ' ')}:? (?P<date>.+)"
                said.append(Saying(_source("cell", pattern), f"the cell in line {row[0]}", match["date"].strip()))
    said += [
        Saying(
            f"{{from: column, heading: {quoted(column.heading)}}}", f"the column '{column.heading}'", column.values[0]
        )
        for column in columns
        if column.heading and column.plain in _ISSUED_HEADINGS and column.kind == "date" and len(column.distinct) == 1
    ]
    said.append(_issued_in_file_name(sample))
    return [saying for saying in said if saying]


def period_shape(headings: list[str]) -> str:
    """Return a regular expression for headings that are periods, by what they have in common."""
    shapes = sorted({_shape(plain(heading)) for heading in headings})
    return shapes[0] if len(shapes) == 1 else f"(?:{'|'.join(shapes)})"


def name_pattern(sample: Sample) -> str:
    """Return a glob for the sample's name: what stands before its period, or all of it but the digits."""
    stem = sample.path.stem
    within = period_within(stem)
    before = stem.partition(within[1])[0].rstrip(" -_.(") if within else stem
    before = re.sub(r"[\[\]*?]", "?", before)
    if len(re.sub(r"[^A-Za-z]", "", before)) >= 4:
        return f"{before}*"
    return re.sub(r"[\[\]?]", "?", stem.replace(within[1], "*")) if within else f"{stem}*"


def quoted(text: str | None) -> str:
    """Return a text as YAML, in single quotes."""
    return "'" + str(text or "").replace("'", "''") + "'"


def _source(origin: str, pattern: str, period: Period | None = None) -> str:
    # A day, a month or a rolling year in a name says only how the period is written; what it is, the type says.
    kinds = ("as_at", "calendar_month", "financial_year")
    kind = f", type: {period.type}" if period and period.type in kinds else ""
    return f"{{from: {origin}, pattern: {quoted(pattern)}{kind}}}"


def _named(pattern: str) -> str:
    return f"(?P<quarter>{pattern})"


def _in_file_name(sample: Sample) -> Saying | None:
    within = period_within(sample.path.stem)
    if not within:
        return None
    pattern, text, period = within
    return Saying(_source("file_name", _named(pattern), period), "the file name", text, period)


def _issued_in_file_name(sample: Sample) -> Saying | None:
    """A day at the end of a name that says its period elsewhere, too, is the day of issue."""
    within = period_within(sample.path.stem)
    match = re.search(r"\d{4}-\d{2}-\d{2}$", sample.path.stem)
    if not match or not within or within[1] == match.group():
        return None
    return Saying(_source("file_name", r"(?P<date>\d{4}-\d{2}-\d{2})\.\w+$"), "the end of the file name", match.group())


def _in_cells(sample: Sample) -> list[Saying]:
    said = []
    for row in sample.table.above:
        readings = _readings(row)
        if any(_ISSUED.match(text) for text in readings):
            continue
        for text in readings:
            if saying := _in_text(text, row[0]):
                said.append(saying)
    unique = {saying.text: saying for saying in reversed(said)}
    return list(reversed(unique.values()))


def _in_text(text: str, line: int) -> Saying | None:
    """Read 'Period: Q3 2017/18', or a period within a title; a mere year in a title is too weak a hint."""
    label, _, rest = text.partition(" ") if ":" not in text else text.partition(":")
    period = period_of(rest.strip()) if rest else None
    if period and re.fullmatch(r"[A-Za-z ]{3,30}", label.strip()):
        pattern = f"^{label.strip()}:? (?P<quarter>.+)"
        return Saying(_source("cell", pattern, period), f"the cell in line {line}", rest.strip(), period)
    within = period_within(text)
    if within and (within[2].type != "calendar_year"):
        return Saying(_source("cell", _named(within[0]), within[2]), f"the text in line {line}", within[1], within[2])
    return None


def _in_sheet_name(sample: Sample) -> Saying | None:
    name = sample.table.sheet.name
    within = period_within(name) if name and len(sample.like_sheets) == 1 else None
    if not within:
        return None
    return Saying(_source("sheet", _named(within[0]), within[2]), f"the name of sheet '{name}'", within[1], within[2])


def _in_columns(columns: list[Column]) -> list[Saying]:
    return [
        Saying(
            f"{{from: column, heading: {quoted(column.heading)}}}", f"the column '{column.heading}'", column.values[0],
            period_of(column.values[0]),
        )
        for column in columns
        if column.heading and column.is_period and len(column.distinct) == 1 and column.plain not in _ISSUED_HEADINGS
    ]  # fmt: skip


def _readings(row: Row) -> list[str]:
    """Return the filled cells of a row, each alone and with its next one, as the reader puts them together."""
    filled = [cell.strip() for cell in row[1] if cell and cell.strip()]
    return [text for place, cell in enumerate(filled) for text in (cell, " ".join(filled[place : place + 2]))]


def _shape(heading: str) -> str:
    """Return the expression of one heading: digits and months of any kind, the rest as it stands."""
    parts = re.split(r"(\d+|[a-z]+)", heading)
    shaped = []
    for part in parts:
        if part.isdigit():
            shaped.append(r"\d" if len(part) == 1 else rf"\d{{{len(part)}}}")
        elif _MONTH_WORD.fullmatch(part):
            shaped.append("[a-z]{3,9}")
        else:
            shaped.append(re.escape(part).replace(r"\ ", " ").replace(r"\-", "-"))
    return "".join(shaped)


def day_of(text: str) -> str:
    """Return a day as 2018-01-23, to show."""
    try:
        return parse_date(text).isoformat()
    except ValueError:
        return text
