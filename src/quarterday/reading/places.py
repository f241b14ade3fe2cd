"""Finds what a return says of itself outside its lines: in cells above the header, in a sheet's name, in a column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quarterday.layouts import Source
from quarterday.reading.files import Sheet
from quarterday.reading.grids import Row
from quarterday.wording import matching


@dataclass(frozen=True)
class Found:
    """A text and where it stands; ``column`` is the heading, or the column's letter above the header."""

    text: str
    sheet: str | None = None
    line: int | None = None
    column: str | None = None


def letter(index: int) -> str:
    """Return the letter of a column counted from 0: 0 is A, 26 is AA."""
    index, letters = index + 1, ""
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def search_sheet(source: Source, sheet: Sheet, rows: Iterable[Row] | None = None) -> Found | None:
    """Return what a source says in a sheet, if anything.

    Args:
        source: Not ``file_name``.
        sheet: Where to look.
        rows: The rows to look in; all of the sheet when not given.
    """
    if source.origin == "sheet":
        text = source.search(sheet.name or "")
        return Found(text, sheet.name) if text else None
    looked_in = sheet.rows() if rows is None else rows
    return (
        _search_column(source, sheet, looked_in)
        if source.origin == "column"
        else _search_cells(source, sheet, looked_in)
    )


def _search_cells(source: Source, sheet: Sheet, rows: Iterable[Row]) -> Found | None:
    for line, cells in rows:
        for text, index in _readings(cells):
            if found := source.search(text):
                return Found(found, sheet.name, line, letter(index))
    return None


def _readings(cells: list[str | None]) -> Iterator[tuple[str, int]]:
    """Yield every filled cell alone, then together with the next one on its right; with the column of the last part."""
    filled = [(index, cell.strip()) for index, cell in enumerate(cells) if cell and cell.strip()]
    for position, (index, cell) in enumerate(filled):
        yield cell, index
        if position + 1 < len(filled):
            yield f"{cell} {filled[position + 1][1]}", filled[position + 1][0]


def _search_column(source: Source, sheet: Sheet, rows: Iterable[Row]) -> Found | None:
    place: int | None = None
    for line, cells in rows:
        if place is None:
            place = next(
                (index for index, cell in enumerate(cells) if cell and matching(cell, (source.heading or "",))), None
            )
        elif place < len(cells) and (text := source.search((cells[place] or "").strip())):
            return Found(text, sheet.name, line, source.heading)
    return None
