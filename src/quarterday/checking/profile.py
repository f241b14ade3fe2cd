"""One select over a load's typed lines gives a one-row profile: how many lines, and how many fail each check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import connection as Connection

from quarterday.checking.checks import Check
from quarterday.checking.suites import CheckCouldNotRun
from quarterday.contracts import Form

LINES = "lines_of_load"


@dataclass(frozen=True)
class Profile:
    """A load in one row: its lines (for an indicator form, its values), and failures by check id."""

    line_count: int
    failing: dict[str, int]


def with_lines(form: Form, load_id: int) -> str:
    """Return the start of a query in which :data:`LINES` holds a load's typed lines.

    Kept by the database, because the typed view reads its cells anew in every place that names one: a profile is
    twice as fast when each line is typed once.
    """
    return f"with {LINES} as materialized (select * from {typed_view(form)} where load_id = {int(load_id)})\n"


def typed_view(form: Form) -> str:
    """Return the name of a form's typed view, quoted."""
    return f'typed."{form.contract.form}"'


def filled(text: str, load_id: int) -> str:
    """Return a check's SQL with its places filled in, to stand after :func:`with_lines`."""
    return text.replace("{lines}", LINES).replace("{load_id}", str(int(load_id)))


def profile_sql(load_id: int, form: Form, checks: Sequence[Check]) -> str:
    """Return the select: one row, the line count first and then one count for each check, in their order."""
    counts = [_count_sql(check) for check in checks]
    columns = ",\n    ".join(["count(*) as line_count", *counts])
    return with_lines(form, load_id) + filled(f"select\n    {columns}\nfrom {{lines}} as line", load_id)


def read_profile(load_id: int, form: Form, checks: Sequence[Check], connection: Connection) -> Profile:
    """Count a load's lines and each check's failures.

    Args:
        connection: Open transaction. Nothing is written.

    Raises:
        CheckCouldNotRun: The database refused a check's SQL; the message names the check.
    """
    with connection.cursor() as cursor:
        cursor.execute("savepoint profile")
        try:
            cursor.execute(profile_sql(load_id, form, checks))
            row = cursor.fetchone() or ()
        except psycopg2.OperationalError:
            raise  # the server went away or was asked to stop: worth another try, so not the check's fault
        except psycopg2.Error as error:
            cursor.execute("rollback to savepoint profile")
            culprit, reason = _culprit(load_id, form, checks, connection) or ("the profile", str(error))
            raise CheckCouldNotRun(
                f"Load {load_id}, form {form.contract.form}: {culprit} could not run: {reason.strip()}\n"
                "Nothing was judged or written. Mend the check and run the task again."
            ) from error
        cursor.execute("release savepoint profile")
    return Profile(row[0], {check.check_id: int(count) for check, count in zip(checks, row[1:], strict=True)})


def _count_sql(check: Check) -> str:
    # The closing bracket has a line of its own: a check's SQL may end in a comment.
    if check.predicate:
        return f'count(*) filter (where {check.predicate}\n) as "{check.check_id}"'
    query = check.count_sql or f"select count(*) from ({check.lines_sql or check.reject_sql}\n) as failing"
    return f'({query}\n) as "{check.check_id}"'


def _culprit(load_id: int, form: Form, checks: Sequence[Check], connection: Connection) -> tuple[str, str] | None:
    """Run the checks one by one to find the one that the database refuses, and why."""
    with connection.cursor() as cursor:
        for check in checks:
            try:
                cursor.execute(profile_sql(load_id, form, [check]))
            except psycopg2.Error as error:
                cursor.execute("rollback to savepoint profile")
                return f"check {check.check_id}", str(error)
    return None
