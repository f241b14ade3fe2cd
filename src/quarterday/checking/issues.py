"""Finds the lines that failed a check and writes them to ``ledger.line_issue``, addressed as the partner knows them."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.checking.checks import Check, sql_text
from quarterday.checking.profile import fails, filled, plain_cells, tested_lines, typed_view, with_lines
from quarterday.contracts import Form
from quarterday.errors import HIDDEN

LINES_KEPT = 10_000
COLUMNS = """select null::text as check_id, null::text as sheet, null::integer as line_number,
    null::integer as column_number, null::text as expected, null::text as found where false"""

# What an indicator form sent for a typed column.
AS_SENT = {
    "measure_code": "measure_label",
    "breakdown_code": "breakdown_label",
    "area_code": "area_label",
    "period": "period_label",
    "period_label": "period_label",
    "period_type": "period_label",
    "period_start": "period_label",
    "period_end": "period_label",
    "value": "value",
    "value_flag": "value",
    "value_qualifier": "value",
    "numerator": "numerator",
    "denominator": "denominator",
    "status": "status",
    "declared_rag": "declared_rag",
    "note": "note",
}


def find_failing_lines(load_id: int, form: Form, failed: Sequence[Check], connection: Connection) -> int:
    """Put every failing line into the temporary table ``failing_line``, in one scan for all checks on single lines.

    Args:
        failed: Only the checks that failed.
        connection: Open transaction; the caller drops the table.

    Returns:
        The number of typed lines that have to be set aside.
    """
    parts = [COLUMNS, *_of_single_lines(load_id, form, failed), *_of_queries(failed)]
    found = with_lines(form, load_id) + filled("\nunion all\n".join(parts), load_id, form)
    with connection.cursor() as cursor:
        # Made by its query, which then runs in parallel; an insert does not.
        cursor.execute(f"create temporary table failing_line on commit drop as\n{found}")
        return _count_set_aside(cursor, load_id, form, failed)


def write_issues(load_id: int, form: Form, failed: Sequence[Check], keep_all: bool, connection: Connection) -> None:
    """Write an issue for each failing line, at most :data:`LINES_KEPT` a check.

    Args:
        keep_all: The return comes in without the lines set aside, so each of them must be on record: no limit on those.
        connection: The transaction in which :func:`find_failing_lines` ran.
    """
    if not failed:
        return
    with connection.cursor() as cursor:
        # Nothing is known yet of how many lines a fresh load has; taken for few, each issue would look through all.
        cursor.execute("set local enable_nestloop = off")
        cursor.execute(_insert_sql(load_id, form, failed, keep_all))
        cursor.execute("set local enable_nestloop = on")


def _of_single_lines(load_id: int, form: Form, failed: Sequence[Check]) -> list[str]:
    single = [check for check in failed if check.predicate and not check.lines_sql]
    if not single:
        return []
    plain = plain_cells(single)
    tests = [(check.check_id, fails(check, plain)) for check in single]
    ids = ",\n".join(f"case when {test} then {sql_text(check_id)} end" for check_id, test in tests)
    # The lines without a fault are left out first, by tests that seldom look at a typed cell.
    return [
        f"select failed.check_id, line.sheet, line.line_number, {_column_number(form)}, null::text, null::text\n"
        f"from {tested_lines(form, load_id, single)} as line\n"
        f"cross join lateral unnest(array[{ids}]) as failed (check_id)\n"
        f"where ({' or '.join(test for _, test in tests)}) and failed.check_id is not null"
    ]


def _of_queries(failed: Sequence[Check]) -> list[str]:
    """A check's own query may leave out columns, so its rows are read by name from jsonb."""
    return [
        f"""select {sql_text(check.check_id)}::text, row_as ->> 'sheet', (row_as ->> 'line_number')::integer,
        (row_as ->> 'column_number')::integer, row_as ->> 'expected', row_as ->> 'found'
        from (
            select to_jsonb(failing) as row_as from ({check.lines_sql or check.reject_sql}\n) as failing
        ) as failing_rows"""
        for check in failed
        if check.lines_sql or check.reject_sql
    ]


def _count_set_aside(cursor: Cursor, load_id: int, form: Form, failed: Sequence[Check]) -> int:
    ids = [check.check_id for check in failed if check.action == "quarantine_line"]
    if not ids:
        return 0
    if form.is_indicator:
        # A line is set aside whole: where one row of a sheet gives several values, all of them.
        query = f"""select count(*) from {typed_view(form)}
            where load_id = {int(load_id)} and (coalesce(sheet, ''), line_number) in (
                select coalesce(sheet, ''), line_number from failing_line where check_id = any(%s))"""
    else:
        query = """select count(*) from (
            select distinct sheet, line_number from failing_line where check_id = any(%s)) as set_aside"""
    cursor.execute(query, (ids,))
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _insert_sql(load_id: int, form: Form, failed: Sequence[Check], keep_all: bool) -> str:
    known = ",\n".join(_known_check(form, check, keep_all) for check in failed)
    found = _found(form, failed)
    sent_column = "and sent.column_number = failing.column_number" if form.is_indicator else ""
    return f"""
        insert into ledger.line_issue
            (load_id, check_id, action, sheet, line_number, column_name, expected, found, remedy)
        select {int(load_id)}, failing.check_id, of_check.action, failing.sheet, failing.line_number,
            {_column_name(form)}, coalesce(failing.expected, of_check.expected),
            case
                when of_check.is_personal and coalesce(failing.found, {found}) is not null then {sql_text(HIDDEN)}
                else coalesce(failing.found, {found})
            end,
            of_check.remedy
        from (
            select *, row_number() over (partition by check_id order by sheet, line_number, column_number) as place
            from failing_line
        ) as failing
        join (values {known}) as of_check (check_id, action, heading, is_value, expected, remedy, is_personal, most)
            using (check_id)
        left join landing."{form.contract.form}" as sent
            on sent.load_id = {int(load_id)} and sent.line_number = failing.line_number
            and sent.sheet is not distinct from failing.sheet {sent_column}
        where of_check.most is null or failing.place <= of_check.most
        order by failing.check_id, failing.place"""


def _known_check(form: Form, check: Check, keep_all: bool) -> str:
    most = "null::bigint" if keep_all and check.action == "quarantine_line" else str(LINES_KEPT)
    heading = sql_text(check.heading) if check.heading else "null"
    is_value = str(form.is_indicator and _sent_name(form, check) == "value").lower()
    texts = (sql_text(check.check_id), sql_text(check.action), f"{heading}::text", is_value)
    rest = (sql_text(check.expected), sql_text(check.remedy), str(check.is_personal).lower(), most)
    return f"({', '.join((*texts, *rest))})"


def _found(form: Form, failed: Sequence[Check]) -> str:
    """Return the SQL for what the partner wrote in the column that a check is about."""
    cases = [
        f"when {sql_text(check.check_id)} then sent.{name}" for check in failed if (name := _sent_name(form, check))
    ]
    return f"(case failing.check_id {' '.join(cases)} end)" if cases else "null::text"


def _sent_name(form: Form, check: Check) -> str | None:
    if check.column is None:
        return None
    return AS_SENT.get(check.column) if form.is_indicator else f'"{check.column}"'


def _column_name(form: Form) -> str:
    # In a wide return the heading over the value says more than the word "value".
    return (
        "case when of_check.is_value then coalesce(sent.column_name, of_check.heading) else of_check.heading end"
        if (form.is_indicator)
        else "of_check.heading"
    )


def _column_number(form: Form) -> str:
    return "line.column_number" if form.is_indicator else "null::integer"
