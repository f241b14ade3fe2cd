"""Judging a load: real lines, real typed views, real Great Expectations."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from quarterday.checking.checks import Check, contract_checks
from quarterday.checking.judging import judge_by_checks, judge_findings, judge_load
from quarterday.checking.suites import CheckCouldNotRun
from quarterday.errors import HIDDEN, Finding
from tests.checking_support import (
    GOOD_CALL,
    GOOD_VISIT,
    land,
    make_indicator,
    make_register,
    new_load,
    rows_of,
)

pytest_plugins = ("tests.checking_support",)
NONE = Path("no-expectations")


def visit(**changes: str | None) -> dict[str, str | None]:
    return GOOD_VISIT | changes


def call(**changes: str | None) -> dict[str, str | int | None]:
    return GOOD_CALL | changes


def check(**changes: str) -> Check:
    given = {
        "check_id": "VIS-101",
        "statement": "S.",
        "severity": "critical",
        "action": "flag",
        "remedy": "R.",
        "expected": "E",
    }
    return Check(**(given | changes))


def test_good_return_is_admitted_with_its_period_and_event(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(), visit(visit_number="2")], connection)
    verdict = judge_load(load_id, form, connection, NONE)
    assert (verdict.verdict, verdict.line_count, verdict.issue_count, verdict.failed) == ("admitted", 2, 0, ())
    (period,) = rows_of("load_period", load_id, connection)
    assert (period["period_type"], str(period["period_start"]), str(period["period_end"])) == (
        "financial_quarter", "2017-10-01", "2017-12-31",
    )  # fmt: skip
    assert [event["event"] for event in rows_of("load_event", load_id, connection)] == ["admitted"]
    results = rows_of("check_result", load_id, connection)
    assert len(results) == len(contract_checks(form)) + 1
    assert all(result["has_passed"] for result in results)
    (suite,) = rows_of("suite_run", load_id, connection)
    assert (suite["check_count"], suite["failed_count"], suite["line_count"]) == (len(contract_checks(form)), 0, 2)
    assert suite["profile_seconds"] > 0 and suite["suite_seconds"] > 0
    assert rows_of("verdict", load_id, connection)[0]["contract_version"] == "1.2.0"


@pytest.mark.parametrize(
    ("changes", "check_id", "column", "found"),
    [
        ({"visit_number": "one"}, "VIS-010", "Visit", "one"),
        ({"visit_number": ""}, "VIS-011", "Visit", ""),
        ({"visited_on": "31 February 2017"}, "VIS-020", "Date of visit", "31 February 2017"),
        ({"visitor": "  "}, "VIS-031", "Visitor", HIDDEN),
        ({"detainees": "-1"}, "VIS-043", "Detainees seen", "-1"),
        ({"detainees": "41"}, "VIS-044", "Detainees seen", "41"),
        ({"detainees": "2.5"}, "VIS-040", "Detainees seen", "2.5"),
        ({"station": "Leek"}, "VIS-052", "Station", "Leek"),
        ({"report": "R1"}, "VIS-065", "Report", "R1"),
        ({"was_told": "maybe"}, "VIS-070", "Announced", "maybe"),
    ],
)
def test_bad_cell_fails_its_check_alone_and_is_addressed(
    changes: dict[str, str], check_id: str, column: str, found: str, connection: Connection, tmp_path: Path
) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(), visit(visit_number="2") | changes], connection)
    verdict = judge_load(load_id, form, connection, NONE)
    assert verdict.failed == (check_id, "VIS-007")
    (limit, issue) = rows_of("line_issue", load_id, connection)[::-1]
    assert (issue["check_id"], issue["line_number"], issue["column_name"], issue["found"]) == (
        check_id,
        3,
        column,
        found,
    )
    assert issue["expected"] and issue["remedy"]
    assert (limit["check_id"], limit["found"]) == ("VIS-007", "1 of 2 lines set aside")


@pytest.mark.parametrize(
    ("changes", "check_id", "column", "found"),
    [
        ({"measure_code": None, "measure_label": "Shouts"}, "CAL-011", "Measure", "Shouts"),
        ({"measure_code": "cries"}, "CAL-012", "Measure", "Calls"),
        ({"breakdown_code": None}, "CAL-021", "Kind", "Urgent"),
        ({"area_code": None, "area_label": "Mars"}, "CAL-031", "Area", "Mars"),
        ({"period_type": None, "period_label": "soon"}, "CAL-040", "Period", "soon"),
        ({"value": "lots"}, "CAL-050", "Calls | Urgent", "lots"),
        ({"value": None}, "CAL-051", "Calls | Urgent", None),
        ({"value": "-2"}, "CAL-053", "Calls | Urgent", "-2"),
        ({"value": "901"}, "CAL-054", "Calls | Urgent", "901"),
        ({"numerator": "a few"}, "CAL-060", "Numerator", "a few"),
        ({"denominator": "many"}, "CAL-070", "Denominator", "many"),
        ({"status": "guess"}, "CAL-082", "Status", "guess"),
        ({"declared_rag": "Blue"}, "CAL-092", "RAG", "Blue"),
    ],
)
def test_bad_figure_fails_its_check_alone_and_is_addressed(
    changes: dict[str, str | None], check_id: str, column: str, found: str, connection: Connection, tmp_path: Path
) -> None:
    form = make_indicator(tmp_path, connection)
    load_id = land(form, [call(), call(period_start="2017-07-01", period_end="2017-09-30") | changes], connection)
    verdict = judge_load(load_id, form, connection, NONE)
    assert verdict.failed == (check_id, "CAL-007")
    issue = next(row for row in rows_of("line_issue", load_id, connection) if row["check_id"] == check_id)
    assert (issue["sheet"], issue["line_number"]) == ("Q3", 3)
    assert (issue["column_name"], issue["found"]) == (column, found)


def test_not_available_mark_is_no_failure_in_a_required_column(connection: Connection, tmp_path: Path) -> None:
    form = make_indicator(tmp_path, connection)
    load_id = land(form, [call(value="n/a"), call(value="[c]", period_end="2017-10-31")], connection)
    assert judge_load(load_id, form, connection, NONE).verdict == "admitted"


def test_return_without_lines_is_rejected(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [], connection)
    verdict = judge_load(load_id, form, connection, NONE)
    assert (verdict.verdict, verdict.failed, verdict.line_count) == ("rejected", ("VIS-005",), 0)
    (issue,) = rows_of("line_issue", load_id, connection)
    assert (issue["line_number"], issue["expected"], issue["found"]) == (None, "at least one line", "no lines")
    assert rows_of("load_period", load_id, connection) == []


def test_key_given_twice_rejects_the_return_and_names_both_lines(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(), visit(visit_number="2"), visit()], connection)
    verdict = judge_load(load_id, form, connection, NONE)
    assert (verdict.verdict, verdict.failed, verdict.issue_count) == ("rejected", ("VIS-006",), 2)
    issues = rows_of("line_issue", load_id, connection)
    assert [(issue["line_number"], issue["found"]) for issue in issues] == [(2, "given 2 times"), (4, "given 2 times")]


def test_lines_within_the_limit_are_set_aside_and_the_rest_admitted(connection: Connection, tmp_path: Path) -> None:
    form = make_indicator(tmp_path, connection, limit=0.5)
    other = call(column_number=3, column_name="Calls", breakdown_code="all", breakdown_label=None)
    lines = [
        call(value="lots", line_number=2),
        other | {"line_number": 2},
        call(line_number=3),
        other | {"line_number": 4},
    ]
    later = {"period_start": "2018-01-01", "period_end": "2018-03-31"}
    load_id = land(form, [*lines[:2], lines[2] | later, lines[3] | later], connection)
    verdict = judge_load(load_id, form, connection, NONE)
    assert (verdict.verdict, verdict.line_count, verdict.quarantined_line_count) == ("admitted_with_quarantine", 4, 2)
    periods = rows_of("load_period", load_id, connection)
    assert [str(period["period_start"]) for period in periods] == ["2018-01-01"]


def test_more_lines_than_the_limit_reject_the_return(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection, limit=0.5)
    lines = [visit(), visit(visit_number="2", station="Leek"), visit(visit_number="3", report="no")]
    verdict = judge_load(land(form, lines, connection), form, connection, NONE)
    assert (verdict.verdict, verdict.quarantined_line_count) == ("rejected", 2)
    assert verdict.failed[-1] == "VIS-007"


def test_flag_lets_the_return_in_and_lists_the_line(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(detainees="0")], connection)
    flag = check(predicate="detainees = 0", column="detainees", heading="Detainees seen")
    verdict = judge_by_checks(load_id, form, [flag], connection)
    assert (verdict.verdict, verdict.issue_count, verdict.failed) == ("admitted", 1, ("VIS-101",))
    (issue,) = rows_of("line_issue", load_id, connection)
    assert (issue["action"], issue["found"]) == ("flag", "0")


def test_what_a_check_finds_about_a_person_is_not_repeated(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(visitor="Secret Name")], connection)
    own = check(
        lines_sql="select sheet, line_number, visitor as found from {lines} as line", column="visitor", is_personal=True
    )
    judge_by_checks(load_id, form, [own], connection)
    (issue,) = rows_of("line_issue", load_id, connection)
    assert issue["found"] == HIDDEN
    assert "Secret" not in str(issue)


def test_more_failures_than_are_kept_keep_their_true_count(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quarterday.checking.issues.LINES_KEPT", 3)
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(visit_number=str(number)) for number in range(10)], connection)
    verdict = judge_by_checks(load_id, form, [check(predicate="true")], connection)
    assert verdict.issue_count == 10
    assert [issue["line_number"] for issue in rows_of("line_issue", load_id, connection)] == [2, 3, 4]


def test_every_line_set_aside_is_kept_where_the_rest_comes_in(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quarterday.checking.issues.LINES_KEPT", 3)
    form = make_register(tmp_path, connection, limit=0.9)
    load_id = land(form, [visit(visit_number=str(number)) for number in range(10)], connection)
    aside = check(predicate="visit_number > 2", action="quarantine_line")
    assert judge_by_checks(load_id, form, [aside], connection).verdict == "admitted_with_quarantine"
    assert len(rows_of("line_issue", load_id, connection)) == 7


def test_judged_load_is_left_alone(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(report="R1")], connection)
    first = judge_load(load_id, form, connection, NONE)
    before = [rows_of(table, load_id, connection) for table in ("verdict", "check_result", "line_issue", "load_event")]
    again = judge_by_checks(load_id, form, [check(predicate="true")], connection)
    assert again.verdict == first.verdict == "rejected"
    assert set(again.failed) == set(first.failed)
    after = [rows_of(table, load_id, connection) for table in ("verdict", "check_result", "line_issue", "load_event")]
    assert after == before


def test_findings_of_a_judgement_that_was_cut_off_are_replaced(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit()], connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.check_result values (%s, 'VIS-010', 'flag', 'info', false, 9, 'left over')", (load_id,)
        )
    judge_load(load_id, form, connection, NONE)
    assert "left over" not in str(rows_of("check_result", load_id, connection))


@pytest.mark.parametrize("sql", ["1 / (detainees - 3) = 1", "no_such_column > 1"])
def test_check_that_breaks_is_our_fault_and_leaves_nothing_written(
    sql: str, connection: Connection, tmp_path: Path
) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit()], connection)
    with pytest.raises(CheckCouldNotRun, match="check VIS-101 could not run"):
        judge_by_checks(load_id, form, [*contract_checks(form), check(predicate=sql)], connection)
    for table in ("verdict", "check_result", "line_issue", "load_period", "load_event"):
        assert rows_of(table, load_id, connection) == []


def test_query_that_gives_no_line_number_leaves_nothing_written(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit()], connection)
    broken = check(lines_sql="select sheet, 'two' as line_number from {lines} as line")
    with pytest.raises(CheckCouldNotRun):
        judge_by_checks(load_id, form, [broken], connection)
    assert rows_of("check_result", load_id, connection) == []


def test_expectation_that_is_dropped_is_noticed(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit()], connection)
    with pytest.raises(CheckCouldNotRun, match="dropped VIS-102"):
        judge_by_checks(
            load_id,
            form,
            [check(predicate="true"), check(check_id="VIS-102", predicate="true", severity="dreadful")],
            connection,
        )
    assert rows_of("verdict", load_id, connection) == []


def test_findings_of_the_reader_reject_the_return(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = new_load(form, connection)
    findings = [
        Finding("VIS-002", "a heading 'Visit'", "Visits", "Use the unaltered form.", "Sheet1", 1, "Visits"),
        Finding("VIS-002", "a heading 'Station'", None, "Use the unaltered form.", "Sheet1", 1),
    ]
    verdict = judge_findings(load_id, findings, connection)
    assert (verdict.verdict, verdict.issue_count, verdict.failed) == ("rejected", 2, ("VIS-002",))
    assert [issue["found"] for issue in rows_of("line_issue", load_id, connection)] == ["Visits", None]
    assert [event["event"] for event in rows_of("load_event", load_id, connection)] == ["rejected"]
    (result,) = rows_of("check_result", load_id, connection)
    assert (result["failing_count"], result["statement"]) == (2, "Sheets, headings and edition are those of the form.")
    assert judge_findings(load_id, [], connection) == verdict


def test_loader_role_may_judge(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [visit(), visit(visit_number="x")], connection)
    with connection.cursor() as cursor:
        cursor.execute("set local role quarterday_loader")
    assert judge_load(load_id, form, connection, NONE).verdict == "rejected"
