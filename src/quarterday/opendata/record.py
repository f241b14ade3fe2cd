"""The ledger of open data: what was made public and in which order, what was left out and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from quarterday.disclosing.deciding import Decision, Suppression
from quarterday.errors import OperatorError
from quarterday.opendata.writing import Edition
from quarterday.versioning import code_version

# One open data at a time: what is left out of one depends on what the others show.
LOCK = "quarterday.open_data"


@dataclass(frozen=True)
class Made:
    """Open data that was made before: what was left out, by key, and the hash of each file."""

    hidden: frozenset[str]
    files: Mapping[str, str]
    code_version: str


def wait_for_turn(cursor: Cursor) -> None:
    """Keep others from making open data until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", (LOCK,))


def edition_of(cursor: Cursor, release_id: int | None) -> Edition:
    """Return a published release, or the newest.

    Raises:
        OperatorError: There is no such release, or it is not published.
    """
    cursor.execute(
        """select release_id, published_at, reason from ledger.release
        where published_at is not null and release_id = coalesce(%s, release_id)
        order by published_at desc limit 1""",
        (release_id,),
    )
    row = cursor.fetchone()
    if row is None:
        which = f"Release {release_id} is not" if release_id else "No release is"
        raise OperatorError(f"{which} published, so no open data was made. See: quarterday status")
    return Edition(*row)


def made_before(cursor: Cursor) -> list[Edition]:
    """Return the releases whose open data was made, in the order in which they became public."""
    cursor.execute(
        """select release.release_id, release.published_at, release.reason
        from ledger.open_data
        join ledger.release using (release_id)
        order by open_data.made_at, release.release_id"""
    )
    return [Edition(*row) for row in cursor.fetchall()]


def read_made(cursor: Cursor, release_id: int) -> Made | None:
    """Return what is known of a release's open data; None where it was never made."""
    cursor.execute("select code_version from ledger.open_data where release_id = %s", (release_id,))
    row = cursor.fetchone()
    if row is None:
        return None
    cursor.execute("select figure from ledger.suppression where release_id = %s", (release_id,))
    hidden = frozenset(figure for (figure,) in cursor.fetchall())
    cursor.execute("select path, sha256 from ledger.open_data_file where release_id = %s", (release_id,))
    return Made(hidden, dict(cursor.fetchall()), row[0])


def note(cursor: Cursor, edition: Edition, decision: Decision, files: Mapping[str, tuple[str, int]]) -> datetime:
    """Write down what is about to be public; not committed here.

    Args:
        cursor: The owner's.
        edition: The release.
        decision: What is left out of it.
        files: Hash and size of each file by its path in the folder.

    Returns:
        When.
    """
    cursor.execute(
        """insert into ledger.open_data (release_id, code_version, lost, is_least, given_away)
        values (%s, %s, %s, %s, %s) returning made_at""",
        (edition.release_id, code_version(), decision.loss, decision.is_least, list(decision.given_away)),
    )
    (made_at,) = cursor.fetchone() or (datetime.min,)
    _insert(
        cursor,
        "ledger.open_data_file (release_id, path, sha256, byte_count)",
        ((edition.release_id, path, *file) for path, file in sorted(files.items())),
    )
    _insert(
        cursor,
        """ledger.suppression (release_id, figure, measure_code, role, breakdown_code, area_code, period_start,
        period_end, value, rule, threshold)""",
        (_as_row(edition.release_id, key, one) for key, one in sorted(decision.suppressions.items())),
    )
    assert isinstance(made_at, datetime)
    return made_at


def _as_row(release_id: int, key: str, one: Suppression) -> tuple[object, ...]:
    slot = one.figure.slot
    of = (slot.measure, slot.role, slot.breakdown, slot.area, slot.start, slot.end)
    return (release_id, key, *of, one.figure.value, one.rule, one.threshold)


def _insert(cursor: Cursor, into: str, rows: Iterable[tuple[object, ...]]) -> None:
    if values := list(rows):
        execute_values(cursor, f"insert into {into} values %s", values)
