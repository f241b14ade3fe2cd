"""Reads what a release's site tells: its open data without what that leaves out, and plans, returns and reports.

Nothing about people comes into a page by another way than open data's tables, so a page can't say what they don't.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import RealDictCursor

from quarterday.disclosing.figures import World
from quarterday.errors import OperatorError
from quarterday.opendata import record
from quarterday.opendata.making import rows_of
from quarterday.opendata.saying import leave_out, world_of
from quarterday.opendata.tables import Rows, public_row, public_tables
from quarterday.opendata.writing import Edition, in_order
from quarterday.past import Past, fetch_tables
from quarterday.settings import Settings
from quarterday.site.printing import shown_prints
from quarterday.warehouse import connect

# Beside open data's tables: plans, returns, reports. None says a figure of people that open data might leave out; what
# reports printed is held against open data by shown_prints before anybody sees it.
MORE = (
    "plan_priorities",
    "plan_outcomes",
    "charts",
    "loads",
    "matrix",
    "findings",
    "printed",
    "corrections",
)
# What releases that were public before showed, by public table: its query, and what it asks.
EARLIER = {
    "outcomes": ("earlier_outcomes", "history.fct_outcome"),
    "outcome_years": ("earlier_outcomes", "history.fct_outcome_year"),
    "measurements": ("earlier_measurements", "history.fct_measurement"),
}


@dataclass(frozen=True)
class Told:
    """All that a release's site tells.

    Attributes:
        edition: The release.
        rows: The public tables as open data has them: only public columns, each figure with its shorthand.
        more: Plans, priorities, returns, reports: about no people, or held against ``rows``.
        editions: All releases published by then, the newest first.
        public: The releases that were public before, the oldest first.
        earlier: What these showed of each outcome by quarter and by year, and of figures as sent that some release has
            shown otherwise; by public table, the oldest first.
        left_out: How many figures the release leaves out.
    """

    edition: Edition
    rows: Rows
    more: Rows
    editions: tuple[Edition, ...]
    public: tuple[Edition, ...]
    earlier: Rows
    left_out: int


def read_told(edition: Edition, settings: Settings) -> Told:
    """Return what the site of a release tells, as the release stood.

    Raises:
        OperatorError: What its open data leaves out has not been decided.
    """
    with connect(settings, "owner") as connection:
        with connection.cursor() as cursor:
            made = record.read_made(cursor, edition.release_id)
            if made is None:
                raise OperatorError(
                    f"Release {edition.release_id} has no open data, and so it is not decided what may be shown; no "
                    "site was made.\n  Make it first: quarterday open-data"
                )
            public = _public_before(cursor, edition)
            hidden = {one.release_id: _hidden(cursor, one) for one in public}
            editions = _published_by(cursor, edition)
        with connection.cursor(cursor_factory=RealDictCursor) as rows_cursor:
            facts = _shown_before(rows_cursor, public, edition)
    everything = rows_of(edition, settings)
    world = world_of(everything)
    rows = _as_published(leave_out(everything, made.hidden, world))
    more = _more(edition, editions, settings)
    more["printed"] = shown_prints(more["printed"], rows, made.hidden.union(*hidden.values()), world)
    earlier: Rows = {table: [] for table in EARLIER}
    for one in public:
        for table, shown in _shown_then(facts, one, hidden[one.release_id] | made.hidden, world).items():
            earlier[table] += shown
    return Told(edition, rows, more, editions, tuple(public), earlier, len(made.hidden))


def _as_published(rows: Rows) -> Rows:
    """Return the public tables as their files have them; a column that isn't published is not there to be shown."""
    return {
        table.name: in_order(table, [public_row(table, row) for row in rows[table.name]])
        for table in public_tables().values()
    }


def _more(edition: Edition, editions: Sequence[Edition], settings: Settings) -> Rows:
    """Return what a site shows beside the public tables; of returns those that were published by then."""
    queries = {name: _query(name) for name in MORE}
    more = fetch_tables(Past("as_known", edition.published_at, is_whole_day=False), queries, settings)
    known = {one.release_id for one in editions}
    more["loads"] = [row for row in more["loads"] if row["release_id"] in known]
    return more


def _public_before(cursor: Cursor, edition: Edition) -> list[Edition]:
    """Return the earlier releases that were public when this one became so; the list never changes afterwards."""
    order = record.made_before(cursor)
    place = next(number for number, one in enumerate(order) if one.release_id == edition.release_id)
    return sorted(
        (one for one in order[:place] if one.published_at < edition.published_at), key=lambda one: one.published_at
    )


def _hidden(cursor: Cursor, edition: Edition) -> frozenset[str]:
    made = record.read_made(cursor, edition.release_id)
    return made.hidden if made else frozenset()


def _published_by(cursor: Cursor, edition: Edition) -> tuple[Edition, ...]:
    cursor.execute(
        """select release_id, published_at, reason from ledger.release where published_at <= %s
        order by published_at desc""",
        (edition.published_at,),
    )
    return tuple(Edition(*row) for row in cursor.fetchall())


def _shown_before(cursor: Cursor, public: Sequence[Edition], edition: Edition) -> Rows:
    """Return every figure of releases that were public before, by table, with all that they say about people."""
    given = {"releases": [one.release_id for one in public], "published_at": edition.published_at}
    found = {}
    for table, (query, relation) in EARLIER.items():
        cursor.execute(_query(query).replace("{relation}", relation), given)
        found[table] = [dict(row) for row in cursor.fetchall()]
    return found


def _shown_then(facts: Rows, edition: Edition, hidden: frozenset[str], world: World) -> Rows:
    """Return the figures that an earlier release showed; what it or this release leaves out has no value."""
    rows = {
        table: [row | {"lag_state": "available"} for row in found if row["release_id"] == edition.release_id]
        for table, found in facts.items()
    }
    return leave_out(rows, hidden, world)


def _query(name: str) -> str:
    return (resources.files("quarterday.site") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
