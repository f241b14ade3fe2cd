"""How far the cells of an xlsx's sheet reach, told before calamine opens it.

Calamine makes room for every cell up to the last one: a sheet with a cell far off would end the process. A quick look
gives a bound that no cell is beyond; only where that is too far, the part is read as XML.
"""

from __future__ import annotations

import re
from typing import IO
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

CHUNK = 2**19

Octets = NDArray[np.uint8]
Places = NDArray[np.intp]

# As many quotation marks as are looked at beyond the end of a chunk.
_END = b'"' * 16
_EQUALS, _QUOTE, _R, _E, _F, _C, _M, _LESS, _MORE, _SLASH, _COLON = b'="refcm<>/:'
# Attributes named r as hardly any program writes them: with blanks about the equals sign, or in single quotes.
_LOOSE = re.compile(rb"\sr(?:\s+=|=\s|=')")
_MOST_LETTERS, _MOST_DIGITS = 3, 7


class Look:
    """Gathers, chunk by chunk of a sheet's part, a row and a column that no cell is beyond.

    ``is_plain`` is False where cells are written in a way that the bound doesn't cover. What the last chunk may hold is
    told by ``has_error``, ``has_formula`` (cells that are one) and ``has_merged``.
    """

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self.is_plain = True
        self.has_error = self.has_formula = self.has_merged = False

    def take(self, chunk: bytes) -> None:
        """Look through a chunk, which begins with the end of the one before."""
        octets = np.frombuffer(chunk + _END, np.uint8)
        equals = np.flatnonzero(octets[:-16] == _EQUALS)
        before, after = octets[equals - 1], octets[equals + 1]
        quoted = equals[after == _QUOTE]
        self.has_error = bool(((octets[quoted + 2] == _E) & (octets[quoted + 3] == _QUOTE)).any())
        tags, letters = octets[:-16] == _LESS, octets[1:-15]
        self.has_formula = bool(((tags | (octets[:-16] == _COLON)) & (letters == _F)).any())
        self.has_merged = bool((tags & (letters == _M)).any())
        third = octets[2:-14]
        cells = tags & (letters == _C) & ((third <= 32) | (third == _MORE) | (third == _SLASH))
        if ((before == _R) & (after != _QUOTE)).any() or (before <= 32).any():
            self.is_plain = self.is_plain and not _LOOSE.search(chunk)
        names = equals[(before == _R) & (after == _QUOTE)]
        references = names[octets[names - 2] <= 32] + 2
        if np.count_nonzero(cells) > np.count_nonzero(octets[references] >= 65) + 1:
            self.is_plain = False  # cells without a reference of their own: they follow one another
        self._take_references(octets, references)

    def is_far(self, cells: int, columns: int) -> bool:
        """Return whether a cell may stand so far off that there is room for so many, or beyond a column."""
        return not self.is_plain or self.rows * self.columns > cells or self.columns > columns

    def _take_references(self, octets: Octets, at: Places) -> None:
        """Widen the bound by references such as AB12 of cells, and 12 of rows, that begin at some places."""
        numbers, letters = [], 0
        while len(at):
            is_letter = octets[at] >= 65
            numbers.append(at[~is_letter])
            at, letters = at[is_letter], letters + 1
            if letters > _MOST_LETTERS + 1:
                self.is_plain = False
                break
            if len(at):
                self.columns = max(self.columns, _highest(octets, at - letters + 1, letters))
            at = at + 1
        if numbers:
            self._take_numbers(octets, np.concatenate(numbers))

    def _take_numbers(self, octets: Octets, at: Places) -> None:
        """Widen the bound by row numbers that begin at some places: by the longest, and their first two digits."""
        digits = 0
        while (goes_on := octets[at] != _QUOTE).any():
            at, digits = (at if goes_on.all() else at[goes_on]) + 1, digits + 1
            if digits > _MOST_DIGITS:
                self.is_plain = False
                return
        if not digits:
            return
        starts = at - digits
        first = octets[starts].max()
        second = octets[starts[octets[starts] == first] + 1].max() if digits > 1 else 57
        leading = (int(first) - 48) * 10 + int(second) - 48 + 1
        self.rows = max(self.rows, leading * 10 ** (digits - 2) if digits > 1 else 9)


def _highest(octets: Octets, at: Places, letters: int) -> int:
    """Return a column number that no reference of so many letters is beyond: its highest letter in each place."""
    number = 0
    for place in range(letters):
        number = number * 26 + (int(octets[at + place].max()) & 0x5F) - 64
    return number


def exact_reach(part: IO[bytes]) -> tuple[int, int]:
    """Return the last row and the last column, from 1, with a cell that has a value; (0, 0) where none has.

    Raises:
        xml.parsers.expat.ExpatError: The part is no XML.
    """
    reading = _Cells()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reading.start
    while chunk := part.read(CHUNK):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)
    return reading.last_row, reading.last_column


class _Cells:
    """Follows rows and cells as calamine does: one without a reference stands after the one before it."""

    def __init__(self) -> None:
        self.row = self.column = self.last_row = self.last_column = 0
        self.cell_row = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name in ("v", "is"):
            self.last_row, self.last_column = max(self.last_row, self.cell_row), max(self.last_column, self.column)
        elif name == "c":
            self.cell_row, self.column = self.row, self.column + 1
            if "r" in attributes:
                self.cell_row, self.column = _place(attributes["r"])
        elif name == "row":
            self.row, self.column = self.row + 1, 0
            if "r" in attributes:
                self.row = _place(attributes["r"])[0]


def _place(reference: str) -> tuple[int, int]:
    digits = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    letters = reference[: len(reference) - len(digits)].upper()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(digits) if digits.isdecimal() else 0, column
