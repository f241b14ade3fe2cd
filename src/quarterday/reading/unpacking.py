"""A large xlsx unpacked into a file of its own, which calamine reads in half the time.

Calamine unpacks and parses a sheet's part twice: for its cells, and to its end for its merged cells. It stops at the
first word of merged cells: in the copy, every sheet begins with such a word, and what is merged is read here.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import IO

from quarterday.reading.stored import Area, column_number

CHUNK = 2**19
# From this size on, unpacked, a sheet takes longer to read twice than to copy.
LARGE_PART = 4 * 2**20

_ROWS = b"<sheetData"
_NOTHING_MERGED = b"<mergeCells/>"
_MERGED = re.compile(rb"<mergeCell\s[^>]*?\bref=[\"']([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?[\"']", re.IGNORECASE)


def chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part's content piece by piece, to the end."""
    with archive.open(part) as content:
        while chunk := content.read(CHUNK):
            yield chunk


def is_worthwhile(archive: zipfile.ZipFile) -> bool:
    """Return whether a workbook has a sheet that is large."""
    return any(
        member.filename.startswith("xl/worksheets/") and member.file_size >= LARGE_PART for member in archive.infolist()
    )


class Copy:
    """The copy, a temporary file that goes with the end of the context."""

    def __init__(self, kind: str) -> None:
        self.file = NamedTemporaryFile(suffix=kind, prefix="quarterday-")  # noqa: SIM115
        self.archive = zipfile.ZipFile(self.file, "w")
        self.open_sheet: SheetCopy | None = None

    def __enter__(self) -> Copy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.open_sheet:
            self.open_sheet.close()
        self.archive.close()
        self.file.close()

    def add(self, archive: zipfile.ZipFile, part: str) -> None:
        """Copy a part as it is."""
        with self.archive.open(part, "w") as copy:
            for chunk in chunks(archive, part):
                copy.write(chunk)

    def sheet(self, part: str, moves_merged: bool) -> SheetCopy:
        """Begin the copy of a sheet's part, with its merged cells to be read here if asked."""
        self.open_sheet = SheetCopy(self.archive.open(part, "w"), moves_merged)
        return self.open_sheet

    def finished(self) -> str:
        """Return the file's path, now that all parts are in it."""
        self.archive.close()
        self.file.flush()
        return self.file.name


class SheetCopy:
    """A sheet's part while it is copied; gathers what is merged in it."""

    def __init__(self, copy: IO[bytes], moves_merged: bool) -> None:
        self.copy, self.moves_merged = copy, moves_merged
        self.has_moved = False
        self.found: dict[Area, None] = {}

    @property
    def merged(self) -> list[Area]:
        """Merged cells in the order of the file."""
        return list(self.found)

    def take(self, chunk: bytes, with_overlap: bytes, has_merged: bool) -> None:
        """Copy a chunk; look for merged cells in it, where it may have some, with the end of the one before."""
        if self.moves_merged and not self.has_moved and (at := chunk.find(_ROWS)) >= 0:
            chunk = chunk[:at] + _NOTHING_MERGED + chunk[at:]
            self.has_moved = True
        self.copy.write(chunk)
        if self.has_moved and has_merged:
            for first, top, last, bottom in _MERGED.findall(with_overlap):
                start = int(top), column_number(first)
                self.found[start, (int(bottom), column_number(last)) if last else start] = None

    def close(self) -> bool:
        """End the part, and return whether its merged cells were read here."""
        self.copy.close()
        return self.has_moved
