"""Opens csv, xlsx, xls and ods files as sheets of text, with the row numbers that a person sees.

A csv is streamed, never held whole. A workbook is read whole by calamine, so its size is limited.
"""

from __future__ import annotations

import codecs
import csv
import errno
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers.expat import ExpatError

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from quarterday.errors import Finding, ReturnIsUnreadable
from quarterday.reading import reach, stored, unpacking
from quarterday.reading.grids import MOST_COLUMNS, Grid, Row
from quarterday.reading.stored import Area

WORKBOOK_BYTES = 50 * 2**20
UNPACKED_BYTES = 2**29
# A workbook of many like cells packs to a thirtieth; only what is made to burst packs to a two-hundredth.
UNPACKED_TIMES = 200
UNPACKED_ALWAYS = 64 * 2**20
WORKBOOK_CELLS = 5_000_000
DELIMITERS = (",", ";", "\t", "|")
AS_UTF8 = "Save the return as 'CSV UTF-8', and send that file."
CHUNK = 2**20

# The sheets that `quarterday template` adds to a blank form: they tell the partner something and are not read.
GUIDE_SHEET = "How to fill this in"
EARLIER_SHEET = "Earlier figures"

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"\s*(<!doctype html|<html|<table|<\?xml|<!--)", re.IGNORECASE)
# Zip files raise the same error for a damaged part and for a disk that fails; these are the disk.
OUR_FAULTS = {
    *(errno.EIO, errno.ENOENT, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS),
}
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLD_WORKBOOK = tuple(f"{name}\0".encode("utf-16-le") for name in ("Workbook", "Book"))
# The first record of a workbook of Excel 97, and after it (or after a write protection) the one with the password.
_LOCKED = re.compile(rb"\x09\x08\x10\x00\x00\x06.{14}(?:\x86\x00\x00\x00)?\x2f\x00", re.DOTALL)
_BLANK = b"\0 \r\n\t"
_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)
_OTHER_KINDS = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x1f\x8b", "a packed file (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "a packed file (7z)"),
    (b"Rar!\x1a\x07", "a packed file (rar)"),
    (b"MZ\x90\0", "a program"),
)
_DOCUMENTS = {"word/": "a Word document", "ppt/": "a presentation", "xl/workbook.bin": "a binary workbook (xlsb)"}


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

    def blocks(self, below: int) -> Iterator[tuple[int, list[list[Any]]]] | None:
        """Return (number of the first row, rows of values) by blocks of a workbook's rows below one; None of a csv."""
        return self._source.blocks(below) if isinstance(self._source, Grid) else None

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
    if _is_workbook(start):
        with file.closing:
            file.refuse_unsafe_workbook(start)
            return file.workbook()
    if file.is_blank(start):
        file.refuse("a file with lines in it", "an empty file", "Save the return again, and send that file.")
    return [file.text(start, encoding, delimiter)]


def is_workbook(path: Path) -> bool:
    """Return whether a file is a workbook, as told by how it begins."""
    with path.open("rb") as file:
        return _is_workbook(file.read(len(_OLE)))


def _is_workbook(start: bytes) -> bool:
    return start.startswith((b"PK\x03\x04", _OLE))


def _widest(lines: list[str], delimiter: str) -> int:
    widest = 1
    try:
        for record in csv.reader(lines, delimiter=delimiter):
            widest = max(widest, len(record))
    except csv.Error:
        pass  # a cell longer than any may be; records() says where
    return widest


def _without_mark(start: bytes) -> bytes:
    mark = next((mark for mark in _MARKS if start.startswith(mark)), b"")
    return start[len(mark) :]


class _File:
    """One file that is being opened; knows how to refuse it."""

    def __init__(self, path: Path, check_id: str) -> None:
        self.path, self.check_id = path, check_id
        self.suffix = path.suffix.lower()
        self.kind = ".xls"
        self.stored: dict[str, stored.Cells] = {}
        self.merged: dict[str, list[Area]] = {}
        self.copy: unpacking.Copy | None = None
        self.closing = ExitStack()

    def refuse(self, expected: str, found: str | None, remedy: str, line: int | None = None) -> NoReturn:
        raise ReturnIsUnreadable(self.path.name, [Finding(self.check_id, expected, found, remedy, line=line)])

    def start(self) -> bytes:
        """Return the first bytes, if they can be those of a return."""
        with self.path.open("rb") as file:
            start = file.read(4096)
        found = next((kind for magic, kind in _OTHER_KINDS if start.startswith(magic)), None)
        if found is None and _MARKUP.match(_without_mark(start).replace(b"\0", b"")):
            found = "a web page or an XML file"
        if found:
            remedy = "Open it in a spreadsheet program and save it as the form asks."
            self.refuse("a csv file or a workbook (xlsx, xls, ods)", found, remedy)
        return start

    def is_blank(self, start: bytes) -> bool:
        """Say whether there is nothing in the file but blanks."""
        if _without_mark(start).strip(_BLANK):
            return False
        return len(start) < 4096 or not any(chunk.strip(_BLANK) for chunk in self.chunks())

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
        content = self.path.read_bytes()
        if _ENCRYPTED in content or _LOCKED.search(content):
            self.refuse_encrypted()
        if not any(name in content for name in _OLD_WORKBOOK):
            self.refuse_document("a document of another kind")
        self.stored = stored.xls_errors(content)

    def refuse_unsafe_zip(self) -> None:
        try:
            with zipfile.ZipFile(self.path) as archive:
                self.refuse_unsafe_members({member.filename: member.file_size for member in archive.infolist()})
                self.kind = ".ods" if "content.xml" in archive.namelist() else ".xlsx"
                if self.kind == ".ods":
                    self.refuse_far_ods(archive)
                else:
                    self.refuse_far_xlsx(archive)
        except RuntimeError:  # the zip module's word for a part that asks for a password
            self.refuse_encrypted()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in OUR_FAULTS:
                raise  # the disk's fault and not the file's: the task fails and nothing is judged
            is_cut = "not a zip" in str(error)  # what stands at a zip's end is looked for first
            self.refuse_damaged(
                "the end of the file is missing" if is_cut else "a part of it is missing or was changed"
            )

    def refuse_unsafe_members(self, sizes: Mapping[str, int]) -> None:
        unpacked, packed = sum(sizes.values()), self.path.stat().st_size
        if unpacked > min(UNPACKED_BYTES, max(UNPACKED_ALWAYS, UNPACKED_TIMES * packed)):
            remedy = "Send the sheets of the form alone, or a csv."
            self.refuse("a workbook of ordinary size", f"one that unpacks to {unpacked >> 20:,} MB", remedy)
        if any(name.lower().endswith("vbaproject.bin") or name.startswith(("Basic/", "Scripts/")) for name in sizes):
            self.refuse_macros()
        if "encrypted-package" in sizes:
            self.refuse_encrypted()
        if not sizes.keys() & {"xl/workbook.xml", "content.xml"}:
            kinds = (kind for part, kind in _DOCUMENTS.items() if any(name.startswith(part) for name in sizes))
            self.refuse_document(next(kinds, "a zip file or a document of another kind"))

    def refuse_document(self, found: str) -> NoReturn:
        remedy = "Send the form itself, as the workbook or the csv that it is."
        self.refuse("a workbook (xlsx, xls, ods) or a csv file", found, remedy)

    def refuse_far_xlsx(self, archive: zipfile.ZipFile) -> None:
        """Refuse a sheet with a cell far off, and keep what the parts say of errors, formulas and percentages."""
        names, percent = stored.sheet_names(archive), stored.percent_styles(archive)
        if unpacking.is_worthwhile(archive):
            self.copy = self.closing.enter_context(unpacking.Copy(self.kind))
        for part in dict.fromkeys(archive.namelist()):
            if part.startswith("xl/worksheets/") and part.endswith(".xml"):
                self.look_at_sheet(archive, part, names.get(part), percent)
            elif self.copy:
                self.copy.add(archive, part)
            else:
                for _ in unpacking.chunks(archive, part):
                    pass  # to the end, where the zip says whether this was all

    def look_at_sheet(self, archive: zipfile.ZipFile, part: str, name: str | None, percent: set[bytes]) -> None:
        """Look through one sheet's part; into the copy, it goes with its merged cells left to us."""
        look, beside, rest = reach.Look(), stored.SheetPart(percent), b""
        sheet = self.copy.sheet(part, moves_merged=name is not None) if self.copy else None
        for chunk in unpacking.chunks(archive, part):
            text = rest + chunk
            look.take(text)
            beside.take(text, look.has_error, look.has_formula)
            if sheet:
                sheet.take(chunk, text, look.has_merged)
            rest = chunk[-stored.OVERLAP :]
        if look.is_far(WORKBOOK_CELLS, MOST_COLUMNS):
            self.refuse_far_part(archive, part)
        self.stored[name or ""] = beside.cells
        if sheet and sheet.close():
            self.merged[str(name)] = sheet.merged

    def refuse_far_ods(self, archive: zipfile.ZipFile) -> None:
        """The same for an ods, which repeats a cell or a row instead of writing it again."""
        if b"<manifest:encryption-data" in archive.read("META-INF/manifest.xml"):
            self.refuse_encrypted()
        look = reach.OdsLook()
        for chunk in unpacking.chunks(archive, "content.xml"):
            look.take(chunk)
        if look.rows * max(look.columns, 10) > WORKBOOK_CELLS or look.columns > MOST_COLUMNS:
            self.refuse_large(f"one with cells as far as row {look.rows:,} and column {look.columns:,}")
        if look.has_stored:
            try:
                self.stored = stored.ods_cells(archive.read("content.xml"))
            except ExpatError as error:
                self.refuse_damaged(str(error))

    def refuse_far_part(self, archive: zipfile.ZipFile, part: str) -> None:
        """Refuse a sheet with a cell far off: calamine makes room for all before it, and would end the process."""
        try:
            with archive.open(part) as content:
                row, column = reach.exact_reach(content)
        except ExpatError as error:
            self.refuse_damaged(str(error))
        if row * column > WORKBOOK_CELLS or column > MOST_COLUMNS:
            self.refuse_large(f"one with cells as far as row {row:,} and column {column:,}")

    def refuse_large(self, found: str) -> NoReturn:
        remedy = "Delete what stands far below or to the right of the form, or send a csv."
        limits = f"a sheet of at most {WORKBOOK_CELLS:,} cells and {MOST_COLUMNS:,} columns"
        self.refuse(limits, found, remedy)

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

    def opened(self) -> CalamineWorkbook:
        if self.copy:
            return CalamineWorkbook.from_path(self.copy.finished())
        if self.suffix == self.kind:
            return CalamineWorkbook.from_path(str(self.path))
        # By its path, calamine would go by the ending; an ods that is called xlsx is an ods all the same.
        return CalamineWorkbook.from_filelike(io.BytesIO(self.path.read_bytes()))

    def workbook(self) -> list[Sheet]:
        with self.guarded(), self.opened() as book:
            visible = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.visible == SheetVisibleEnum.Visible
                and sheet.typ == SheetTypeEnum.WorkSheet
                and sheet.name not in (GUIDE_SHEET, EARLIER_SHEET)
            ]
            return [self.sheet(book, name) for name in visible]

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Say of a file that calamine can't read what is wrong with it."""
        try:
            yield
        except PasswordError:
            self.refuse_encrypted()
        except CalamineError as error:
            if "password" in str(error).lower() or "encrypt" in str(error).lower():
                self.refuse_encrypted()
            self.refuse_damaged(str(error))
        except (ValueError, OverflowError) as error:
            self.refuse_damaged(str(error))
        except BaseException as error:  # calamine's own faults come as no Exception, so that nobody catches them
            if type(error).__name__ != "PanicException":
                raise
            self.refuse_damaged("a part of it can't be read")

    def sheet(self, book: CalamineWorkbook, name: str) -> Sheet:
        sheet = book.get_sheet_by_name(name)
        if sheet.total_height * sheet.total_width > WORKBOOK_CELLS or sheet.total_width > MOST_COLUMNS:
            self.refuse_large(f"sheet '{name}' with {sheet.total_height:,} rows by {sheet.total_width:,} columns")
        ranges = [
            ((top + 1, left + 1), (bottom + 1, right + 1))
            for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        ]
        merged = self.merged.get(name, ranges)
        return Sheet(name, tuple(merged), None, Grid(sheet, self.stored.get(name, {}), self.guarded))

    def text(self, start: bytes, encoding: str | None, delimiter: str | None) -> Sheet:
        if self.suffix in (".xlsx", ".xls", ".ods"):
            self.refuse(
                f"a workbook, as the name ends in {self.suffix}",
                "text or a damaged file",
                "Save it again in its true kind.",
            )
        codec = self.encoding(start, encoding)
        separator = self.delimiter(codec, delimiter)
        return Sheet(None, (), (codec, separator), lambda: self.records(codec, separator))

    def encoding(self, start: bytes, declared: str | None) -> str:
        """Return how the text is coded. A byte order mark counts most; then what the layout says; then UTF-8."""
        if start.startswith(codecs.BOM_UTF32_LE):
            self.refuse("text in UTF-8", "text in UTF-32", AS_UTF8)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.check_utf16()
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

    def check_utf16(self) -> None:
        """Refuse a text in UTF-16 that is cut in a character, has a NUL character or a line without an end."""
        decoder, line, since = codecs.getincrementaldecoder("utf-16")(), 1, 0
        try:
            for chunk in self.chunks():
                text = decoder.decode(chunk)
                if "\0" in text:
                    self.refuse_nul(line + text[: text.index("\0")].count("\n"))
                line += text.count("\n")
                since = 0 if "\n" in text or "\r" in text else since + len(text)
                if since > CHUNK:
                    self.refuse_endless(line)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            self.refuse("text in UTF-16", "a character cut in half", AS_UTF8, line)

    def refuse_nul(self, line: int) -> NoReturn:
        self.refuse("text", "a NUL byte, which no text has", AS_UTF8, line)

    def refuse_endless(self, line: int) -> NoReturn:
        remedy = "Save the return as csv again, and send that file."
        self.refuse("lines of at most 1 MB", "a longer one", remedy, line)

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
        decoder, start = codecs.getincrementaldecoder(codec)(), 0
        for chunk in self.chunks():
            if b"\0" in chunk:
                self.refuse_nul(self.line_at(start + chunk.index(b"\0")))
            if len(chunk) == CHUNK and b"\n" not in chunk and b"\r" not in chunk:
                self.refuse_endless(self.line_at(start))
            # Most returns are ASCII, which every coding has; it's decoded only behind a character that is cut in two.
            if not chunk.isascii() or decoder.getstate()[0]:
                self.check_chunk(chunk, decoder, codec, start)
            start += len(chunk)
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            self.refuse(
                f"text in {codec.upper()}",
                "a character cut in half at the end",
                "Send the whole file again.",
                self.line_at(start),
            )

    def check_chunk(self, chunk: bytes, decoder: codecs.IncrementalDecoder, codec: str, start: int) -> None:
        """Refuse a chunk with bytes that the coding doesn't have; ``start`` is where in the file it begins."""
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            self.refuse(
                f"text in {codec.upper()}",
                f"the byte 0x{error.object[error.start]:02X}",
                AS_UTF8,
                self.line_at(start + max(error.start, 0)),
            )

    def line_at(self, place: int) -> int:
        """Return the line, from 1, of the byte at a place of the file."""
        with self.path.open("rb") as file:
            whole, rest = divmod(place, CHUNK)
            return 1 + sum(file.read(CHUNK).count(b"\n") for _ in range(whole)) + file.read(rest).count(b"\n")

    def delimiter(self, codec: str, declared: str | None = None) -> str:
        """Return the delimiter of the layout where it parts the first lines at all, or the one that parts them most."""
        with self.path.open(encoding=codec, newline="") as file:
            lines = [line for line, _ in zip((line for line in file if line.strip()), range(30), strict=False)]
        best, most = declared or DELIMITERS[0], 1
        if declared and _widest(lines, declared) > 1:
            return declared
        for candidate in DELIMITERS:
            widest = _widest(lines, candidate)
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
                is_long = "field larger" in str(error)
                self.refuse(
                    "cells of at most 131,072 characters" if is_long else "a csv record",
                    "a longer one" if is_long else f"one that can't be read: {error}",
                    "Look for a quotation mark that is not closed or not doubled, and send the file again.",
                    line,
                )
            except UnicodeDecodeError:
                self.refuse(f"text in {codec.upper()}", "a character cut in half", "Send the whole file again.", line)
