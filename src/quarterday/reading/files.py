"""Opens csv, xlsx, xls and ods files as sheets of text, with the row numbers that a person sees.

A csv is streamed, never held whole. A workbook is read whole by calamine, so its size is limited.
"""

from __future__ import annotations

import codecs
import csv
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NoReturn

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from quarterday.errors import Finding, ReturnIsUnreadable

WORKBOOK_BYTES = 50 * 2**20
UNPACKED_BYTES = 2**30
WORKBOOK_CELLS = 5_000_000
DELIMITERS = (",", ";", "\t", "|")
CHUNK = 2**20

Row = tuple[int, list[str | None]]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"\s*(<!doctype html|<html|<table|<\?xml|<!--)", re.IGNORECASE)
_FILLED_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*[^/>]>')
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class Sheet:
    """One sheet, or the whole of a csv, whose name is None.

    ``merged`` are merged cells as ((first row, first column), (last row, last column)), counted from 1.
    ``csv`` is the encoding and delimiter of a csv.
    """

    name: str | None
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    csv: tuple[str, str] | None = None
    _source: Any = field(default=(), repr=False, compare=False)

    def rows(self) -> Iterator[Row]:
        """Yield (row number from 1, cells) from the top, as often as asked; a cell is its text as sent, or None.

        Raises:
            ReturnIsUnreadable: A csv turns out to be damaged further down.
        """
        return iter(self._source() if callable(self._source) else enumerate(self._source, start=1))


def read_grid(
    path: Path, encoding: str | None = None, delimiter: str | None = None, check_id: str = "QDY-001"
) -> list[Sheet]:
    """Open a file and return its visible sheets.

    Args:
        path: The file. What it is, is told by its content.
        encoding: Of a csv; UTF-8 when not given, or what its byte order mark says.
        delimiter: Of a csv; the likeliest when not given.
        check_id: The id that findings carry.

    Raises:
        ReturnIsUnreadable: Empty, damaged, encrypted, too large, with macros, or not what its name says.
    """
    file = _File(Path(path), check_id)
    start = file.start()
    if start.startswith(b"PK\x03\x04") or start.startswith(_OLE):
        file.refuse_unsafe_workbook(start)
        return file.workbook()
    if not start.strip(b"\0 \r\n\t"):
        file.refuse("a file with lines in it", "an empty file", "Save the return again, and send that file.")
    return [file.text(start, encoding, delimiter)]


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
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return format(Decimal(format(value, ".15g")), "f")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


class _File:
    """One file that is being opened; knows how to refuse it."""

    def __init__(self, path: Path, check_id: str) -> None:
        self.path, self.check_id = path, check_id
        self.suffix = path.suffix.lower()

    def refuse(self, expected: str, found: str | None, remedy: str, line: int | None = None) -> NoReturn:
        raise ReturnIsUnreadable(self.path.name, [Finding(self.check_id, expected, found, remedy, line=line)])

    def start(self) -> bytes:
        """Return the first bytes, if they can be those of a return."""
        with self.path.open("rb") as file:
            start = file.read(4096)
        found = "a PDF" if start.startswith(b"%PDF") else "a web page or an XML file" if _MARKUP.match(start) else None
        if found:
            remedy = "Open it in a spreadsheet program and save it as the form asks."
            self.refuse("a csv file or a workbook (xlsx, xls, ods)", found, remedy)
        return start

    def refuse_unsafe_workbook(self, start: bytes) -> None:
        if self.suffix in (".csv", ".txt", ".tsv"):
            self.refuse(
                f"text, as the name ends in {self.suffix}",
                "a workbook",
                "Save it as csv, or give the file its true ending.",
            )
        size = self.path.stat().st_size
        if size > WORKBOOK_BYTES:
            self.refuse(
                f"a workbook of at most {WORKBOOK_BYTES >> 20} MB",
                f"{size >> 20} MB",
                "Send the sheets of the form alone, or a csv.",
            )
        if start.startswith(_OLE):
            self.refuse_unsafe_ole()
        else:
            self.refuse_unsafe_zip()

    def refuse_unsafe_ole(self) -> None:
        # Macros are refused in xlsx alone: old xls files carry an empty macro project per sheet, and nothing here
        # runs one.
        if _ENCRYPTED in self.path.read_bytes():
            self.refuse_encrypted()

    def refuse_unsafe_zip(self) -> None:
        try:
            with zipfile.ZipFile(self.path) as archive:
                self.refuse_unsafe_members({member.filename: member.file_size for member in archive.infolist()})
                for name in archive.namelist():
                    if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                        with archive.open(name) as part:
                            self.refuse_far_cell(part)
        except RuntimeError:  # the zip module's word for a part that asks for a password
            self.refuse_encrypted()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
            self.refuse_damaged("the end of the file is missing")

    def refuse_unsafe_members(self, sizes: Mapping[str, int]) -> None:
        if sum(sizes.values()) > UNPACKED_BYTES:
            remedy = "Send the sheets of the form alone, or a csv."
            self.refuse("a workbook of ordinary size", "one that unpacks to more than 1 GB", remedy)
        if any(name.lower().endswith("vbaproject.bin") or name.startswith("Basic/") for name in sizes):
            self.refuse_macros()
        if not sizes.keys() & {"xl/workbook.xml", "content.xml"}:
            found = "a zip file or a document of another kind"
            self.refuse("a workbook (xlsx, xls, ods) or a csv file", found, "Send the form itself.")

    def refuse_far_cell(self, part: IO[bytes]) -> None:
        """Refuse a sheet with a cell far off: calamine makes room for all before it, and would end the process."""
        columns: set[bytes] = set()
        last_row, rest = 0, b""
        while chunk := part.read(CHUNK):
            cells = _FILLED_CELL.findall(rest + chunk)
            columns.update(column for column, _ in cells)
            last_row = max(last_row, max((int(row) for _, row in cells), default=0))
            rest = chunk[-200:]
        width = max((_column_number(column) for column in columns), default=0)
        if last_row * width > WORKBOOK_CELLS:
            self.refuse_large(f"one with cells as far as row {last_row:,} and column {width:,}")

    def refuse_large(self, found: str) -> NoReturn:
        remedy = "Delete what stands far below or to the right of the form, or send a csv."
        self.refuse(f"a sheet of at most {WORKBOOK_CELLS:,} cells", found, remedy)

    def refuse_encrypted(self) -> NoReturn:
        self.refuse(
            "a workbook that opens without a password",
            "an encrypted workbook",
            "Take the password off, and send the file again.",
        )

    def refuse_macros(self) -> NoReturn:
        self.refuse("a workbook without macros", "a workbook with macros", "Save it as xlsx, and send that file.")

    def refuse_damaged(self, found: str) -> NoReturn:
        self.refuse("a whole workbook", f"a damaged one: {found}", "Open it, save it again, and send that file.")

    def workbook(self) -> list[Sheet]:
        try:
            with CalamineWorkbook.from_path(str(self.path)) as book:
                visible = [
                    sheet.name
                    for sheet in book.sheets_metadata
                    if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
                ]
                return [self.sheet(book, name) for name in visible]
        except PasswordError:
            self.refuse_encrypted()
        except CalamineError as error:
            if "password" in str(error).lower() or "encrypt" in str(error).lower():
                self.refuse_encrypted()
            self.refuse_damaged(str(error))

    def sheet(self, book: CalamineWorkbook, name: str) -> Sheet:
        sheet = book.get_sheet_by_name(name)
        if sheet.total_height * sheet.total_width > WORKBOOK_CELLS:
            self.refuse_large(f"sheet '{name}' with {sheet.total_height:,} rows by {sheet.total_width:,} columns")
        rows = [[text_of(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
        ranges = [
            ((top + 1, left + 1), (bottom + 1, right + 1))
            for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        ]
        return Sheet(name, tuple(ranges), None, rows)

    def text(self, start: bytes, encoding: str | None, delimiter: str | None) -> Sheet:
        if self.suffix in (".xlsx", ".xls", ".ods"):
            self.refuse(
                f"a workbook, as the name ends in {self.suffix}",
                "text or a damaged file",
                "Save it again in its true kind.",
            )
        codec = self.encoding(start, encoding)
        separator = delimiter or self.delimiter(codec)
        return Sheet(None, (), (codec, separator), lambda: self.records(codec, separator))

    def encoding(self, start: bytes, declared: str | None) -> str:
        """Return how the text is coded. A byte order mark counts most; then what the layout says; then UTF-8."""
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if start.startswith(codecs.BOM_UTF8):
            self.check_decodes("utf-8-sig")
            return "utf-8-sig"
        if declared and codecs.lookup(declared).name != "utf-8":
            # A form once sent as Windows-1252 may be saved as UTF-8 tomorrow: bytes above 127 that are valid UTF-8
            # are not there by chance.
            codec = "utf-8" if self.is_wide_utf8() else declared
            self.check_decodes(codec)
            return codec
        self.check_decodes("utf-8")
        return "utf-8"

    def chunks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def is_wide_utf8(self) -> bool:
        decoder, is_wide = codecs.getincrementaldecoder("utf-8")(), False
        try:
            for chunk in self.chunks():
                decoder.decode(chunk)
                is_wide = is_wide or not chunk.isascii()
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return is_wide

    def check_decodes(self, codec: str) -> None:
        """Refuse a text with bytes that its coding doesn't have, or with NUL bytes; the finding names the line."""
        decoder, lines = codecs.getincrementaldecoder(codec)(), 1
        for chunk in self.chunks():
            if b"\0" in chunk:
                line = lines + chunk[: chunk.index(b"\0")].count(b"\n")
                self.refuse(
                    "text", "a NUL byte, which no text has", "Save the return as csv again, and send that file.", line
                )
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line = lines + chunk[: max(error.start, 0)].count(b"\n")
                byte = error.object[error.start]
                self.refuse(
                    f"text in {codec.upper()}",
                    f"the byte 0x{byte:02X}",
                    "Save the return as 'CSV UTF-8', and send that file.",
                    line,
                )
            lines += chunk.count(b"\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            self.refuse(
                f"text in {codec.upper()}", "a character cut in half at the end", "Send the whole file again.", lines
            )

    def delimiter(self, codec: str) -> str:
        """Return the delimiter that parts the first lines into most columns."""
        with self.path.open(encoding=codec, newline="") as file:
            lines = [line for line, _ in zip((line for line in file if line.strip()), range(30), strict=False)]
        best, most = DELIMITERS[0], 1
        for candidate in DELIMITERS:
            widest = max((len(record) for record in csv.reader(lines, delimiter=candidate)), default=1)
            if widest > most:
                best, most = candidate, widest
        return best

    def records(self, codec: str, delimiter: str) -> Iterator[Row]:
        """Yield the records with the line on which each begins: a quoted cell may hold line breaks."""
        with self.path.open(encoding=codec, newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            line = 1
            try:
                for record in reader:
                    yield line, [cell or None for cell in record]
                    line = reader.line_num + 1
            except csv.Error as error:
                self.refuse(
                    "a csv record",
                    f"one that can't be read: {error}",
                    "Look for a quotation mark that is not closed or not doubled, and send the file again.",
                    line,
                )
            except UnicodeDecodeError:
                self.refuse(f"text in {codec.upper()}", "a character cut in half", "Send the whole file again.", line)
