"""The marts as they would be if a release of some loads were published now: nothing is left behind.

The marts' own views over another ledger, as in :mod:`quarterday.past`. There, who speaks for which period is set out by
the text of ``ledger.plan_publication``, derived facts by the views that a release is built from, and the lines of
returns of figures by the view that their fact is built from. So nothing has to be built before it can be asked for;
what is built already is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from quarterday.errors import OperatorError
from quarterday.past import DERIVED, PLANS, create_current, create_views, definitions, moved
from quarterday.settings import Settings
from quarterday.warehouse import connect

# The marts in which a change is looked for, and the facts that they are made of.
MARTS = ("fct_measurement", *DERIVED)
LINES = "int_fct_measurement"
MEMORY = "64MB"


@dataclass(frozen=True)
class Supposed:
    """Where what would be published can be read, in one transaction that is rolled back.

    ``schema`` has the marts, ``build`` the plan (``planned``). Without derived facts only ``fct_measurement`` is there.
    """

    cursor: Cursor
    schema: str
    build: str
    loads: tuple[int, ...]


@contextmanager
def as_if_released(
    loads: Sequence[int], settings: Settings, release_id: int = 0, derived: bool = True, is_built: bool = False
) -> Iterator[Supposed]:
    """Give the marts as they would be if a release of these loads, and no others, were published now.

    Args:
        loads: Admitted and not released.
        settings: Whose warehouse.
        release_id: The open release, where it is that one; it may take another back.
        derived: Whether outcomes, priorities and checks of printed figures are worked out, which takes longest.
        is_built: Whether the release's facts are in core, and need not be worked out here.

    Raises:
        OperatorError: The marts are not deployed.
    """
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        schema = f"if_released_{connection.get_backend_pid()}"
        # Names come fully qualified out of the catalogue only when none can be found without.
        cursor.execute("set local search_path = ''; set local jit = off")
        cursor.execute(f"set local work_mem = '{MEMORY}'")
        world = Supposed(cursor, schema, f"{schema}_build", tuple(loads))
        _make_ledger(world, release_id)
        _make_marts(world, derived, is_built)
        yield world
        connection.rollback()


def _make_ledger(world: Supposed, release_id: int) -> None:
    cursor = world.cursor
    cursor.execute("select clock_timestamp(), (clock_timestamp() at time zone 'Europe/London')::date")
    moment, day = cursor.fetchone() or (datetime.min, date.min)
    cursor.execute(
        "select prosrc from pg_catalog.pg_proc where oid = 'ledger.plan_publication(bigint)'::pg_catalog.regprocedure"
    )
    (plan,) = cursor.fetchone() or ("",)
    places = {("ledger", name): world.build for name in ("release", "release_load")}
    text = (resources.files("quarterday") / "sql" / "past" / "if_released.sql").read_text(encoding="utf-8")
    cursor.execute(
        sql.SQL(text).format(
            ledger=sql.Identifier(f"{world.schema}_ledger"),
            build=sql.Identifier(world.build),
            release_id=sql.Literal(release_id),
            loads=sql.SQL("{}::bigint[]").format(sql.Literal(list(world.loads))),
            plan=sql.Literal(moved(plan, places)),
            moment=sql.SQL("{}::timestamptz").format(sql.Literal(moment.isoformat())),
            day=sql.SQL("{}::date").format(sql.Literal(day.isoformat())),
        )
    )
    cursor.execute(sql.SQL("analyze {}").format(sql.Identifier(world.build, "planned")))


def _make_marts(world: Supposed, derived: bool, is_built: bool) -> None:
    cursor = world.cursor
    cursor.execute("select (clock_timestamp() at time zone 'Europe/London')::date")
    (day,) = cursor.fetchone() or (date.min,)
    wanted = MARTS if derived else MARTS[:1]
    facts = {} if is_built else {("core", name): world.build for name in wanted}
    if not is_built:
        _work_out_facts(world, derived, facts, day)
    ledger = f"{world.schema}_ledger"
    released = {("ledger", name): ledger for name in ("publication", "release", "release_load")} | facts
    current = create_current(ledger, released, day, cursor)
    marts = {name: text for name, text in definitions(cursor, "mart").items() if name in wanted}
    cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(world.schema)))
    create_views(marts, world.schema, released | current, day, cursor)


def _work_out_facts(world: Supposed, derived: bool, facts: dict[tuple[str, str], str], day: date) -> None:
    cursor = world.cursor
    planned = {("ledger", name): world.build for name in ("release", "release_load", "plan_publication")}
    core = definitions(cursor, "core")
    if LINES not in core or not PLANS.keys() <= core.keys():
        raise OperatorError("The marts are not deployed as the code has them. Run 'quarterday migrate'.")
    _make_lines(world, create_views({LINES: core[LINES]}, world.build, planned, day, cursor)[0])
    if derived:
        # As for the facts themselves: PostgreSQL expects a row of each step, and would compare each with each.
        cursor.execute("set local enable_nestloop = off")
        views = {name: text for name, text in core.items() if name in PLANS}
        create_views(views, world.build, planned | facts, day, cursor, as_tables=True)


def _make_lines(world: Supposed, view: str) -> None:
    """Make ``fct_measurement`` of what is in core and of the lines of the loads, in core already or not."""
    cursor = world.cursor
    cursor.execute(
        """select attname from pg_catalog.pg_attribute
        where attrelid = 'core.fct_measurement'::pg_catalog.regclass and attnum > 0 and not attisdropped
        order by attnum"""
    )
    columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in cursor.fetchall())
    cursor.execute(
        sql.SQL(
            """create table {arriving} as select {columns} from {view};
            analyze {arriving};
            create view {lines} as
            select {columns} from core.fct_measurement where load_id <> all({loads}::bigint[])
            union all
            select {columns} from {arriving}"""
        ).format(
            arriving=sql.Identifier(world.build, "arriving"),
            lines=sql.Identifier(world.build, "fct_measurement"),
            view=sql.Identifier(world.build, view),
            columns=columns,
            loads=sql.Literal(list(world.loads)),
        )
    )
