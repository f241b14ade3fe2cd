"""Finds the table in a sample file: its sheet, its header rows, its lines, and what stands above and below them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from quarterday.errors import OperatorError, ReturnRejected
from quarterday.reading.files import Sheet, read_grid
from quarterday.reading.fitting import headings_of
from quarterday.reading.grids import Row
from quarterday.sketching.texts import is_number, period_of
from quarterday.wording import plain

LINES_LOOKED_AT = 20_000
HEADER_WITHIN_ROWS = 60
LINES_PER_HEADER = 50
USED_SHARE = 0.3
WORDED_SHARE = 0.7  # ages and the like are headings of digits
TOTALS = ("total", "grand total", "sub-total", "subtotal", "totals", "overall total")
FOOT_WORDS = ("note", "source", "footnote", "©", "crown copyright", "contact")


@dataclass(frozen=True)
class Table:
    """A table of a sample. Lines are numbered from 1 as a person sees them; columns from 0.

    ``above`` and ``below`` are rows before the header and after the last line; ``spacers`` columns without a heading
    and without content; ``unheaded`` those with content alone.
    """

    sheet: Sheet
    header_rows: int
    header_line: int
    headings: tuple[str | None, ...]
    lines: tuple[Row, ...]
    above: tuple[Row, ...] = ()
    below: tuple[Row, ...] = ()
    totals: tuple[Row, ...] = ()
    titles: tuple[Row, ...] = ()
    repeated_headers: tuple[int, ...] = ()
    blank_lines: int = 0
    spacers: tuple[int, ...] = ()
    unheaded: tuple[int, ...] = ()
    is_cut: bool = False

    def cells(self, index: int) -> list[str | None]:
        """Return the cells of a column, line by line; a blank one is None."""
        return [_text(cells, index) for _, cells in self.lines]


@dataclass(frozen=True)
class Sample:
    """A sample file: its main table, the sheets of the same headings, and the other sheets with content.

    ``encoding`` is None for a workbook and for UTF-8.
    """

    path: Path
    table: Table
    like_sheets: tuple[str, ...] = ()
    other_sheets: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    alike: tuple[Table, ...] = field(default=())

    @property
    def is_csv(self) -> bool:
        """Whether it is a csv and not a workbook."""
        return self.table.sheet.name is None


def look(path: Path) -> Sample:
    """Open a sample and find its table.

    Raises:
        OperatorError: It can't be opened, or holds nothing that looks like a table with a heading over each column.
    """
    sheets, encoding = _opened(path)
    tables = [table for sheet in sheets if (table := find_table(sheet))]
    if not tables:
        raise OperatorError(
            f"{path.name}: no table was found, so nothing was written. Expected a row of headings with lines below it, "
            f"in one of the first {HEADER_WITHIN_ROWS} rows."
        )
    main = max(tables, key=lambda table: len(table.lines) * len(table.headings))
    alike = [table for table in tables if _same(table, main)]
    named = [str(table.sheet.name) for table in alike if table.sheet.name is not None]
    filled = [
        sheet.name for sheet in sheets if sheet.name and next((row for row in sheet.rows() if _filled(row)), None)
    ]
    others = tuple(name for name in filled if name not in named)
    delimiter = main.sheet.csv[1] if main.sheet.csv else None
    return Sample(path, main, tuple(named), others, encoding, delimiter, tuple(alike))


def find_table(sheet: Sheet) -> Table | None:
    """Find the header of a sheet and part what stands above, within and below its table; None where there is none."""
    rows = list(islice(sheet.rows(), LINES_LOOKED_AT + 1))
    is_cut, rows = len(rows) > LINES_LOOKED_AT, rows[:LINES_LOOKED_AT]
    last = _header_row(rows)
    if last is None:
        return None
    first = _first_header_row(rows, last, sheet)
    headings = headings_of(rows[first : last + 1], sheet)
    table = Table(sheet, last - first + 1, rows[last][0], headings, (), tuple(filter(_filled, rows[:first])))
    return _parted(table, rows[last + 1 :], rows[last], is_cut)


def _opened(path: Path) -> tuple[list[Sheet], str | None]:
    try:
        return read_grid(path), None
    except ReturnRejected as rejection:
        # Windows writes csv files in its own coding. Every byte has a meaning there, so the guess is told, not hidden.
        if path.suffix.lower() in (".csv", ".txt") and "the byte" in str(rejection):
            return read_grid(path, "cp1252"), "cp1252"
        findings = "; ".join(f"expected {one.expected}, found {one.found}. {one.remedy}" for one in rejection.findings)
        raise OperatorError(f"{path.name} can't be read, so nothing was written: {findings}") from None


def _text(cells: list[str | None], index: int) -> str | None:
    cell = cells[index] if index < len(cells) else None
    return cell.strip() or None if cell else None


def _filled(row: Row) -> list[int]:
    return [index for index in range(len(row[1])) if _text(row[1], index)]


def _same(one: Table, other: Table) -> bool:
    """Two tables are alike where they have the same headings, but for the periods in them."""
    return one.header_rows == other.header_rows and _shape(one) == _shape(other)


def _shape(table: Table) -> list[str]:
    parts = [heading.split(" | ") for heading in table.headings if heading]
    return [" | ".join("period" if period_of(part) else plain(part, False) for part in heading) for heading in parts]


def _header_row(rows: list[Row]) -> int | None:
    """Return which row is the (lowest) header row: covers the columns below it, is words, and stands over lines."""
    best, most = None, 0.0
    for index, row in enumerate(rows[:HEADER_WITHIN_ROWS]):
        score = _score(row, rows[index + 1 :])
        if score > most:
            best, most = index, score
    return best


def _score(row: Row, rest: list[Row]) -> float:
    filled = _filled(row)
    below = [one for one in rest[: LINES_PER_HEADER * 2] if _filled(one)][:LINES_PER_HEADER]
    words = [
        index for index in filled if not is_number(row[1][index] or "") or period_of((row[1][index] or "").strip())
    ]
    if not below or len(filled) < 2 or len(words) < WORDED_SHARE * len(filled):
        return 0
    used = _used(below)
    cover = len(set(filled) & used) / max(len(used), 1)
    if cover < 0.7 or len(used) < 2:
        return 0
    numbers = [index for index in used & set(filled) if _is_mostly_numbers(index, below)]
    block = next((place for place, one in enumerate(rest[:10]) if not _filled(one)), min(len(rest), 10))
    digits = 1 - len(words) / len(filled)
    return 1 + cover + len(numbers) / len(used) + min(block, 5) / 5 - 2 * digits


def _used(rows: list[Row]) -> set[int]:
    """Return the columns that are filled in a good part of some rows."""
    counts = Counter(index for row in rows for index in _filled(row))
    return {index for index, count in counts.items() if count >= USED_SHARE * len(rows)}


def _is_mostly_numbers(index: int, rows: list[Row]) -> bool:
    cells = [cell for _, cells in rows if (cell := _text(cells, index))]
    return sum(is_number(cell) for cell in cells) > len(cells) / 2


def _first_header_row(rows: list[Row], last: int, sheet: Sheet) -> int:
    """Return the uppermost header row: rows right above with several headings, or one merged over several columns."""
    first = last
    while first > max(0, last - 2):
        above = rows[first - 1]
        filled = _filled(above)
        is_over = any(top <= above[0] <= bottom and right > left for (top, left), (bottom, right) in sheet.merged)
        has_gap = len(filled) >= 2 and len(filled) < len(_filled(rows[last]))
        is_worded = all(not is_number(above[1][i] or "") or period_of((above[1][i] or "").strip()) for i in filled)
        is_title = filled == [0] and not _stops_within(above[0], sheet, len(_filled(rows[last])))
        if not filled or not is_worded or is_title or not (has_gap or is_over) or _is_statement(above, filled):
            break
        first -= 1
    return first


def _stops_within(line: int, sheet: Sheet, width: int) -> bool:
    """Return whether a merged cell of a row ends before the table does; one over the whole table is its title."""
    return any(
        top <= line <= bottom and right > left and right - left + 1 < width
        for (top, left), (bottom, right) in sheet.merged
    )


def _is_statement(row: Row, filled: list[int]) -> bool:
    """Return whether a row is a label and its text, as 'Issued | 26 January 2018', and no row of headings."""
    return len(filled) == 2 and filled == [0, 1] and str(row[1][0]).strip().endswith(":")


def _parted(table: Table, rest: list[Row], header: Row, is_cut: bool) -> Table:
    """Part the rows below a header into lines, totals, titles, repeated headers and what stands below the table."""
    rows, below = _without_foot([row for row in rest if _filled(row)], len(_filled(header)))
    own = [plain(cell) for cell in header[1] if cell and cell.strip()]
    repeated = [row for row in rows if [plain(cell) for cell in row[1] if cell and cell.strip()] == own]
    totals = [row for row in rows if plain(_first(row), False) in TOTALS]
    titles = [row for row in rows if len(_filled(row)) == 1 and len(own) > 2 and not is_number(_first(row))]
    lines = [row for row in rows if not any(row is other for other in (*repeated, *totals, *titles))]
    width = max([len(table.headings), *(len(row[1]) for row in lines)], default=0)
    headings = (*table.headings, *[None] * (width - len(table.headings)))
    bare = [index for index, heading in enumerate(headings) if not heading]
    unheaded = [index for index in bare if any(_text(cells, index) for _, cells in lines)]
    inner = max((index for index, heading in enumerate(headings) if heading or index in unheaded), default=-1)
    spacers = tuple(index for index in bare if index not in unheaded and index < inner)
    return Table(
        table.sheet, table.header_rows, table.header_line, headings[: inner + 1], tuple(lines), table.above,
        tuple(below), tuple(totals), tuple(titles), tuple(line for line, _ in repeated), _blanks_between(rest, rows),
        spacers, tuple(unheaded), is_cut,
    )  # fmt: skip


def _without_foot(rows: list[Row], width: int) -> tuple[list[Row], list[Row]]:
    """Part the rows at the first of the closing ones that hold a note and no line."""
    end = len(rows)
    while end > 1 and _is_note(rows[end - 1], width):
        end -= 1
    return rows[:end], rows[end:]


def _is_note(row: Row, width: int) -> bool:
    filled = _filled(row)
    first = plain(_first(row))
    return len(filled) == 1 and width > 1 or (len(filled) < max(width, 3) and first.startswith(FOOT_WORDS))


def _first(row: Row) -> str:
    return next((cell.strip() for cell in row[1] if cell and cell.strip()), "")


def _blanks_between(rest: list[Row], rows: list[Row]) -> int:
    last = rows[-1][0] if rows else 0
    return sum(1 for row in rest if row[0] < last and not _filled(row))
