"""Writes a return's lines to its landing table by COPY, as sent."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import IO

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.contracts import Form
from quarterday.generating import landing_columns
from quarterday.identifying import Identity
from quarterday.reading.files import is_workbook
from quarterday.reading.lines import Block, PlainCsv, plain_csv, read_blocks

# Text codings that PostgreSQL reads itself, by Python's name.
ENCODINGS = {"utf-8": "UTF8", "utf-8-sig": "UTF8", "cp1252": "WIN1252"}
LONGEST_RECORD = 2**20
# A register csv of this size has a partition of its own; the form's other loads share one.
LARGE_BYTES = 16 * 2**20
# A workbook holds as much in a quarter of the bytes.
LARGE_WORKBOOK_BYTES = 4 * 2**20
CHUNK_BYTES = 2**18

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def land_return(path: Path, form: Form, identity: Identity, load_id: int, connection: Connection) -> int:
    """Write one return's lines to ``landing.<form>``, replacing any of that load.

    Args:
        path: The file.
        form: The form that it is.
        identity: What it is, of :func:`quarterday.identifying.identify`.
        load_id: Stands on every line.
        connection: Open transaction. Not committed here.

    Returns:
        The number of lines.

    Raises:
        ReturnRejected: The return can't be read as its form. Lines may have been written: roll back.
    """
    with connection.cursor() as cursor:
        cursor.execute(f'delete from landing."{form.name}" where load_id = %s', (load_id,))
        as_it_stands = plain_csv(path, form, identity)
        if as_it_stands and as_it_stands.encoding in ENCODINGS:
            for copy in _ways(path, as_it_stands, connection.server_version):
                cursor.execute("savepoint as_it_stands")
                try:
                    return copy(path, as_it_stands, form, load_id, cursor)
                except psycopg2.DataError:
                    # A line that COPY can't take: the slower way, which says to the partner what is wrong with it.
                    cursor.execute("rollback to savepoint as_it_stands")
        return _copy_lines(path, form, identity, load_id, cursor)


def _ways(path: Path, csv: PlainCsv, version: int) -> Iterator[Callable[[Path, PlainCsv, Form, int, Cursor], int]]:
    """Yield the ways of copying a csv's own bytes, the fastest first; the next is for one that fails."""
    if _is_large(path) and len(csv.names) > 1:
        yield _copy_whole
        # Before PostgreSQL 18 a line of \\. ended the data without an error.
        if version >= 180000 and not _has(path, b'"') and _has(path, b"\\"):
            yield partial(_copy_whole, is_csv=True)
    yield _copy_as_it_stands


def _is_large(path: Path) -> bool:
    return path.stat().st_size >= (LARGE_WORKBOOK_BYTES if is_workbook(path) else LARGE_BYTES)


def _copy_lines(path: Path, form: Form, identity: Identity, load_id: int, cursor: Cursor) -> int:
    """Copy what the reader makes of a return, a large register into a partition of its own."""
    columns = landing_columns(form)
    rows = copy_rows(read_blocks(path, form, identity, columns), load_id)
    has_own = not form.is_indicator and _is_large(path)
    table = _open_load(form, load_id, cursor) if has_own else f'landing."{form.name}"'
    how = "null '', freeze" if has_own else "null ''"
    _copy(f"copy {table} ({_names(('load_id', *columns))}) from stdin with ({how})", _Stream(rows), cursor)
    count = int(cursor.rowcount)
    if has_own:
        _close_load(form, load_id, cursor)
    return count


def _open_load(form: Form, load_id: int, cursor: Cursor) -> str:
    """Make the partition of a large load, seen by nobody yet, and return its name."""
    cursor.execute("select landing.open_load(%s, %s)", (form.name, load_id))
    (table,) = cursor.fetchone() or ("",)
    return str(table)


def _close_load(form: Form, load_id: int, cursor: Cursor) -> None:
    cursor.execute("select landing.close_load(%s, %s)", (form.name, load_id))


def _copy_as_it_stands(path: Path, csv: PlainCsv, form: Form, load_id: int, cursor: Cursor) -> int:
    """Copy a csv's own bytes, each record after its load and line number: several times as fast as line by line.

    Raises:
        psycopg2.DataError: A record is not as COPY wants it, or there is none.
    """
    statement = (
        f'copy landing."{form.name}" ({_names(("load_id", "line_number", *csv.names))}) from stdin with '
        f"(format csv, delimiter E'\\x{ord(csv.delimiter):02x}', encoding '{ENCODINGS[csv.encoding]}', "
        f"force_null ({_names(csv.names)}))"
    )
    _copy(statement, _Stream(numbered_records(path, csv.delimiter.encode(), load_id)), cursor)
    if cursor.rowcount == 0:
        raise psycopg2.DataError("no lines")
    return int(cursor.rowcount)


def _copy_whole(path: Path, csv: PlainCsv, form: Form, load_id: int, cursor: Cursor, is_csv: bool = False) -> int:
    """Copy a large csv into a partition of its own, at the speed of a bare COPY: the database numbers the lines.

    The file has no quotation mark, so a record is a line. A line of blanks alone is counted and left out. Without a
    backslash either, a csv is what COPY calls text, which it reads faster.

    Raises:
        psycopg2.DataError: A record is not as COPY wants it, there is a mark of those, or there is no record.
    """
    table = _open_load(form, load_id, cursor)
    kind, marks = ("csv", (b'"',)) if is_csv else ("text, null ''", (b'"', b"\\"))
    statement = (
        f"copy {table} ({_names(csv.names)}) from stdin with (format {kind}, header, freeze, "
        f"delimiter E'\\x{ord(csv.delimiter):02x}', encoding '{ENCODINGS[csv.encoding]}') where {_is_filled(csv, form)}"
    )
    with path.open("rb", buffering=0) as file:
        _copy(statement, _Unmarked(file, marks), cursor)
    count = int(cursor.rowcount)
    if count == 0:
        raise psycopg2.DataError("no lines")
    _close_load(form, load_id, cursor)
    return count


def _is_filled(csv: PlainCsv, form: Form) -> str:
    """Return the condition that a record is a line: a column that is always given says so at once."""
    required = {column.name for column in form.contract.columns if column.required}
    names = sorted(csv.names, key=lambda name: name not in required)
    starts = " or ".join(f'ascii("{name}") > 32' for name in names)
    return f"{starts} or btrim(concat({_names(names)}), E' \\t') <> ''"


def _has(path: Path, mark: bytes) -> bool:
    """Say whether a byte stands in a file."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            if mark in chunk:
                return True
    return False


def _copy(statement: str, stream: _Source, cursor: Cursor) -> None:
    try:
        cursor.copy_expert(statement, stream, CHUNK_BYTES)
    except psycopg2.errors.QueryCanceled:
        if stream.error:  # psycopg2 keeps only the text of what a read raises
            raise stream.error from None
        raise


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def numbered_records(path: Path, delimiter: bytes, load_id: int) -> Iterator[bytes]:
    """Yield a csv's records below its header as they stand, each after the load and the line on which it begins.

    Raises:
        psycopg2.DataError: A record that COPY would read otherwise than the csv reader does.
    """
    other = re.escape(delimiter)
    field = rb'(?:"(?:[^"]|"")*"|[^"%s\r\n]*)' % other
    well_quoted = re.compile(rb"%s(?:%s%s)*\r?\n?" % (field, other, field))
    head = b"%d%s%%d%s" % (load_id, delimiter, delimiter)
    for start, record in _records(path):
        if start == 1 or not record.strip(b' \t\r\n"' + delimiter):
            continue
        if b'"' in record and not well_quoted.fullmatch(record):
            raise psycopg2.DataError(f"line {start} has a quotation mark inside a field")
        yield head % start + (record if record.endswith(b"\n") else record + b"\n")


def _records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (first line, bytes) of every record: a line, or several where a quoted cell holds line breaks."""
    parts: list[bytes] = []
    start, quotes, length = 1, 0, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            parts.append(line)
            quotes += line.count(b'"')
            length += len(line)
            if quotes % 2 == 0:
                yield start, line if len(parts) == 1 else b"".join(parts)
                parts, start, quotes, length = [], number + 1, 0, 0
            elif length > LONGEST_RECORD:
                raise psycopg2.DataError(f"line {start} has a quotation mark that is not closed")
    if parts:
        raise psycopg2.DataError(f"line {start} has a quotation mark that is not closed")


def copy_rows(blocks: Iterable[Block], load_id: int) -> Iterator[bytes]:
    """Yield blocks of lines as rows of COPY's text format, in which an empty text is null."""
    for block in blocks:
        lines = len(block[0])
        text = _as_text(block, load_id)
        # Hardly a cell has anything to escape, which the whole block tells faster than its cells.
        has_other_tabs = text.count("\t") != lines * len(block) or text.count("\n") != lines
        if has_other_tabs or "\\" in text or "\r" in text:
            text = _as_text([[cell.translate(_ESCAPES) for cell in column] for column in block], load_id)
        yield text.encode()


def _as_text(block: Block, load_id: int) -> str:
    rows = zip(repeat(str(load_id)), *block, strict=False)
    return "\n".join(map("\t".join, rows)) + "\n"


class _Source(ABC):
    """A file that COPY reads. What a read raises is kept."""

    error: Exception | None = None

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Return at most ``size`` bytes; nothing at the end."""
        try:
            return self._read(size)
        except Exception as error:
            self.error = error
            raise

    def readline(self, size: int = CHUNK_BYTES) -> bytes:
        """Return what :meth:`read` does; psycopg2 asks for the method and never calls it."""
        return self.read(size)

    @abstractmethod
    def _read(self, size: int) -> bytes: ...


class _Unmarked(_Source):
    """A file's own bytes, as long as certain marks are not among them."""

    def __init__(self, file: IO[bytes], marks: tuple[bytes, ...]) -> None:
        self.file, self.marks = file, marks

    def _read(self, size: int) -> bytes:
        chunk = self.file.read(size)
        for mark in self.marks:
            if mark in chunk:
                raise psycopg2.DataError(f"there is a {mark.decode()}")
        return chunk


class _Stream(_Source):
    """Rows of a generator: no more of a return is in memory than one read takes."""

    def __init__(self, rows: Iterator[bytes]) -> None:
        self.rows, self.rest = rows, b""

    def _read(self, size: int) -> bytes:
        parts, length = [self.rest], len(self.rest)
        while length < size and (row := next(self.rows, None)) is not None:
            parts.append(row)
            length += len(row)
        content = b"".join(parts)
        self.rest = content[size:]
        return content[:size]
