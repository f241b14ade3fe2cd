"""What Great Expectations' suites took and found: a row of ``ledger.suite_run`` each, and each check on facts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

if TYPE_CHECKING:
    from quarterday.checking.facts import FactCheck
    from quarterday.checking.suites import SuiteRun


def record_suite(run: SuiteRun, cursor: Cursor, *, load_id: int | None = None, release_id: int | None = None) -> None:
    """Write a suite's run on a load or on the facts of a release, in the caller's transaction."""
    cursor.execute(
        """insert into ledger.suite_run
            (load_id, release_id, check_count, failed_count, line_count, profile_seconds, suite_seconds)
        values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            *(load_id, release_id, run.check_count, run.failed_count),
            *(run.line_count, run.profile_seconds, run.suite_seconds),
        ),
    )


def record_facts(release_id: int, checks: Iterable[FactCheck], run: SuiteRun, cursor: Cursor) -> None:
    """Write how the facts of a release were found, in the caller's transaction; what was found before is replaced."""
    cursor.execute("delete from ledger.fact_check_result where release_id = %s", (release_id,))
    execute_values(
        cursor,
        "insert into ledger.fact_check_result (release_id, check_id, has_passed, failing_count, statement) values %s",
        [(release_id, check.check_id, check.has_passed, check.failing_count, check.statement) for check in checks],
    )
    record_suite(run, cursor, release_id=release_id)
