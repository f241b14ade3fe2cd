"""Applies a form's corrections to a landed load: finds the cells, and records in the ledger what is read otherwise.

The typed view does the rest. It takes its corrections from the ledger and not from the file, so a load is for ever what
it was judged as: a correction that is added, changed or taken out later reaches only loads that are judged later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from quarterday.checking.checks import Check, check_id
from quarterday.checking.suites import CheckCouldNotRun
from quarterday.contracts import Form
from quarterday.corrections import Correction

CORRECTED, NO_LONGER_FITS = 8, 9


@dataclass(frozen=True)
class _Cell:
    """Where a correction's cell stands, and its text as sent."""

    sheet: str | None
    line_number: int
    column_number: int | None
    text: str | None


def correction_checks(form: Form) -> Iterator[Check]:
    """Yield the checks of a form with corrections: what is read otherwise is told, and one without use is found."""
    if not form.corrections:
        return
    place = "select sheet, line_number, column_number"
    rows = place + ", {} from ledger.line_correction where load_id = {{load_id}} and {}"
    yield Check(
        check_id=check_id(form, CORRECTED),
        statement="Nothing in the return is known to be wrong and read otherwise by us.",
        severity="info",
        action="flag",
        remedy="We have read it as said here. Please mend it in your next return.",
        expected="another text",
        lines_sql=rows.format(
            "coalesce('''' || value_corrected || '''', 'a blank cell') || ' as ' || heading || ' (' || correction_id "
            "|| '). ' || reason as expected, coalesce(value_as_sent, 'nothing') as found",
            "is_applied",
        ),
    )
    yield Check(
        check_id=check_id(form, NO_LONGER_FITS),
        statement="Each of our corrections of the form still finds what it corrects.",
        severity="warning",
        action="flag",
        remedy="Nothing for you to do: the office takes the correction out, or renews it.",
        expected="what the correction expects",
        lines_sql=rows.format(
            "coalesce('''' || expected_as_sent || '''', 'a blank cell') || ' as ' || heading "
            "|| ', which our correction ' || correction_id || ' reads as ' "
            "|| coalesce('''' || value_corrected || '''', 'a blank cell') as expected, found",
            "not is_applied",
        ),
    )


def apply_corrections(load_id: int, form: Form, connection: Connection, file_sha256: str | None = None) -> int:
    """Record in ``ledger.line_correction`` what a form's corrections do to a landed load, replacing what stands there.

    Args:
        load_id: A load without a verdict.
        form: Its form.
        connection: Open transaction. Not committed here.
        file_sha256: The file's hash, where the ledger has another (a file that is only tried out).

    Returns:
        The number of cells corrected.

    Raises:
        CheckCouldNotRun: The typed view is older than the corrections.
    """
    if not form.corrections:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("delete from ledger.line_correction where load_id = %s", (load_id,))
        concerning = _concerning(load_id, form, cursor, file_sha256)
        rows: list[dict[str, Any]] = []
        for correction in concerning:
            cells = _cells(load_id, form, correction, cursor)
            rows.append(_row(load_id, correction, cells, rows))
        _insert(rows, cursor)
        applied = sum(1 for row in rows if row["is_applied"])
        if applied:
            _refuse_old_view(form, cursor)
    return applied


def new_corrections(load_id: int, form: Form, connection: Connection) -> list[str]:
    """Return the numbers of the corrections that concern a load and that it was not judged with."""
    with connection.cursor() as cursor:
        cursor.execute("select correction_id from ledger.line_correction where load_id = %s", (load_id,))
        known = {name for (name,) in cursor.fetchall()}
        concerning = _concerning(load_id, form, cursor, None)
    return [correction.correction_id for correction in concerning if correction.correction_id not in known]


def _concerning(load_id: int, form: Form, cursor: Cursor, file_sha256: str | None) -> list[Correction]:
    cursor.execute(
        "select file_sha256, partner_code, reporting_quarter, issued_on from ledger.load where load_id = %s", (load_id,)
    )
    sha256, partner_code, quarter, issued_on = cursor.fetchone() or ("", "", "", None)
    return [
        correction
        for correction in form.corrections
        if correction.concerns(file_sha256 or sha256, partner_code, quarter, issued_on)
    ]


def _cells(load_id: int, form: Form, correction: Correction, cursor: Cursor) -> list[_Cell]:
    """Return the cells that a correction names: one if it is well made, two where it names more."""
    asked = {**correction.key, "sheet": correction.sheet, "line_number": correction.line}
    given = {name: value for name, value in asked.items() if value is not None}
    conditions = [sql.SQL("btrim({}::text) = %s").format(sql.Identifier(name)) for name in given]
    statement = sql.SQL("select sheet, line_number, {}, {} from landing.{} where {} order by 2, 3 limit 2").format(
        sql.Identifier("column_number") if form.is_indicator else sql.SQL("null::integer"),
        sql.Identifier(correction.column),
        sql.Identifier(form.name),
        sql.SQL(" and ").join([sql.SQL("load_id = %s"), *conditions]),
    )
    cursor.execute(statement, [load_id, *(str(value).strip() for value in given.values())])
    return [_Cell(*row) for row in cursor.fetchall()]


def _row(load_id: int, correction: Correction, cells: list[_Cell], earlier: list[dict[str, Any]]) -> dict[str, Any]:
    cell = cells[0] if len(cells) == 1 else None
    found = _what_stands_against(correction, cells, earlier)
    return {
        "load_id": load_id,
        "correction_id": correction.correction_id,
        "is_applied": found is None,
        "sheet": cell.sheet if cell else None,
        "line_number": cell.line_number if cell else None,
        "column_number": cell.column_number if cell else None,
        "column_name": correction.column,
        "heading": correction.heading,
        "expected_as_sent": correction.expect,
        "value_as_sent": cell.text if cell else None,
        "value_corrected": correction.value,
        "found": found,
        "reason": correction.reason,
        "source": correction.source,
        "asked": correction.asked,
        "decided_on": correction.decided_on,
    }


def _what_stands_against(correction: Correction, cells: list[_Cell], earlier: list[dict[str, Any]]) -> str | None:
    """Say why a correction can't be applied, or nothing where it can."""
    if len(cells) != 1:
        return "more than one line" if cells else "no such line"
    cell = cells[0]
    sent = (cell.text or "").strip() or None
    shown = "a blank cell" if sent is None else f"'{sent}'"
    if sent == correction.value:
        return f"{shown}: the correction can be taken out"
    if sent != correction.expect:
        return f"{shown}, which the correction knows nothing of: it can be taken out, or has to be renewed"
    place = (cell.sheet, cell.line_number, cell.column_number, correction.column)
    for row in earlier:
        if row["is_applied"] and place == tuple(
            row[name] for name in ("sheet", "line_number", "column_number", "column_name")
        ):
            return f"a cell that {row['correction_id']} has corrected already: one of the two can be taken out"
    return None


def _insert(rows: list[dict[str, Any]], cursor: Cursor) -> None:
    if rows:
        names = ", ".join(rows[0])
        values = [tuple(row.values()) for row in rows]
        execute_values(cursor, f"insert into ledger.line_correction ({names}) values %s", values)


def _refuse_old_view(form: Form, cursor: Cursor) -> None:
    cursor.execute("select pg_get_viewdef(%s::regclass) like '%%line_correction%%'", (f'typed."{form.name}"',))
    (is_new,) = cursor.fetchone() or (False,)
    if not is_new:
        raise CheckCouldNotRun(
            f"Form {form.name} has corrections, but its typed view was made before it had any. Nothing was judged. "
            "Bring the warehouse up to the code ('quarterday migrate'), and run the task again."
        )
