"""One select over a load's typed lines gives a one-row profile: how many lines, and how many fail each check."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.checking.checks import Check
from quarterday.checking.quick import hasty, plainly_typed
from quarterday.checking.suites import CheckCouldNotRun
from quarterday.contracts import Form
from quarterday.generating import landed_lines, typed_columns

LINES = "lines_of_load"
# Enough for the keys of a million lines; a profile is one statement of one session.
NEW_LINE = "\n    "
# The count of a check that has nothing to count.
NOTHING = "select 0"
# Nothing is known yet of how many lines a fresh load has; taken for few, its keys would be sorted and not hashed.
# Sorted before it is counted, a key would be compared as text, and gathered from parallel workers in its order.
SETTINGS = (
    "set local work_mem = '96MB'; set local jit = off; set local enable_sort = off; "
    "set local enable_presorted_aggregate = off"
)


@dataclass(frozen=True)
class Profile:
    """A load in one row: its lines (for an indicator form, its values), and failures by check id.

    ``is_plain`` says that every cell was seen to be plainly typed, see :func:`quarterday.checking.quick.plainly_typed`.
    """

    line_count: int
    failing: dict[str, int]
    is_plain: bool = False


def with_lines(form: Form, load_id: int) -> str:
    """Return the start of a query in which :func:`filled` text finds a load's typed lines.

    An indicator form's lines are typed once and kept by the database, because its checks name the same cells again and
    again. A register may have millions: its lines are read where they are named, in parallel, and only the cells that
    are named are typed.
    """
    if not form.is_indicator:
        return ""
    return f"with {LINES} as materialized (select * from {typed_view(form)} where load_id = {int(load_id)}\n)\n"


def typed_view(form: Form) -> str:
    """Return the name of a form's typed view, quoted."""
    return f'typed."{form.contract.form}"'


def filled(text: str, load_id: int, form: Form) -> str:
    """Return a check's SQL with its places filled in, to stand after :func:`with_lines`."""
    lines = LINES if form.is_indicator else f"(select * from {typed_view(form)} where load_id = {int(load_id)})"
    return text.replace("{lines}", lines).replace("{load_id}", str(int(load_id)))


def tested_lines(form: Form, load_id: int, checks: Sequence[Check], known: Collection[str] = ()) -> str:
    """Return the lines on which a check's predicate may be true, as a table expression: typed, and with what is
    plainly right.

    Args:
        known: Columns of which every cell is known to be plainly typed.

    Of a register's lines nearly none is left, so that one cheap condition is made of a line and not one of each check.
    """
    plain = {**plain_cells(checks), **plain_columns(form, checks, known)}
    if not plain:
        return "{lines}"
    names = "".join(f', "{name}"' for name in plain.values())
    is_plain = " and ".join(f'"{name}"' for name in plain.values())
    others = [check for check in checks if check.predicate and not check.passes_when]
    other = " or ".join(f"coalesce({fails(check, {})}, false)" for check in others) or "false"
    sent = f"{_with_tests(form, load_id, plain, other)} as sent"
    typed = f"({typed_columns(form)}{names}, other_fails\nfrom {sent}) as typed_line"
    return f"(select * from {typed}\nwhere case when {is_plain} then other_fails else true end)"


def _with_tests(form: Form, load_id: int, plain: Mapping[str, str], other: str) -> str:
    """Return a load's landed lines, each test's answer under its name, and, where all are yes, ``other_fails``."""
    columns = [column.name for column in form.contract.columns]
    cast = {column.name for column in form.contract.columns if plainly_typed(column, form)}
    tests = "".join(f',\n    {test} as "{name}"' for test, name in plain.items())
    if form.corrections:
        landed = f"(select *{tests}\nfrom {landed_lines(form)} as landed_line where load_id = {int(load_id)}) as landed"
        return f"(select *, true as other_fails\nfrom {landed})"
    kept = "".join(f', "{name}" as "sent {name}"' for name in columns)
    landed = (
        f'{typed_columns(form, False, cast)}{kept}{tests}\nfrom landing."{form.name}" where load_id = {int(load_id)}'
    )
    back = "".join(f', "sent {name}" as "{name}"' for name in columns)
    names = "".join(f', "{name}"' for name in plain.values())
    return f"(select load_id, sheet, line_number{back}{names}, ({other}) as other_fails\nfrom ({landed}) as line)"


def plain_cells(checks: Sequence[Check]) -> dict[str, str]:
    """Return the tests of the checks by which a cell is plainly right, each with a name for its answer."""
    tests = dict.fromkeys(check.passes_when for check in checks if check.predicate and check.passes_when)
    return {test: f"plain {number}" for number, test in enumerate(tests, start=1) if test}


def plain_columns(form: Form, checks: Sequence[Check], known: Collection[str] = ()) -> dict[str, str]:
    """Return the same for the other columns of a register: tests by which a cell is plainly typed, if it may be.

    The tests of the checks ask for that too, so that where all are true every cell of a line is.
    """
    if form.is_indicator:
        return {}
    asked = {check.column for check in checks if check.predicate and check.passes_when} | set(known)
    others = [column for column in form.contract.columns if column.name not in asked]
    tests = (plainly_typed(column, form) for column in others)
    return {test: f"typed {number}" for number, test in enumerate(filter(None, tests), start=1)}


def fails(check: Check, plain: Mapping[str, str]) -> str:
    """Return the SQL, on a line of :func:`tested_lines`, that is true where a check's predicate is."""
    # The closing bracket has a line of its own: a check's SQL may end in a comment.
    name = plain.get(check.passes_when or "")
    return f'case when "{name}" then false else ({check.predicate}\n) end' if name else f"({check.predicate}\n)"


def profile_sql(
    load_id: int, form: Form, checks: Sequence[Check], known: Collection[str] = (), line_count: int | None = None
) -> str:
    """Return the select: one row, first the lines and those of them that are not plain, then a count for each check."""
    plain = plain_cells(checks)
    counts = [_count_of_lines(check, plain) for check in checks if check.predicate]
    all_plain = [*plain.values(), *plain_columns(form, checks, known).values()]
    is_plain = " and ".join(f'"{name}"' for name in all_plain)
    # The lines are counted in a query of their own: beside queries of other checks they would not be in parallel.
    counting = "count(*) as line_count from {lines} as line" if line_count is None else f"{line_count} as line_count"
    sources = [f"(select {counting}) as load"]
    if counts:
        counts.append(f"count(*) filter (where ({is_plain or 'false'}) is not true) as other_lines")
        lines = tested_lines(form, load_id, checks, known)
        sources.append(f"(select {f',{NEW_LINE}'.join(counts)}\nfrom {lines} as line) as counted")
    other_lines = "counted.other_lines" if counts else "load.line_count as other_lines"
    columns = f",{NEW_LINE}".join(["load.line_count", other_lines, *(_count_sql(check) for check in checks)])
    query = f"select\n    {columns}\nfrom {f'{NEW_LINE}cross join '.join(sources)}"
    return with_lines(form, load_id) + filled(query, load_id, form)


def read_profile(
    load_id: int,
    form: Form,
    checks: Sequence[Check],
    connection: Connection,
    known: Collection[str] = (),
    line_count: int | None = None,
) -> Profile:
    """Count a load's lines and each check's failures.

    Args:
        known: Columns of which every cell was seen to be plainly right, see
            :func:`quarterday.checking.repeating.see_combinations`.
        line_count: The load's lines, where they have been counted.
        connection: Open transaction. Nothing is written.

    Raises:
        CheckCouldNotRun: The database refused a check's SQL; the message names the check.
    """
    with connection.cursor() as cursor:
        cursor.execute("savepoint profile")
        try:
            cursor.execute(SETTINGS)
            asked = _answered(load_id, form, checks, cursor)
            row = _counted(profile_sql(load_id, form, asked, known, line_count), cursor)
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
    lines, other_lines, *counts = row
    failing = {check.check_id: int(count) for check, count in zip(checks, counts, strict=True)}
    return Profile(lines, failing, is_plain=other_lines == 0 and not form.is_indicator and not form.corrections)


def _counted(query: str, cursor: Cursor) -> tuple[int, ...]:
    """Return the profile's row: in a hurry, or if a cell is so wrong that the hasty query fails, with care."""
    quickly = hasty(query)
    if quickly != query:
        cursor.execute("savepoint hasty")
        try:
            cursor.execute(quickly)
            return cursor.fetchone() or ()
        except psycopg2.DataError:
            cursor.execute("rollback to savepoint hasty")
    cursor.execute(query)
    return cursor.fetchone() or ()


def _answered(load_id: int, form: Form, checks: Sequence[Check], cursor: Cursor) -> list[Check]:
    """Ask the questions that checks ask first; a check whose answer is no has nothing to count.

    One process sorts a million numbers sooner than three hand them to each other.
    """
    answers: dict[str | None, bool] = {None: True}
    cursor.execute("set local max_parallel_workers_per_gather = 0")
    for question in dict.fromkeys(check.only_if for check in checks if check.only_if):
        cursor.execute(with_lines(form, load_id) + filled(f"{question}\nlimit 1", load_id, form))
        answers[question] = cursor.fetchone() is not None
    cursor.execute("set local max_parallel_workers_per_gather to default")
    return [
        replace(check, only_if=None, count_sql=check.count_sql if answers[check.only_if] else NOTHING)
        for check in checks
    ]


def _count_of_lines(check: Check, plain: Mapping[str, str]) -> str:
    return f'count(*) filter (where {fails(check, plain)}) as "{check.check_id}"'


def _count_sql(check: Check) -> str:
    if check.predicate:
        return f'counted."{check.check_id}"'
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
