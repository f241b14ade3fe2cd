"""Explains a load from the ledger: what came, what became of it, why, and what to do next."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.errors import OperatorError
from quarterday.operating.board import paused_forms
from quarterday.operating.story import (
    CheckTold,
    Happening,
    Node,
    ReleaseTold,
    Story,
    TaskRun,
    Version,
    moments_in_order,
)
from quarterday.receipts import Issue

LINES_A_CHECK = 25
HEAD = """
select
    load.load_id, load.file_name, load.file_sha256, load.file_bytes, load.archive_path, load.partner_code,
    coalesce(partner.partner_name, load.partner_code) as partner_name, load.form, load.edition,
    load.reporting_quarter, load.issued_on, load.received_at at time zone 'UTC' as received_at,
    load_standing.state, load_standing.event, load_standing.detail, load_standing.verdict, verdict.contract_version,
    verdict.line_count, load_standing.set_aside_count, load_standing.failed_dag_id, load_standing.failed_run_id,
    load_standing.failed_message
from ledger.load
join ledger.load_standing using (load_id)
left join ledger.verdict using (load_id)
left join ledger.partner on partner.partner_code = load.partner_code
where load.load_id = %(load)s
"""
EVENTS = """
select happened_at at time zone 'UTC', event, detail, run_id from ledger.load_event
where load_id = %(load)s and event <> 'registered'
union all
select
    case when was_known then arrived_at else least(arrived_at, load.received_at) end at time zone 'UTC',
    case when was_known then 'arrived again' else 'arrived' end,
    inbox_path,
    null
from ledger.arrival join ledger.load using (load_id) where load_id = %(load)s
union all
select happened_at at time zone 'UTC', event, detail, run_id from ledger.load_event
where load_id = %(load)s and event = 'registered'
union all
select accepted_at at time zone 'UTC', 'exception asked for', accepted_by || ': ' || check_id || ', ' || reason, null
from ledger.accepted_check where load_id = %(load)s
union all
select started_at at time zone 'UTC', 'release asked to be withdrawn', concat_ws(': ', asked_by, reason), run_id
from ledger.release join ledger.release_load on release.withdraws = release_load.release_id where load_id = %(load)s
order by 1
"""
CHECKS = """
select check_id, statement, action, has_passed, failing_count
from ledger.check_result where load_id = %(load)s order by has_passed, check_id
"""
# A row of six figures is six lines; what is wrong with its name is told once.
ISSUES = f"""
select check_id, action, sheet, line_number, column_name, expected, found, remedy
from (
    select told.*, row_number() over (partition by check_id order by first_id) as place_in_check
    from (
        select
            check_id, action, sheet, line_number, column_name, expected, found, remedy, min(line_issue_id) as first_id
        from ledger.line_issue where load_id = %(load)s
        group by check_id, action, sheet, line_number, column_name, expected, found, remedy
    ) as told
) as numbered
where place_in_check <= {LINES_A_CHECK}
order by first_id
"""
RUNS = """
select dag_id, run_id, task_id, try_number, state, started_at at time zone 'UTC', seconds, message
from ledger.task_run
where dag_id in ('returns__load', 'returns__sign_off') and partition_key in (%(key)s, %(held_key)s)
    or run_id in (select run_id from ledger.load_event where load_id = %(load)s and run_id is not null)
    or dag_id = 'quarter__release' and run_id in (
        select release.run_id from ledger.release join ledger.release_load using (release_id) where load_id = %(load)s
    )
    or run_id = %(failed)s
order by started_at
"""
RELEASE = """
select release_id, published_at at time zone 'UTC', code_version, reason,
    (select count(*) from ledger.release_load as of_release where of_release.release_id = release.release_id)
from ledger.release join ledger.release_load using (release_id)
where load_id = %(load)s
order by release_id desc limit 1
"""
NODES = """
select node_id, status, seconds, row_count, message from ledger.dbt_run
where release_id = %s order by status in ('success', 'pass'), finished_at
"""
VERSIONS = """
select load_id, file_name, load_standing.issued_on, state
from ledger.load_standing join ledger.load using (load_id)
where load.form = %(form)s and load.partner_code = %(partner)s and load.reporting_quarter = %(quarter)s
order by load_id desc
"""


def explain_load(load_id: int, connection: Connection) -> Story:
    """Return everything about a load.

    Args:
        load_id: As the board, the receipt and ``quarterday status`` name it.
        connection: Only read.

    Raises:
        OperatorError: There is no such load.
    """
    with connection.cursor() as cursor:
        cursor.execute(HEAD, {"load": load_id})
        row = cursor.fetchone()
        if row is None or cursor.description is None:
            raise OperatorError(f"There is no load {load_id}. 'quarterday status' lists the returns.")
        head: dict[str, Any] = {column.name: value for column, value in zip(cursor.description, row, strict=True)}
        key = f"{head['form']}|{head['reporting_quarter']}"
        asked = {"load": load_id, "key": key, "held_key": f"{key}|{load_id}", "failed": head["failed_run_id"]}
        runs = _runs(asked, cursor)
        return Story(
            **head,
            is_paused=head["form"] in paused_forms(connection),
            happenings=_happenings(asked, {run.run_id: run.dag_id for run in runs}, cursor),
            checks=_checks(asked, cursor),
            runs=runs,
            release=_release(asked, cursor),
            versions=versions_of(head["form"], head["partner_code"], head["reporting_quarter"], cursor, load_id),
        )


def versions_of(
    form: str | None, partner_code: str, quarter: str | None, cursor: Cursor, but: int | None = None
) -> tuple[Version, ...]:
    """Return the loads of a return, newest first, but for one of them."""
    cursor.execute(VERSIONS, {"form": form, "partner": partner_code, "quarter": quarter})
    return tuple(Version(*row) for row in cursor.fetchall() if row[0] != but)


def _happenings(asked: dict[str, Any], dags: dict[str, str], cursor: Cursor) -> tuple[Happening, ...]:
    cursor.execute(EVENTS, asked)
    return moments_in_order([Happening(*(*row, dags.get(row[3]))) for row in cursor.fetchall()])


def _checks(asked: dict[str, Any], cursor: Cursor) -> tuple[CheckTold, ...]:
    cursor.execute(ISSUES, asked)
    issues: defaultdict[str, list[Issue]] = defaultdict(list)
    for row in cursor.fetchall():
        issues[row[0]].append(Issue(*row))
    cursor.execute(CHECKS, asked)
    found = [CheckTold(*(*row, tuple(issues.pop(row[0], ())))) for row in cursor.fetchall()]
    # A return that can't be read fails no check of its form: what is wrong with it is told all the same.
    unread = [
        CheckTold(check_id, "The return can be read as its form.", told[0].action, False, len(told), tuple(told))
        for check_id, told in issues.items()
    ]
    return (*unread, *found)


def _runs(asked: dict[str, Any], cursor: Cursor) -> tuple[TaskRun, ...]:
    cursor.execute(RUNS, asked)
    return tuple(TaskRun(*row) for row in cursor.fetchall())


def _release(asked: dict[str, Any], cursor: Cursor) -> ReleaseTold | None:
    cursor.execute(RELEASE, asked)
    found = cursor.fetchone()
    if found is None:
        return None
    cursor.execute(NODES, (found[0],))
    return ReleaseTold(*(*found, tuple(Node(*row) for row in cursor.fetchall())))
