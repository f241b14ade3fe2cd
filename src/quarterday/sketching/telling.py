"""Says in plain words what was found in a sample, what is guessed, and what is left to decide."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from quarterday.calendar import Period
from quarterday.openplaces import open_places
from quarterday.reading.places import letter
from quarterday.sketching.columns import Column
from quarterday.sketching.contracting import _key, open_columns, partner_line
from quarterday.sketching.drafting import Draft, period_ends, period_type
from quarterday.sketching.periods import day_of
from quarterday.sketching.roles import is_period_heading
from quarterday.wording import plain

if TYPE_CHECKING:
    from quarterday.sketching.sketch import Sketch

KINDS = {"string": "text", "integer": "whole numbers", "number": "decimals", "date": "dates", "boolean": "yes or no"}
UNITS = {"gbp": "pounds", "percent": "percent"}
SHOWN = 5


def show(sketch: Sketch) -> None:
    """Print what was found and guessed, what is left to decide, and where the draft stands."""
    console = Console(soft_wrap=True, highlight=False)
    parts = (("Found", sketch.found), ("Guessed", sketch.guessed), ("To decide", sketch.to_decide))
    for title, sentences in parts:
        console.print(f"[bold]{title}[/bold]")
        for sentence in sentences or ["Nothing."]:
            console.print(f"  - {sentence}", markup=False)
        console.print()
    console.print(f"Written: {sketch.folder}/", markup=False)
    console.print("Write over every 'FILL IN', then: quarterday check FILE --partner CODE", markup=False)
    console.print("The way from here: docs/how-to/add-a-form.md", markup=False)


def found(draft: Draft) -> list[str]:
    """Return what the sample shows, a sentence each."""
    table, sample = draft.sample.table, draft.sample
    where = f"Sheet '{table.sheet.name}'" if table.sheet.name else "The file"
    first = table.header_line - table.header_rows + 1
    rows = f"line {first}" if table.header_rows == 1 else f"lines {first} to {table.header_line}"
    told = [f"{where}: headings in {rows}, {_count(len(table.lines), 'line')} below{_cut(draft)}."]
    told += [f"The same headings on the sheets {', '.join(sample.like_sheets)}."] if len(sample.like_sheets) > 1 else []
    told += [f"Coding Windows-1252; delimiter '{sample.delimiter}'."] if sample.encoding else []
    told += [f"Above the headings: {_shown(row[1] for row in table.above)}."] if table.above else []
    told += [f"Below the table, left out: {_shown(row[1] for row in table.below)}."] if table.below else []
    told += [f"Rows of totals, left out: lines {_lines(table.totals)}."] if table.totals else []
    told += [f"Rows with one cell only, which look like titles: lines {_lines(table.titles)}."] if table.titles else []
    told += [f"The headings come again in lines {', '.join(map(str, table.repeated_headers))}, left out."] if (
        table.repeated_headers
    ) else []  # fmt: skip
    told += [f"{_count(table.blank_lines, 'blank row')} between the lines, left out."] if table.blank_lines else []
    told += [f"Spacer columns without anything: {', '.join(map(letter, table.spacers))}."] if table.spacers else []
    return [*told, *(_column(column, draft) for column in draft.columns)]


def guessed(draft: Draft) -> list[str]:
    """Return what is only likely, a sentence each."""
    told = [f"The form is called '{draft.form}' and is of the family '{draft.family}' (--name, --family)."]
    told += [f"Its quarter: {one.place} says '{one.text}'." for one in draft.sayings[:1]]
    others = [
        one for one in draft.sayings[1:] if one.period and draft.period and _contradicts(one.period, draft.period)
    ]
    told += [f"But {one.place} says '{one.text}': find out which of the two it is." for one in others]
    told += [f"Its day of issue: {draft.issued.place} says {day_of(draft.issued.text)}."] if draft.issued else []
    if draft.family == "indicator" and draft.periods:
        kind = (period_type(draft) or "period of several kinds").replace("_", " ")
        told.append(f"Each figure is of a {kind}; '{period_ends(draft)}' is how they stand to the quarter.")
    totals = [label for label in draft.measures if plain(label, False).startswith("total ")]
    told += [f"Row '{label}' may be a total of others: it is kept; to leave it out, skip_lines." for label in totals]
    known = {label: code for label, code in draft.measures.items() if code in draft.known.measures.values()}
    told += [
        f"'{label}' is taken for the measure {code}, by its name alone: is it the same?"
        for label, code in known.items()
    ]
    if draft.family == "register":
        key = ", ".join(column.name for column in _key(draft))
        told.append(f"The key, no two lines alike in it: {key}." if key else "No columns tell all lines apart: no key.")
    if draft.sample.other_sheets:
        told.append(
            f"Not read: {_count(len(draft.sample.other_sheets), 'sheet')}, {', '.join(draft.sample.other_sheets)}."
        )
    claimed = draft.known.forms_like(draft.sample.path.name)
    told += [f"The file's name is like those of {', '.join(claimed)}: narrow file_names, or add an edition there."] if (
        claimed
    ) else []  # fmt: skip
    return [*told, *(f"{guess[0].upper()}{guess[1:]}." for guess in draft.guesses)]


def to_decide(texts: dict[Path, str], draft: Draft) -> list[str]:
    """Return every open place of the written files, and what the sample can't be read with."""
    told = [f"{path.name} line {line}: {wanted}" for path, text in texts.items() for line, wanted in open_places(text)]
    strange = [
        f"Line {line}, column '{column.name}': '{cell}' among {KINDS[column.kind]}; ask, or list it in marks."
        for column in draft.columns
        for line, cell in column.strange
    ]
    if draft.family == "indicator" and open_columns(draft):
        strange.append(
            f"One line has one measure, one breakdown and one area: say what to do with {open_columns(draft)}."
        )
    line = partner_line(draft)
    strange += [f"returns/partners.csv has no line of the partner yet: {line}"] if line else []
    return told + strange


def _column(column: Column, draft: Draft) -> str:
    says = [KINDS[column.kind]]
    says += [f"{_in_part(column)}in {UNITS.get(column.unit, column.unit)}"] if column.unit else []
    says += ["in thousands"] if column.scale == 1000 else []
    says += [f"not available: {', '.join(column.marks)}"] if column.marks else []
    says += [f"{column.blanks} blank"] if column.blanks else []
    says += ["a period"] if column.is_period or is_period_heading(column) else []
    says += ["may be personal"] if column.may_be_personal else []
    role = draft.roles.of.get(column.index) if draft.family == "indicator" else None
    says += [f"taken for: {role}"] if role and role != "open" else []
    return f"Column {letter(column.index)} '{column.heading or ''}': {'; '.join(says)}."


def _in_part(column: Column) -> str:
    """A column of different measures has percentages among other figures."""
    has_others = any("%" not in cell for cell in column.values)
    return "in part " if column.unit == "percent" and has_others and "%" in "".join(column.values) else ""


def _contradicts(said: Period, period: Period) -> bool:
    """Return whether two places can't both be right: a year says nothing against one of its quarters."""
    return not (said.start <= period.start and period.end <= said.end)


def _cut(draft: Draft) -> str:
    return ", of which only these were looked at" if draft.sample.table.is_cut else ""


def _count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _lines(rows: Iterable[tuple[int, object]]) -> str:
    numbers = [str(line) for line, _ in rows]
    return ", ".join(numbers[:SHOWN]) + (f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else "")


def _shown(rows: Iterable[list[str | None]]) -> str:
    texts = [" ".join(cell.strip() for cell in cells if cell and cell.strip()) for cells in rows]
    shown = [f"'{text[:60]}'" for text in texts if text]
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")
