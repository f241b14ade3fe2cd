"""The last figures that were admitted of a partner and form, to be shown beside a blank form."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from quarterday import server
from quarterday.blanks.plan import Blank
from quarterday.contracts import Form
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.warehouse import connect

MOST_LINES = 2_000
_INDICATOR = {
    "measure_label": "Measure", "breakdown_label": "Breakdown", "area_label": "Area", "period_label": "Period",
    "column_name": "Column", "value": "Value as sent", "note": "Note",
}  # fmt: skip
_LAST = """
select load_id, reporting_quarter
from ledger.load_state
where form = %s and partner_code = %s and reporting_quarter <= %s and state <> 'withdrawn'
    and verdict in ('admitted', 'admitted_with_quarantine')
order by reporting_quarter desc, issued_on desc nulls last, load_id desc
limit 1
"""


@dataclass(frozen=True)
class Earlier:
    """Lines as the partner sent them, under their headings; or, with no lines, why none are shown."""

    note: str
    headings: tuple[str, ...] = ()
    lines: tuple[tuple[str | None, ...], ...] = ()


def earlier_figures(blank: Blank, settings: Settings) -> Earlier:
    """Return the lines of the last admitted return of the blank's partner and form, up to its quarter."""
    if not settings.server_url and not server.is_running(settings):
        return Earlier("Earlier figures are not shown: this workbook was made without the database.")
    try:
        with connect(settings, "loader") as connection:
            return _last_lines(blank, connection)
    except (psycopg2.OperationalError, psycopg2.errors.UndefinedTable, OperatorError):
        return Earlier("Earlier figures are not shown: the database could not be asked when this workbook was made.")


def _last_lines(blank: Blank, connection: Connection) -> Earlier:
    with connection.cursor() as cursor:
        cursor.execute(_LAST, (blank.form.name, blank.partner, blank.quarter.key))
        found = cursor.fetchone()
        if found is None:
            return Earlier("There are no earlier figures: no return of this form has been admitted yet.")
        load_id, quarter = found
        names = _columns(blank.form)
        cursor.execute(
            sql.SQL("select {} from landing.{} where load_id = %s order by sheet, line_number {} limit %s").format(
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.Identifier(blank.form.name),
                sql.SQL(", column_number" if blank.form.is_indicator else ""),
            ),
            (load_id, MOST_LINES),
        )
        lines = cursor.fetchall()
    kept = [place for place in range(len(names)) if any(line[place] for line in lines)]
    headings = tuple(list(names.values())[place] for place in kept)
    shown = tuple(tuple(line[place] for place in kept) for line in lines)
    return Earlier(f"As sent for {quarter[:7]} {quarter[8:]}, the last return that was admitted.", headings, shown)


def _columns(form: Form) -> dict[str, str]:
    if form.is_indicator:
        return _INDICATOR
    return {column.name: column.business_name for column in form.contract.columns}
