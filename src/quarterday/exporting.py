"""The ledger as one file, from which, with the archive, a lost warehouse is rebuilt.

A zip: ``manifest.json`` and a csv per table of the schema ``ledger``, whichever the catalogue has. The manifest holds
each table's columns and where its numbers go on, and the checksums of the marts and the history of the same moment, so
that a warehouse rebuilt from the file can tell whether it is the same, with the first one gone.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from quarterday.checksums import Checksum, read_checksums
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.versioning import code_version
from quarterday.warehouse import connect

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Table:
    """A table of the ledger in an export: columns in order, rows counted, the last number given out by column."""

    columns: list[str]
    rows: int
    numbers: dict[str, int]


@dataclass(frozen=True)
class LedgerExport:
    """An export file, opened by :func:`open_export`."""

    path: Path
    sha256: str
    code_version: str
    made_at: datetime
    tables: dict[str, Table]
    checksums: dict[str, Checksum]

    @property
    def day(self) -> date:
        """The day that the marts took for today when their checksums were made."""
        return self.made_at.astimezone(UTC).date()

    def rows(self, table: str) -> Iterator[dict[str, str]]:
        """Yield a table's rows as text; null is an empty text."""
        with zipfile.ZipFile(self.path) as archive, archive.open(_entry(table)) as file:
            yield from csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""), self.tables[table].columns)

    def copy_into(self, table: str, cursor: Cursor) -> int:
        """Copy a table's rows into ``ledger.<table>`` as they were; return how many. Not committed here."""
        columns = self.tables[table].columns
        statement = sql.SQL("copy ledger.{} ({}) from stdin with (format csv)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with zipfile.ZipFile(self.path) as archive, archive.open(_entry(table)) as file:
            cursor.copy_expert(statement, file)
        return int(cursor.rowcount)


def export_ledger(path: Path, settings: Settings) -> LedgerExport:
    """Write the whole ledger, as of one moment, to a file. Nobody waits for it and nothing is changed.

    The file gets its name when it is whole and on the disk; one that was there is replaced.

    Args:
        path: The file, such as ``ledger-2026-11-22.zip``.
        settings: Whose warehouse.

    Returns:
        The export, opened.

    Raises:
        OperatorError: There is no warehouse in the database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                _write(archive, settings)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).rename(path)
    finally:
        Path(draft).unlink(missing_ok=True)
    return open_export(path)


def open_export(path: Path) -> LedgerExport:
    """Read what an export says of itself.

    Raises:
        OperatorError: There is no such file, it is no export, or it is damaged.
    """
    if not path.is_file():
        raise OperatorError(f"There is no file {path}. Name a file that 'quarterday export-ledger' has written.")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            manifest = json.loads(archive.read(MANIFEST))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError) as error:
        raise OperatorError(f"{path} is no export of the ledger ({error}). Nothing was read from it.") from None
    if damaged:
        raise OperatorError(f"{path} is damaged: {damaged} is not what was written. Take another copy of the file.")
    if manifest["format"] != FORMAT:
        raise OperatorError(
            f"{path} was written by another version of Quarterday ({manifest['code_version']}), in format "
            f"{manifest['format']} where {FORMAT} is known. Rebuild with that version."
        )
    return _opened(path, manifest)


def _opened(path: Path, manifest: dict[str, Any]) -> LedgerExport:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return LedgerExport(
        path,
        sha256,
        manifest["code_version"],
        datetime.fromisoformat(manifest["made_at"]),
        {name: Table(**table) for name, table in manifest["tables"].items()},
        {name: Checksum.from_json(one) for name, one in manifest["checksums"].items()},
    )


def _write(archive: zipfile.ZipFile, settings: Settings) -> None:
    with connect(settings, "owner") as connection:
        # One state of all tables and marts, however long it takes.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("set local timezone = 'UTC'")
            cursor.execute("select statement_timestamp()")
            (made_at,) = cursor.fetchone() or (datetime.now(UTC),)
            found = {name: _write_table(name, columns, archive, cursor) for name, columns in _tables(cursor).items()}
            if not found:
                raise OperatorError("This database has no ledger, so nothing was written: no warehouse is in it.")
            sums = read_checksums(cursor)
    manifest = {
        "format": FORMAT,
        "code_version": code_version(),
        "made_at": made_at.isoformat(),
        "tables": found,
        "checksums": {name: one.as_json() for name, one in sums.items()},
    }
    archive.writestr(MANIFEST, json.dumps(manifest, indent=1))


def _tables(cursor: Cursor) -> dict[str, list[str]]:
    """Return every table of the ledger with its columns, without those that are worked out from others."""
    cursor.execute(
        """select relation.relname, array_agg(attribute.attname::text order by attribute.attnum)
        from pg_catalog.pg_class as relation
        join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
        join pg_catalog.pg_attribute as attribute on attribute.attrelid = relation.oid
        where namespace.nspname = 'ledger' and relation.relkind in ('r', 'p') and not relation.relispartition
            and attribute.attnum > 0 and not attribute.attisdropped and attribute.attgenerated = ''
        group by relation.relname order by relation.relname"""
    )
    return dict(cursor.fetchall())


def _write_table(name: str, columns: list[str], archive: zipfile.ZipFile, cursor: Cursor) -> dict[str, Any]:
    statement = sql.SQL("copy (select {} from ledger.{}) to stdout with (format csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(name)
    )
    with archive.open(_entry(name), "w", force_zip64=True) as file:
        cursor.copy_expert(statement, file)
    rows = int(cursor.rowcount)
    numbers = {}
    for column in columns:
        if sequence := sequence_of(name, column, cursor):
            cursor.execute(f"select case when is_called then last_value else 0 end from {sequence}")
            (numbers[column],) = cursor.fetchone() or (0,)
    return {"columns": columns, "rows": rows, "numbers": numbers}


def sequence_of(table: str, column: str, cursor: Cursor) -> str | None:
    """Return the sequence that numbers a column of the ledger, quoted and with its schema; None where none does."""
    cursor.execute(
        "select pg_catalog.pg_get_serial_sequence(%s, %s)", (sql.Identifier("ledger", table).as_string(cursor), column)
    )
    (sequence,) = cursor.fetchone() or (None,)
    return None if sequence is None else str(sequence)


def _entry(table: str) -> str:
    return f"ledger/{table}.csv"
