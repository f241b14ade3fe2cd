"""The marts as they stood: as known to this warehouse at a moment, or as issued by partners by a day.

The definitions of the marts' views are taken as they are and made again over another ledger: one that holds what was
known by then, or one that holds what had been issued by then. So every mart has a past, and no rule is written twice.
Derived facts are kept for each release; as issued by a day they are worked out anew, by the views that a release is
built from. Reference data (the seeds) are those of today.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from graphlib import TopologicalSorter
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.warehouse import connect

Kind = Literal["as_known", "as_issued"]
LONDON = ZoneInfo("Europe/London")
# The facts that are worked out for each release, and so have no line of a return to be told apart by.
DERIVED = ("fct_outcome", "fct_outcome_year", "fct_priority", "fct_figure_check")
# A derived fact of a release is what this view says while the release is open.
PLANS = {f"int_{name}": name for name in DERIVED}
# What the publishing transaction keeps of the marts as they stand is what this view says of any ledger.
CURRENT = {
    f"int_{name}_current": f"{name}_current"
    for name in ("fct_measurement", "fct_outcome", "fct_priority", "fct_recorded_crime_count")
}
_NAME = re.compile(r"\b(ledger|core|mart)\.([a-z_]+)\b")
_TODAY = re.compile(r"\bCURRENT_DATE\b")

Places = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Past:
    """A point in the past. ``moment`` is the last instant that counts; ``day`` is its day in London."""

    kind: Kind
    moment: datetime
    is_whole_day: bool = True

    @property
    def day(self) -> date:
        """The day in London."""
        return self.moment.astimezone(LONDON).date()

    @property
    def schema(self) -> str:
        """The schema of views that shows it, such as ``as_known_2018_04_23``."""
        clock = "" if self.is_whole_day else f"{self.moment.astimezone(LONDON):_%H%M%S}"
        return f"{self.kind}_{self.day:%Y_%m_%d}{clock}"


def parse_past(kind: Kind, text: str) -> Past:
    """Return the point that ``2018-04-23`` (the end of that day in London) or ``2018-04-23 14:30`` means.

    Raises:
        OperatorError: The text is neither, or a time of day where only a day makes sense.
    """
    try:
        if len(text) == len("2018-04-23"):
            return end_of_day(kind, date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"'{text}' is no day. Write it as 2018-04-23, or with the time as '2018-04-23 14:30'."
        ) from None
    if kind == "as_issued":
        raise OperatorError(f"'{text}' has a time, and returns are issued on a day. Write it as {moment:%Y-%m-%d}.")
    return Past(kind, moment if moment.tzinfo else moment.replace(tzinfo=LONDON), is_whole_day=False)


def end_of_day(kind: Kind, day: date) -> Past:
    """Return the last instant of a day in London."""
    midnight = datetime.combine(day + timedelta(days=1), time(), LONDON)
    return Past(kind, midnight - timedelta(microseconds=1))


def fetch_past(past: Past, statement: str, settings: Settings) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return column names and rows of a query in which ``mart`` is what it was then. Nothing is left behind.

    Raises:
        OperatorError: The query is wrong, or would change something.
    """
    with _views(past, settings) as (cursor, schema):
        asked = moved(statement, {("mart", name): schema for name in definitions(cursor, "mart")})
        cursor.execute("set local transaction_read_only = on")
        cursor.execute("set local search_path = public")
        try:
            cursor.execute(asked)
        except psycopg2.Error as error:
            message = (error.pgerror or str(error)).strip().replace(schema, "mart")
            raise OperatorError(f"The database refused: {message}") from None
        return [column.name for column in cursor.description or ()], cursor.fetchall() if cursor.description else []


def fetch_tables(past: Past, statements: Mapping[str, str], settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Return the rows, by column, of several queries in which ``mart`` is what it was then. Nothing is left behind."""
    with _views(past, settings) as (cursor, schema):
        places = {("mart", name): schema for name in definitions(cursor, "mart")}
        cursor.execute("set local transaction_read_only = on")
        cursor.execute("set local search_path = public")
        found = {}
        for name, statement in statements.items():
            cursor.execute(moved(statement, places))
            columns = [column.name for column in cursor.description or ()]
            found[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        return found


def make_schema(past: Past, settings: Settings) -> list[str]:
    """Make the schema of views that shows the past to readers, anew if it is there; return the names of its views."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        drop_schema(past, cursor)
        names = _make_views(past, past.schema, cursor)
        name = sql.Identifier(past.schema)
        cursor.execute(sql.SQL("grant usage on schema {} to quarterday_reader, quarterday_loader").format(name))
        cursor.execute(
            sql.SQL("grant select on all tables in schema {} to quarterday_reader, quarterday_loader").format(name)
        )
        return names


def drop_schema(past: Past, cursor: Cursor) -> None:
    """Drop the schema of views, if it is there."""
    for schema in _schemas(past.schema):
        cursor.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def write_files(past: Past, folder: Path, settings: Settings) -> list[Path]:
    """Write every mart as it stood then as ``<mart>.csv`` below a folder; return the paths.

    Raises:
        OperatorError: A file of that name is there already. Nothing was written.
    """
    with _views(past, settings) as (cursor, schema):
        paths = {name: folder / f"{name}.csv" for name in sorted(definitions(cursor, "mart"))}
        there = [str(path) for path in paths.values() if path.exists()]
        if there:
            raise OperatorError(f"{there[0]} is there already, so nothing was written. Name an empty folder.")
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            _copy_out(cursor, sql.Identifier(schema, name), path)
        return list(paths.values())


def _copy_out(cursor: Cursor, relation: sql.Identifier, path: Path) -> None:
    """Write a relation as csv, in an order that is the same each time."""
    cursor.execute(sql.SQL("select * from {} limit 0").format(relation))
    order = sql.SQL(", ").join(sql.SQL(str(number)) for number in range(1, len(cursor.description or ()) + 1))
    statement = sql.SQL("copy (select * from {} order by {}) to stdout with (format csv, header)")
    with path.open("w", encoding="utf-8", newline="") as file:
        cursor.copy_expert(statement.format(relation, order).as_string(cursor), file)


@contextmanager
def _views(past: Past, settings: Settings) -> Iterator[tuple[Cursor, str]]:
    """Give a cursor that sees the views of a past, in a transaction that is rolled back at the end."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        schema = f"{past.schema}_{connection.get_backend_pid()}"
        _make_views(past, schema, cursor)
        yield cursor, schema
        connection.rollback()


def _make_views(past: Past, schema: str, cursor: Cursor) -> list[str]:
    """Make ledger, derived facts and marts of a past; return the names of the marts."""
    # Names come fully qualified out of the catalogue only when none can be found without.
    cursor.execute("set local search_path = ''")
    ledger, build = _schemas(schema)[1:]
    cursor.execute(_template(past, ledger, build))
    ledgers = _relations(cursor, ledger)
    places: dict[tuple[str, str], str] = {("ledger", name): ledger for name in ledgers}
    if past.kind == "as_issued":
        open_places = places | {("ledger", name): build for name in ("release", "plan_publication")}
        facts = {("core", name): build for name in DERIVED}
        planned = {name: text for name, text in definitions(cursor, "core").items() if name in PLANS}
        create_views(planned, build, open_places | facts, past.day, cursor)
        places |= facts
    places |= create_current(ledger, places, past.day, cursor)
    marts = definitions(cursor, "mart")
    cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    return create_views(marts, schema, places | {("mart", name): schema for name in marts}, past.day, cursor)


def create_current(schema: str, places: Places, day: date, cursor: Cursor) -> dict[tuple[str, str], str]:
    """Create views of what is kept of the marts as they stand, asked of another ledger; return where each is."""
    selects = {name: text for name, text in definitions(cursor, "core").items() if name in CURRENT}
    return {("core", name): schema for name in create_views(selects, schema, places, day, cursor)}


def create_views(
    selects: Mapping[str, str], schema: str, places: Places, day: date, cursor: Cursor, as_tables: bool = False
) -> list[str]:
    """Create views, or tables of what they would show, in an order in which each finds those that it reads.

    Args:
        selects: The definition of each, as the catalogue has it.
        schema: Where they are made.
        places: Where each relation that they read is to be found instead.
        day: What is taken for today.
        cursor: The owner's.
        as_tables: Of what is read several times a table is cheaper.

    Returns:
        Their names.
    """
    names = PLANS | CURRENT
    views = {names.get(name, name): moved(text, places) for name, text in selects.items()}
    read = {
        name: {found[1] for found in re.findall(rf"\b({schema})\.([a-z_]+)\b", text) if found[1] in views}
        for name, text in views.items()
    }
    for name in TopologicalSorter(read).static_order():
        text = on_day(views[name], day)
        kind = sql.SQL("table" if as_tables else "view")
        made = sql.SQL("create {} {} as ").format(kind, sql.Identifier(schema, name))
        cursor.execute(made.as_string(cursor) + text)
    return sorted(views)


def on_day(text: str, day: date) -> str:
    """Return a view's select as it is asked on a day."""
    return _TODAY.sub(f"DATE '{day}'", text)


def moved(text: str, places: Places) -> str:
    """Return a statement with relations taken from elsewhere; their names, and so their aliases, stay."""

    def place(match: re.Match[str]) -> str:
        schema = places.get((match[1], match[2]), match[1])
        return f"{schema}.{match[2]}"

    return _NAME.sub(place, text)


def definitions(cursor: Cursor, schema: str) -> dict[str, str]:
    """Return the views of a schema by name, each with its select, every relation named with its schema."""
    cursor.execute("set local search_path = ''")
    cursor.execute(
        """select relname, pg_catalog.pg_get_viewdef(oid) from pg_catalog.pg_class
        where relnamespace = %s::regnamespace and relkind = 'v' order by relname""",
        (schema,),
    )
    return {name: text.rstrip().rstrip(";") for name, text in cursor.fetchall()}


def _relations(cursor: Cursor, schema: str) -> list[str]:
    cursor.execute("select relname from pg_catalog.pg_class where relnamespace = %s::regnamespace", (schema,))
    return [name for (name,) in cursor.fetchall()]


def _template(past: Past, ledger: str, build: str) -> sql.Composed:
    """Return the statements that make the ledger of a past."""
    text = (resources.files("quarterday") / "sql" / "past" / f"{past.kind}.sql").read_text(encoding="utf-8")
    return sql.SQL(text).format(
        ledger=sql.Identifier(ledger),
        build=sql.Identifier(build),
        moment=sql.SQL("{}::timestamptz").format(sql.Literal(past.moment.isoformat())),
        day=sql.SQL("{}::date").format(sql.Literal(past.day.isoformat())),
    )


def _schemas(schema: str) -> tuple[str, str, str]:
    """Return the schemas of a past: of its marts, its ledger, and its derived facts; dropped in this order."""
    return schema, f"{schema}_ledger", f"{schema}_build"
