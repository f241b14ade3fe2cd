"""One checksum per relation, by which two warehouses, or one before and after, are held against each other row for row.

A row's text is hashed and the hashes are added up, so the order of rows counts for nothing and a row that stands twice
counts twice. Columns are taken by name and values in their text form, so neither places nor numbers of the database's
own have a part in it. The database reads each relation once; no row comes out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from quarterday.past import definitions, on_day
from quarterday.settings import Settings
from quarterday.warehouse import connect

SCHEMAS = ("mart", "history")
# What changes the text of a value, whoever asks.
PLAIN = (
    "timezone = 'UTC'",
    "datestyle = 'ISO, YMD'",
    "intervalstyle = 'postgres'",
    "extra_float_digits = 1",
    "bytea_output = 'hex'",
    "jit = off",
)


@dataclass(frozen=True)
class Checksum:
    """What a relation holds: its rows counted, and a sum of 64 bits over them, as 16 digits.

    ``releases`` has the same for each release, of a relation of ``history`` whose rows belong to releases.
    """

    rows: int
    checksum: str
    releases: dict[int, Checksum] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what ``quarterday checksums --json`` prints of it."""
        told: dict[str, Any] = {"rows": self.rows, "checksum": self.checksum}
        if self.releases:
            told["releases"] = {str(number): one.as_json() for number, one in self.releases.items()}
        return told

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Checksum:
        """Return what :meth:`as_json` told."""
        releases = {int(number): cls.from_json(one) for number, one in told.get("releases", {}).items()}
        return cls(told["rows"], told["checksum"], releases)


def checksums(settings: Settings, schemas: Sequence[str] = SCHEMAS) -> dict[str, Checksum]:
    """Return the checksum of every relation of some schemas, by ``schema.name``, all of one state of the warehouse."""
    with connect(settings, "owner") as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            return read_checksums(cursor, schemas)


def read_checksums(cursor: Cursor, schemas: Iterable[str] = SCHEMAS, day: date | None = None) -> dict[str, Checksum]:
    """Return the checksum of every relation of some schemas, by ``schema.name``.

    Args:
        cursor: Of a role that may read them; what it sets lasts until the end of its transaction.
        schemas: Their names.
        day: What the relations that look at the calendar take for today; by default today, in UTC.
    """
    for setting in PLAIN:
        cursor.execute(f"set local {setting}")
    found = {}
    for schema in schemas:
        views = definitions(cursor, schema) if day else {}
        for name, columns in _relations(cursor, schema).items():
            relation: sql.Composable = sql.Identifier(schema, name)
            if day and (text := on_day(views.get(name, ""), day)) != views.get(name, ""):
                relation = sql.SQL(f"({text}) as asked")
            found[f"{schema}.{name}"] = _checksum(cursor, relation, columns, is_versioned=schema == "history")
    return found


def differences(expected: dict[str, Checksum], found: dict[str, Checksum]) -> list[str]:
    """Return a line for each relation that is not as expected, with the releases in which it isn't."""
    return [
        f"{name}: expected {_told(expected.get(name))}, found {_told(found.get(name))}"
        + _in_releases(expected, found, name)
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def _told(one: Checksum | None) -> str:
    return f"{one.rows} rows {one.checksum}" if one else "no such relation"


def _in_releases(expected: dict[str, Checksum], found: dict[str, Checksum], name: str) -> str:
    if name not in expected or name not in found:
        return ""
    before, now = expected[name].releases, found[name].releases
    unlike = [number for number in sorted(before.keys() | now.keys()) if before.get(number) != now.get(number)]
    return f", in release {', '.join(map(str, unlike))}" if unlike else ""


def _relations(cursor: Cursor, schema: str) -> dict[str, list[str]]:
    """Return the tables and views of a schema, each with its columns by name."""
    cursor.execute(
        """select relation.relname, array_agg(attribute.attname::text order by attribute.attname collate "C")
        from pg_catalog.pg_class as relation
        join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
        join pg_catalog.pg_attribute as attribute on attribute.attrelid = relation.oid
        where namespace.nspname = %s and relation.relkind in ('r', 'p', 'v', 'm') and not relation.relispartition
            and attribute.attnum > 0 and not attribute.attisdropped
        group by relation.relname order by relation.relname""",
        (schema,),
    )
    return dict(cursor.fetchall())


def _checksum(cursor: Cursor, relation: sql.Composable, columns: list[str], is_versioned: bool) -> Checksum:
    by_release = is_versioned and "release_id" in columns
    # A row in brackets tells an empty text from null, and where one value ends.
    statement = sql.SQL(
        "select {release}, count(*), coalesce(sum(pg_catalog.hashtextextended(row({columns})::text, {seed})), 0) "
        "from {relation} group by 1"
    ).format(
        release=sql.SQL("release_id" if by_release else "null::bigint"),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        seed=sql.Literal(_seed(columns)),
        relation=relation,
    )
    cursor.execute(statement)
    parts = sorted(cursor.fetchall())
    releases = {number: Checksum(rows, _digits(total)) for number, rows, total in parts} if by_release else {}
    return Checksum(sum(rows for _, rows, _ in parts), _digits(sum(total for _, _, total in parts)), releases)


def _seed(columns: list[str]) -> int:
    """Return a number of the columns' names, so that the same values under other names are not the same."""
    return int.from_bytes(hashlib.sha256("\n".join(columns).encode()).digest()[:8], "big", signed=True)


def _digits(total: Any) -> str:
    return f"{int(total) % 2**64:016x}"
