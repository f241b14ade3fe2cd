"""A workbook's cells as text: row by row, or a block of rows at a time column by column.

The cells stay with calamine, and become text as they are asked for: a large sheet is never held as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice, zip_longest
from typing import Any

from python_calamine import CalamineSheet

from quarterday.reading import stored

MOST_COLUMNS = 2_000
BLOCK_ROWS = 1_000

Row = tuple[int, list[str | None]]


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet: calamine's values, and what the file stores of some cells beside them.

    ``guard`` is held open while calamine gives cells: it says what is wrong with a file whose cells can't be read.
    """

    sheet: CalamineSheet
    stored: stored.Cells
    guard: Callable[[], AbstractContextManager[None]]

    def __call__(self) -> Iterator[Row]:
        """Yield (row number from 1, texts) from the top."""
        for line, values in enumerate(self.values(), start=1):
            yield line, texts_of(values)

    def blocks(self, below: int) -> Iterator[tuple[int, list[list[Any]]]]:
        """Yield (number of the first row, rows of values), a thousand rows at a time, from the row below a line."""
        rows, line = islice(self.values(), below, None), below + 1
        while block := list(islice(rows, BLOCK_ROWS)):
            yield line, block
            line += len(block)

    def values(self) -> Iterator[list[Any]]:
        """Yield the values of every row from the first; an empty cell is ''."""
        with self.guard():
            yield from self.with_stored() if self.stored else self.filled()

    def with_stored(self) -> Iterator[list[Any]]:
        """Yield the rows with the text to be shown in place of a value where the file stores one."""
        beside: dict[int, dict[int, str]] = {}
        for (line, column), text in self.stored.items():
            beside.setdefault(line, {})[column] = text
        line = 0
        for row in self.filled():
            line += 1
            yield _with_stored(row, beside[line]) if line in beside else row
        for below in sorted(number for number in beside if number > line):
            if below > line + 1000:
                break  # a formula without a result, far from the form
            yield from ([] for _ in range(below - line - 1))
            yield _with_stored([], beside[below])
            line = below

    def filled(self) -> Iterator[list[Any]]:
        """Yield the rows down to the last one with a value; calamine leaves out empty columns before the first."""
        if self.sheet.start is None:
            return
        before = [""] * self.sheet.start[1]
        yield from (before + row for row in self.sheet.iter_rows()) if before else self.sheet.iter_rows()


def texts_of(row: list[Any]) -> list[str | None]:
    """Return a workbook's row as texts. Nearly every cell is a text already, or empty."""
    return [
        (cell or None) if type(cell) is str and "\0" not in cell else text_of(cell)  # noqa: E721
        for cell in row
    ]


def text_columns(rows: list[list[Any]], width: int) -> list[Sequence[str]]:
    """Return rows of values as columns of texts, at least so many; an empty cell is ''."""
    columns: list[Sequence[str]] = [_column(values) for values in zip_longest(*rows, fillvalue="")]
    return columns + [[""] * len(rows)] * (width - len(columns))


def is_filled(column: Sequence[str]) -> bool:
    """Return whether any cell of a column of texts is more than blanks."""
    return any(map(str.strip, column))


def _column(values: tuple[Any, ...]) -> Sequence[str]:
    try:
        has_nul = "\0" in "".join(values)
    except TypeError:  # not texts alone
        return [
            text
            # Written out here, since there are so many: see _number.
            if type(value) is float and len(text := repr(value)) < 17 and "e" not in text and text[-2:] != ".0"  # noqa: E721
            else text_of(value) or ""
            for value in values
        ]
    return [text.replace("\0", "") for text in values] if has_nul else values


def text_of(value: Any) -> str | None:
    """Return a workbook's cell as text: 18.0 is '18', a date is 2018-01-23, an empty cell is None."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, (int, time, timedelta)) else str(value)


def _number(value: float) -> str:
    """Return a number as the spreadsheet shows it at full width: 15 digits, no exponent."""
    text = repr(value)
    # The shortest text that means the number, where that has no more than 15 digits: nearly always, and sooner told.
    if len(text) < 17 and "e" not in text and text[-2:] != ".0":
        return text
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def _with_stored(values: list[Any], beside: dict[int, str]) -> list[Any]:
    """Return a row in which the text to be shown stands instead of a value, as far as the file stores one."""
    row = list(values)
    for column, text in beside.items():
        if column > MOST_COLUMNS:
            continue
        row.extend([""] * (column - len(row)))
        value = row[column - 1]
        row[column - 1] = stored.shown_cell(value, text_of(value), text) or ""
    return row
