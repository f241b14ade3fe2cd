"""How far the cells of a workbook reach, told before calamine opens it.

Calamine makes room for every cell up to the last one: a sheet with a cell far off would end the process. A quick look
gives a bound that no cell is beyond; only where that is too far, the part is read as XML.
"""

from __future__ import annotations

import math
import re
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

# numpy is imported where it is used: who lands a csv has no need of its 13 MiB.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Octets = NDArray[np.uint8]
    Places = NDArray[np.intp]

CHUNK = 2**19

# As many quotation marks as are looked at beyond the end of a chunk.
_END = b'"' * 16
_EQUALS, _QUOTE, _R, _E, _F, _C, _M, _D, _P, _LESS, _MORE, _SLASH, _COLON = b'="refcmdp<>/:'
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
        import numpy as np

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
        import numpy as np

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


_REPEATED = re.compile(rb"number-(?:(rows)-repeated=[\"'](\d{2,}|[2-9])|columns-repeated=[\"'](\d{3,}))")
_CELLS_AND_ROWS = (b"<table:table-row", b"<table:table-cell", b"<table:covered-table-cell")
_STORED = (b'="percentage"', b'value-type="error"')
_LONGEST_TAG = 2**20


class OdsLook:
    """Gathers, chunk by chunk of content.xml, how many rows and columns are filled by repetition: none where not long.

    LibreOffice ends every row and sheet with blanks repeated to the sheet's edge; what no filled cell stands behind
    doesn't count. ``has_stored`` says whether any cell may be a percentage or an error.
    """

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self.has_stored = False
        # What is repeated at the end of the last chunk, before it is told whether a filled cell stands behind it.
        self._open_rows = self._open_columns = 0
        self._rest = b""

    def take(self, chunk: bytes) -> None:
        """Look through the next chunk."""
        text = self._rest + chunk
        cut = text.rfind(b"<")
        if cut < 0 or len(text) - cut > _LONGEST_TAG:
            cut = len(text)
        text, self._rest = text[:cut], text[cut:]
        may_repeat, may_store = _ods_signs(text)
        self.has_stored = self.has_stored or (may_store and any(words in text for words in _STORED))
        if may_repeat or self._open_rows or self._open_columns:
            self._take_repeated(text)

    def _take_repeated(self, text: bytes) -> None:
        filled = _Next(text, b"value-type=")
        sheet_ends, row_ends = _Next(text, b"</table:table>"), _Next(text, b"</table:table-row>")
        open_rows, open_columns = self._open_rows, self._open_columns
        self._open_rows = self._open_columns = 0
        self._settle_rows(open_rows, filled.at(0), sheet_ends.at(0))
        self._settle_columns(open_columns, filled.at(0), row_ends.at(0))
        for match in _REPEATED.finditer(text):
            start = text.rfind(b"<", 0, match.start())
            if start < 0 or not text.startswith(_CELLS_AND_ROWS, start):
                continue  # of columns without cells, or words of a cell
            if match[1]:
                self._settle_rows(int(match[2]), filled.at(start), sheet_ends.at(start))
            else:
                self._settle_columns(int(match[3]), filled.at(start), row_ends.at(start))

    def _settle_rows(self, times: int, filled: float, ends: float) -> None:
        if filled < ends:
            self.rows += times
        elif filled == ends:  # neither in this chunk
            self._open_rows += times

    def _settle_columns(self, times: int, filled: float, ends: float) -> None:
        if filled < ends:
            self.columns = max(self.columns, times)
        elif filled == ends:
            self._open_columns = max(self._open_columns, times)


class _Next:
    """Where some words stand next in a text, asked for places that go forward; infinity where they don't."""

    def __init__(self, text: bytes, words: bytes) -> None:
        self.text, self.words = text, words
        self.found: float = -1

    def at(self, start: int) -> float:
        if self.found < start:
            place = self.text.find(self.words, start)
            self.found = place if place >= 0 else math.inf
        return self.found


def _ods_signs(text: bytes) -> tuple[bool, bool]:
    """Say whether anything may be repeated in a piece of content.xml, and whether a cell may be percentage or error."""
    import numpy as np

    octets = np.frombuffer(text + _END, np.uint8)
    equals = np.flatnonzero(octets[:-16] == _EQUALS)
    repeats = (octets[equals - 1] == _D) & (octets[equals - 2] == _E)
    value = octets[equals + 2]
    return bool(repeats.any()), bool((((value == _P) | (value == _E)) & (octets[equals + 1] == _QUOTE)).any())
