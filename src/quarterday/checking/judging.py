"""The verdict on a load: a one-row profile, a Great Expectations suite that asserts on it, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from quarterday.calendar import FinancialQuarter, Period
from quarterday.checking.checks import READER_STATEMENTS, Check, checks_of, over_limit_check
from quarterday.checking.correcting import apply_corrections
from quarterday.checking.issues import find_failing_lines, write_issues
from quarterday.checking.profile import Profile, read_profile, typed_view
from quarterday.checking.repeating import see_combinations, without_looking
from quarterday.checking.sampling import know_values
from quarterday.checking.suites import Assertion, CheckCouldNotRun, SuiteClock, run_suite
from quarterday.contracts import Form
from quarterday.errors import Finding
from quarterday.generating import plain_key
from quarterday.ledger import hold_load, note_event
from quarterday.recording.suite_runs import record_suite

if TYPE_CHECKING:
    from quarterday.identifying import Identity

ADMITTED, WITH_QUARANTINE, REJECTED = "admitted", "admitted_with_quarantine", "rejected"


@dataclass(frozen=True)
class Verdict:
    """What was decided on a load.

    ``line_count`` counts typed lines: for an indicator form, one for each value. ``issue_count`` is the true number of
    failures, also where fewer lines are kept in the ledger.
    """

    load_id: int
    verdict: str
    line_count: int
    quarantined_line_count: int
    issue_count: int
    failed: tuple[str, ...] = ()

    @property
    def is_admitted(self) -> bool:
        """Say whether the load goes on to the facts."""
        return self.verdict != REJECTED


def judge_load(
    load_id: int,
    form: Form,
    connection: Connection,
    expectations_folder: Path,
    identity: Identity | None = None,
    run_id: str | None = None,
    file_sha256: str | None = None,
) -> Verdict:
    """Check a landed load and write its verdict, results, issues, periods and event in the caller's transaction.

    A load that has a verdict is left alone. Findings of a judgement that was cut off are replaced.

    Args:
        form: The form that the load was landed as.
        connection: Open transaction. Not committed here; on an error nothing of this call remains in it.
        expectations_folder: Where ``<form>.yml`` is.
        identity: The return's own period, for register forms; without it the reporting quarter's.
        run_id: The Airflow run, if any.
        file_sha256: The file's hash, where the ledger has another: a file that is only tried out.

    Raises:
        CheckCouldNotRun: A check failed to run. Nothing was judged.
    """
    checks = checks_of(form, expectations_folder)
    return judge_by_checks(load_id, form, checks, connection, identity, run_id, file_sha256)


def judge_by_checks(
    load_id: int,
    form: Form,
    checks: Sequence[Check],
    connection: Connection,
    identity: Identity | None = None,
    run_id: str | None = None,
    file_sha256: str | None = None,
) -> Verdict:
    """Judge a landed load by the checks given; :func:`judge_load` says the rest."""
    with connection.cursor() as cursor:
        if standing := _standing_verdict(cursor, load_id):
            return standing
        apply_corrections(load_id, form, connection, file_sha256)
        checks = know_values(load_id, form, checks, connection)
        seen = see_combinations(load_id, form, checks, connection)
        checks = without_looking(checks, seen)
        clock = SuiteClock()
        profile = read_profile(load_id, form, checks, connection, seen.columns, seen.line_count)
        clock.counted()
        passed = run_suite([_assertion(check) for check in checks], profile.failing)
        ran = clock.ran(passed, profile.line_count)
        cursor.execute("savepoint judging")
        try:
            verdict = _write(cursor, load_id, form, checks, profile, passed, identity, run_id)
            record_suite(ran, cursor, load_id=load_id)
        except psycopg2.OperationalError:
            raise
        except psycopg2.Error as error:
            cursor.execute("rollback to savepoint judging")
            raise CheckCouldNotRun(f"Load {load_id}: its findings could not be written: {error}") from error
        cursor.execute("release savepoint judging")
    return verdict


def judge_findings(
    load_id: int, findings: Sequence[Finding], connection: Connection, run_id: str | None = None
) -> Verdict:
    """Reject a load that could not be read as its form, in the caller's transaction. A judged load is left alone.

    Args:
        findings: What the reader found; each becomes an issue on the receipt.
    """
    with connection.cursor() as cursor:
        if standing := _standing_verdict(cursor, load_id):
            return standing
        _clear(cursor, load_id)
        by_id: dict[str, list[Finding]] = {}
        for finding in findings:
            by_id.setdefault(finding.check_id, []).append(finding)
        results = [
            (load_id, check_id, same[0].action, "critical", False, len(same), _reader_statement(same[0]))
            for check_id, same in by_id.items()
        ]
        _insert_results(cursor, results)
        for finding in findings:
            _insert_finding(cursor, load_id, finding)
        verdict = Verdict(load_id, REJECTED, 0, 0, len(findings), tuple(sorted(by_id)))
        _insert_verdict(cursor, verdict, None)
    note_event(load_id, "rejected", _summary(verdict), connection, run_id)
    return verdict


def _reader_statement(finding: Finding) -> str:
    return READER_STATEMENTS.get(finding.check_id[-3:], f"Expected: {finding.expected}.")


def _assertion(check: Check) -> Assertion:
    return Assertion(check.check_id, check.severity, check.action, check.statement)


def _write(
    cursor: Cursor,
    load_id: int,
    form: Form,
    checks: Sequence[Check],
    profile: Profile,
    passed: dict[str, bool],
    identity: Identity | None,
    run_id: str | None,
) -> Verdict:
    _clear(cursor, load_id)
    failed = [check for check in checks if not passed[check.check_id]]
    set_aside = find_failing_lines(load_id, form, failed, cursor.connection) if failed else 0
    limit = over_limit_check(form)
    is_over = set_aside > form.contract.quarantine_limit * profile.line_count
    verdict = _decide(load_id, failed, profile, set_aside, limit if is_over else None)
    _insert_results(
        cursor,
        [
            *(_result(load_id, check, passed[check.check_id], profile.failing[check.check_id]) for check in checks),
            _result(load_id, limit, not is_over, set_aside if is_over else 0),
        ],
    )
    if failed:
        write_issues(load_id, form, failed, verdict.is_admitted, cursor.connection)
        cursor.execute("drop table failing_line")
    if is_over:
        _insert_finding(cursor, load_id, _over_limit(limit, set_aside, profile.line_count))
    _insert_verdict(cursor, verdict, form.contract.version)
    if verdict.is_admitted:
        _insert_periods(cursor, load_id, form, identity)
        if profile.is_plain:
            cursor.execute("insert into ledger.plain_load values (%s, %s)", (load_id, plain_key(form)))
    note_event(load_id, "admitted" if verdict.is_admitted else "rejected", _summary(verdict), cursor.connection, run_id)
    return verdict


def _decide(load_id: int, failed: Sequence[Check], profile: Profile, set_aside: int, over: Check | None) -> Verdict:
    refusing = [check for check in failed if check.action == "reject_return"] + ([over] if over else [])
    name = REJECTED if refusing else WITH_QUARANTINE if set_aside else ADMITTED
    ids = tuple(check.check_id for check in (*failed, *([over] if over else [])))
    return Verdict(load_id, name, profile.line_count, set_aside, sum(profile.failing.values()), ids)


def _over_limit(limit: Check, set_aside: int, line_count: int) -> Finding:
    return Finding(limit.check_id, limit.expected, f"{set_aside} of {line_count} lines set aside", limit.remedy)


def _summary(verdict: Verdict) -> str:
    if not verdict.failed:
        return f"{verdict.line_count} lines, nothing found"
    return f"{verdict.line_count} lines, {verdict.issue_count} issues: {', '.join(verdict.failed)}"


def _standing_verdict(cursor: Cursor, load_id: int) -> Verdict | None:
    """Return the verdict that a load has. Two runs that judge one load wait for each other here."""
    hold_load(load_id, cursor.connection)
    cursor.execute(
        """select load_id, verdict, line_count, quarantined_line_count, issue_count, array(
            select check_id from ledger.check_result
            where check_result.load_id = verdict.load_id and not has_passed order by check_id)
        from ledger.verdict where load_id = %s""",
        (load_id,),
    )
    row = cursor.fetchone()
    return Verdict(row[0], row[1], row[2], row[3], row[4], tuple(row[5])) if row else None


def _clear(cursor: Cursor, load_id: int) -> None:
    for table in ("check_result", "line_issue", "load_period", "plain_load"):
        cursor.execute(f"delete from ledger.{table} where load_id = %s", (load_id,))


def _result(load_id: int, check: Check, has_passed: bool, failing_count: int) -> tuple[Any, ...]:
    return (load_id, check.check_id, check.action, check.severity, has_passed, failing_count, check.statement)


def _insert_results(cursor: Cursor, results: Sequence[tuple[Any, ...]]) -> None:
    execute_values(
        cursor,
        """insert into ledger.check_result
        (load_id, check_id, action, severity, has_passed, failing_count, statement) values %s""",
        results,
    )


def _insert_finding(cursor: Cursor, load_id: int, finding: Finding) -> None:
    cursor.execute(
        """insert into ledger.line_issue
        (load_id, check_id, action, sheet, line_number, column_name, expected, found, remedy)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            load_id,
            finding.check_id,
            finding.action,
            finding.sheet,
            finding.line,
            finding.column,
            finding.expected,
            finding.found,
            finding.remedy,
        ),
    )


def _insert_verdict(cursor: Cursor, verdict: Verdict, contract_version: str | None) -> None:
    cursor.execute(
        """insert into ledger.verdict
        (load_id, verdict, line_count, quarantined_line_count, issue_count, contract_version)
        values (%s, %s, %s, %s, %s, %s)""",
        (
            verdict.load_id,
            verdict.verdict,
            verdict.line_count,
            verdict.quarantined_line_count,
            verdict.issue_count,
            contract_version,
        ),
    )


def _insert_periods(cursor: Cursor, load_id: int, form: Form, identity: Identity | None) -> None:
    if form.is_indicator:
        cursor.execute(
            f"""insert into ledger.load_period (load_id, period_type, period_start, period_end)
            select distinct load_id, period_type, period_start, period_end from {typed_view(form)} as line
            where load_id = %s and period_ok and not exists (
                select 1 from ledger.line_issue
                where line_issue.load_id = line.load_id and line_issue.action = 'quarantine_line'
                    and line_issue.line_number = line.line_number
                    and coalesce(line_issue.sheet, '') = coalesce(line.sheet, ''))""",
            (load_id,),
        )
        return
    cursor.execute(
        "insert into ledger.load_period (load_id, period_type, period_start, period_end) values (%s, %s, %s, %s)",
        (load_id, *_return_period(cursor, load_id, identity)),
    )


def _return_period(cursor: Cursor, load_id: int, identity: Identity | None) -> tuple[str, date, date]:
    """Return what a register is about: its own period, or the quarter that it reports on."""
    if identity is not None:
        period = identity.period
    else:
        cursor.execute("select reporting_quarter from ledger.load where load_id = %s", (load_id,))
        (quarter,) = cursor.fetchone() or (None,)
        period = Period.of_quarter(FinancialQuarter.parse(quarter))
    return period.type, period.start, period.end
