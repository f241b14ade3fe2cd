"""Writes a return's lines to its landing table by COPY, as sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from quarterday.contracts import Form
from quarterday.generating import landing_columns
from quarterday.identifying import Identity
from quarterday.reading.files import read_grid
from quarterday.reading.lines import Line, read_return

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
        columns = landing_columns(form)
        names = ", ".join(f'"{name}"' for name in ("load_id", *columns))
        stream = _Stream(copy_rows(read_return(path, form, identity), columns, load_id))
        try:
            cursor.copy_expert(f'copy landing."{form.name}" ({names}) from stdin', stream)
        except psycopg2.errors.QueryCanceled:
            if stream.error:  # psycopg2 keeps only the text of what a read raises
                raise stream.error from None
            raise
        return int(cursor.rowcount)


def copy_rows(lines: Iterable[Line], columns: tuple[str, ...], load_id: int) -> Iterator[bytes]:
    """Yield each line as a row of COPY's text format."""
    for line in lines:
        cells = (line.cells.get(name) for name in columns)
        texts = ("\\N" if cell is None else cell.translate(_ESCAPES) for cell in cells)
        yield f"{load_id}\t{chr(9).join(texts)}\n".encode()


class _Stream:
    """A file that COPY reads, fed by a generator: no more of a return is in memory than one read takes."""

    def __init__(self, rows: Iterator[bytes]) -> None:
        self.rows, self.rest = rows, b""
        self.error: Exception | None = None

    def read(self, size: int = 8192) -> bytes:
        """Return at most ``size`` bytes; nothing at the end."""
        try:
            return self._read(size)
        except Exception as error:
            self.error = error
            raise

    def _read(self, size: int) -> bytes:
        parts, length = [self.rest], len(self.rest)
        while length < size and (row := next(self.rows, None)) is not None:
            parts.append(row)
            length += len(row)
        content = b"".join(parts)
        self.rest = content[size:]
        return content[:size]
