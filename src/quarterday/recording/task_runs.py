"""One row of ``ledger.task_run`` for each try of an Airflow task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.settings import Settings, database_url

# A record must not hold up a task for long: without the database the task itself will say so.
CONNECT_SECONDS = 2
LIMITS = "-c statement_timeout=1000 -c lock_timeout=1000"
LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class TaskTry:
    """Which try of which task of which run."""

    dag_id: str
    run_id: str
    task_id: str
    try_number: int
    partition_key: str | None = None


def connect_to_record(settings: Settings) -> Connection:
    """Return a connection of the loader that commits each statement and gives up soon.

    Raises:
        psycopg2.Error: The database is away.
        OperatorError: There is none.
    """
    connection = psycopg2.connect(
        database_url(settings, "loader"),
        connect_timeout=CONNECT_SECONDS,
        options=LIMITS,
        application_name="quarterday run records",
    )
    connection.autocommit = True
    return connection


def record_start(one: TaskTry, code_version: str, cursor: Cursor) -> None:
    """Write that a try runs. One that goes on after it waited for an answer keeps when it began and what it took."""
    cursor.execute(
        """insert into ledger.task_run
            (dag_id, run_id, task_id, try_number, partition_key, state, started_at, code_version)
        values (%s, %s, %s, %s, %s, 'running', %s, %s)
        on conflict (dag_id, run_id, task_id, try_number) do update
        set state = excluded.state, ended_at = null, message = null, code_version = excluded.code_version""",
        (*_key(one), one.partition_key, datetime.now(UTC), code_version),
    )


def record_wait(one: TaskTry, seconds: float, what_for: str, cursor: Cursor) -> None:
    """Write that a try has left its process and waits; it stays running."""
    cursor.execute(
        """update ledger.task_run
        set seconds = round(coalesce(seconds, 0) + %s::numeric, 3), message = %s
        where dag_id = %s and run_id = %s and task_id = %s and try_number = %s""",
        (seconds, what_for, *_key(one)),
    )


def record_end(
    one: TaskTry,
    state: str,
    cursor: Cursor,
    *,
    seconds: float | None = None,
    message: str | None = None,
    code_version: str = "unknown",
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> None:
    """Write how a try ended, also of one whose start was not recorded.

    Args:
        one: The try.
        state: ``success``, ``failed``, ``up_for_retry`` or ``skipped``.
        cursor: Of the loader.
        seconds: What its last process took; null where nobody knows.
        message: What it failed with or why it was skipped.
        code_version: Of the code that ran, for a try whose start was not recorded.
        started_at: When it began, likewise.
        ended_at: Now, where it is not given.
    """
    now = datetime.now(UTC)
    cursor.execute(
        """insert into ledger.task_run (
            dag_id, run_id, task_id, try_number, partition_key, state, started_at, ended_at, seconds, message,
            code_version
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, round(%s::numeric, 3), %s, %s)
        on conflict (dag_id, run_id, task_id, try_number) do update
        set state = excluded.state,
            ended_at = excluded.ended_at,
            seconds = coalesce(task_run.seconds + excluded.seconds, excluded.seconds, task_run.seconds),
            message = excluded.message""",
        (
            *_key(one),
            one.partition_key,
            state,
            started_at or now,
            ended_at or now,
            seconds,
            message[:LONGEST_MESSAGE] if message else None,
            code_version,
        ),
    )


def open_tries(cursor: Cursor, older_than: str) -> list[TaskTry]:
    """Return the tries that stand as running and began longer ago than an interval, such as ``1 minute``."""
    cursor.execute(
        """select dag_id, run_id, task_id, try_number, partition_key from ledger.task_run
        where state = 'running' and started_at < clock_timestamp() - %s::interval order by started_at""",
        (older_than,),
    )
    return [TaskTry(*row) for row in cursor.fetchall()]


def _key(one: TaskTry) -> tuple[str, str, str, int]:
    return one.dag_id, one.run_id, one.task_id, one.try_number
