"""Writes to the ledger that more than one stage makes. The tables themselves are in ``sql/020_ledger.sql``."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from quarterday.archiving import ArchivedFile
from quarterday.identifying import Identity

LOAD_LOCK = "quarterday.load"
RELEASE_LOCK = "quarterday.release"


def insert_load(
    archived: ArchivedFile,
    file_name: str,
    partner_code: str,
    identity: Identity | None,
    connection: Connection,
    run_id: str | None = None,
) -> int:
    """Write a load and its first event in the caller's transaction; return its id.

    Args:
        archived: Where the bytes are kept.
        file_name: As the partner named the file.
        partner_code: The inbox folder it came in by.
        identity: What the file is; None when no form claims it. Without a day of issue, today counts.
        connection: Not committed here.
        run_id: The Airflow run, if any.
    """
    known = (
        (identity.form, identity.edition, str(identity.reporting_quarter), identity.issued_on)
        if identity
        else (None,) * 4
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.load (
                file_sha256, file_name, file_bytes, archive_path, partner_code,
                form, edition, reporting_quarter, issued_on
            ) values (%s, %s, %s, %s, %s, %s, %s, %s, coalesce(%s, current_date)) returning load_id""",
            (archived.sha256, file_name, archived.size, archived.path, partner_code, *known),
        )
        row = cursor.fetchone()
        assert row is not None
    note_event(row[0], "registered", file_name, connection, run_id)
    return int(row[0])


def register_again(load_id: int, connection: Connection) -> int:
    """Write a second load of a load's file, to take its place, in the caller's transaction; return its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.load (
                file_sha256, file_name, file_bytes, archive_path, partner_code,
                form, edition, reporting_quarter, issued_on, corrects_load_id
            )
            select
                file_sha256, file_name, file_bytes, archive_path, partner_code,
                form, edition, reporting_quarter, issued_on, load_id
            from ledger.load where load_id = %s
            returning load_id""",
            (load_id,),
        )
        row = cursor.fetchone()
        assert row is not None
    return int(row[0])


def hold_load(load_id: int, connection: Connection) -> None:
    """Wait until no other transaction lands or judges a load, and keep others waiting until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s), %s)", (LOAD_LOCK, load_id % 2**31))


def hold_release(connection: Connection) -> None:
    """Wait until nobody opens, fills or publishes a release, and keep others waiting until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", (RELEASE_LOCK,))


def is_judged(load_id: int, connection: Connection) -> bool:
    """Say whether a load has its verdict."""
    with connection.cursor() as cursor:
        cursor.execute("select 1 from ledger.verdict where load_id = %s", (load_id,))
        return cursor.fetchone() is not None


def note_event(load_id: int, event: str, detail: str, connection: Connection, run_id: str | None = None) -> None:
    """Append an event to a load's history in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.load_event (load_id, event, run_id, detail) values (%s, %s, %s, %s)",
            (load_id, event, run_id, detail),
        )
