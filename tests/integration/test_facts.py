"""Facts against what was admitted: the project's own checks, on a release whose core is right and then wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from quarterday.checking.checks import Check
from quarterday.checking.facts import FactsDoNotAgree, check_facts, examine_facts, read_fact_checks
from quarterday.checking.judging import judge_by_checks
from quarterday.checking.suites import CheckCouldNotRun
from quarterday.contracts import Form, load_forms
from quarterday.recording.suite_runs import record_facts
from tests.checking_support import GOOD_CALL, land

pytest_plugins = ("tests.checking_support",)
EXPECTATIONS = Path(__file__).parents[2] / "expectations"
BUDGET = {
    "body": "OPCC",
    "budget_line": "Total",
    "financial_year": "2017/18",
    "status": "final",
    "budget_gbp": "1,200",
    "outturn_gbp": "1,100",
}
# Core as dbt makes it, as far as the checks look.
CORE = """
create table core.fct_measurement (load_id bigint, sheet text, line_number int, column_number int, measure_code text,
    breakdown_code text, area_code text, period_key text, partner_code text, value numeric,
    numerator numeric, denominator numeric, period_type text, period_end date);
create table core.fct_action_status (load_id bigint, sheet text, line_number int, action_key text, period_key text,
    period_end date);
create table core.fct_budget_line (load_id bigint, sheet text, line_number int, body text, budget_line text,
    period_key text, status text, budget_gbp numeric, outturn_gbp numeric, variance_gbp numeric,
    period_end date);
create table core.fct_grant_award (load_id bigint, sheet text, line_number int, fund_code text, period_key text,
    award_count bigint, awarded_gbp numeric, available_gbp numeric, period_end date);
create table core.fct_recorded_crime (load_id bigint, sheet text, line_number int, period_end date, place_key bigint,
    crime_type text, period_key text, area_code text);
create table core.fct_recorded_crime_count (load_id bigint, crime_type text, area_code text, last_outcome text,
    crime_count bigint);
create table core.dim_crime_place (load_id bigint, place_key bigint, area_code text);
create table core.fct_recorded_offence (load_id bigint, sheet text, line_number int, line_count int,
    offence_count bigint, period_end date);
create table core.fct_youth_disposal (load_id bigint, sheet text, line_number int, disposal_count bigint,
    period_end date);
create table core.dim_statistical_area (load_id bigint, sheet text, line_number int);
create table core.bridge_district_partnership (load_id bigint, sheet text, line_number int);
"""
BUILD = """
insert into core.fct_measurement
select load_id, sheet, line_number, column_number, measure_code, breakdown_code, area_code, period_label, 'p', value,
    numerator, denominator, period_type, period_end
from typed.indicator where line_number <> 9;
insert into core.fct_budget_line
select load_id, sheet, line_number, body, budget_line, financial_year, status, budget_gbp, outturn_gbp,
    variance_gbp, (select period_end from ledger.load_period where load_period.load_id = budget_outturn.load_id)
from typed.budget_outturn;
"""

# The table of a large release, its definition left open.
LARGE = "create table core.large () inherits (core.fct_recorded_crime); alter table core.large "


@pytest.fixture
def release(connection: Connection) -> int:
    """A release of two admitted loads, the first with line 9 set aside, and core as it should be."""
    forms = load_forms(EXPECTATIONS.parent / "returns")
    calls = [GOOD_CALL, GOOD_CALL | {"value": "[x]"}, GOOD_CALL | {"value": "lots", "line_number": 9}]
    loads = [_admit(forms["victim_gateway"], calls, connection), _admit(forms["budget_outturn"], [BUDGET], connection)]
    run("insert into ledger.release (code_version) values ('test')", connection)
    run("insert into ledger.release_load select release_id, unnest(%s) from ledger.release", connection, loads)
    run(CORE + BUILD, connection)
    with connection.cursor() as cursor:
        cursor.execute("select release_id from ledger.release")
        return int(cursor.fetchone()[0])


def _admit(form: Form, lines: list[dict[str, object]], connection: Connection) -> int:
    load_id = land(form, lines, connection)
    within = Check(
        f"{form.contract.check_prefix}-101", "S.", "critical", "quarantine_line", "R.", "E", predicate="false"
    )
    aside = Check(f"{form.contract.check_prefix}-102", "S.", "critical", "flag", "R.", "E", predicate="line_number = 9")
    assert judge_by_checks(load_id, form, [within, aside], connection).is_admitted
    run("update ledger.line_issue set action = 'quarantine_line' where load_id = %s", connection, load_id)
    return load_id


def run(statement: str, connection: Connection, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def test_facts_that_are_what_was_admitted_pass(release: int, connection: Connection) -> None:
    checks = check_facts(release, connection, EXPECTATIONS)
    assert len(checks) == len(read_fact_checks(EXPECTATIONS)) >= 10
    assert all(check.has_passed for check in checks)


@pytest.mark.parametrize(
    ("statement", "check_id", "words"),
    [
        ("delete from core.fct_measurement where line_number = 2", "FCT-001", "expected 2, found 1"),
        ("insert into core.fct_measurement table core.fct_measurement", "FCT-001", "expected 2, found 4"),
        ("update core.fct_measurement set value = value * 10", "FCT-002", "expected 12, found 120"),
        ("update core.fct_measurement set area_code = null", "FCT-003", "found one missing"),
        ("delete from core.fct_budget_line", "FCT-021", "expected 1, found 0"),
        ("update core.fct_budget_line set outturn_gbp = 1", "FCT-022", "outturn_gbp: expected 1100000, found 1"),
        ("update core.fct_budget_line set body = null", "FCT-023", "found one missing"),
        (
            "update core.fct_budget_line set period_end = period_end + 366",
            "FCT-043",
            "expected a period of its load, found a period that ends on",
        ),
        (
            "delete from ledger.load_period where load_id = {first}",
            "FCT-042",
            "admitted, with its periods",
        ),
        (
            "update ledger.verdict set verdict = 'rejected' where load_id = {first}",
            "FCT-004",
            "found rejected",
        ),
        (
            "insert into core.fct_action_status select {first}, null, 1, 'a', 'b', null",
            "FCT-011",
            "found 1",
        ),
        (
            "insert into core.fct_grant_award select {first}, null, 1, null, 'b', 1, 1, 1, null",
            "FCT-033",
            "found one missing",
        ),
        (
            "insert into core.fct_recorded_crime values (77, '', 2); insert into ledger.load (load_id, file_sha256, "
            "file_name, file_bytes, archive_path, partner_code) overriding system value "
            "values (77, repeat('7', 64), 'a', 1, 'a', 'p')",
            "FCT-052",
            "load 77: expected admitted, found not judged",
        ),
        (
            LARGE + "add constraint loads_of_release check (load_id = any('{{first}}'::bigint[])); "
            "update ledger.verdict set verdict = 'rejected' where load_id = {first}",
            "FCT-052",
            "expected admitted, found rejected",
        ),
        (
            "insert into core.fct_recorded_crime values ({first}, '', 2, null, 7)",
            "FCT-054",
            "place 7: expected a place, found none",
        ),
        (
            "insert into core.fct_recorded_crime (load_id, sheet, line_number, place_key) values ({first}, '', 2, 7); "
            "insert into core.dim_crime_place values ({first}, 7, 'stafford')",
            "FCT-054",
            "place 7: expected stafford, found no area",
        ),
        (
            "insert into core.fct_recorded_crime values ({first}, '', 2, null, null, null, '1999-00-Q1')",
            "FCT-051",
            ", 1999-00-Q1: expected 0, found 1",
        ),
        (
            "insert into core.fct_recorded_crime_count values ({first}, 'Burglary', null, null, 3)",
            "FCT-055",
            "Burglary: expected 0, found 3",
        ),
        ("insert into core.fct_youth_disposal values ({first}, '', 2, 5, null)", "FCT-071", "found 1"),
        ("insert into core.dim_statistical_area values ({first}, '', 2)", "FCT-081", "dim_statistical_area"),
        ("insert into core.bridge_district_partnership values ({first}, '', 2)", "FCT-081", "found 1"),
        (LARGE + "set (fillfactor = 90)", "FCT-052", "core.large: expected a check that names its loads"),
        (
            "create or replace function ledger.plan_publication(p_release_id bigint) returns table (form text, "
            "partner_code text, period_type text, period daterange, load_id bigint, issued daterange, "
            "is_current boolean, is_new boolean) language sql as "
            "'select null, null, null, null::daterange, 1, null::daterange, true, true'",
            "FCT-041",
            "found none",
        ),
    ],
)
def test_facts_that_differ_stop_the_release_with_numbers(
    statement: str, check_id: str, words: str, release: int, connection: Connection
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select min(load_id) from ledger.release_load")
        ((first,),) = cursor.fetchall()
    run(statement.replace("{first}", str(first)), connection)
    with pytest.raises(FactsDoNotAgree) as caught:
        check_facts(release, connection, EXPECTATIONS)
    failed = {check.check_id: check for check in caught.value.failed}
    assert words in failed[check_id].differences[0]
    assert f"  {check_id} " in str(caught.value)


def test_check_on_facts_that_breaks_is_our_fault(release: int, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "a.yml").write_text(
        "checks: [{id: FCT-001, statement: S., remedy: R., differences: 'select nothing as what'}]"
    )
    with pytest.raises(CheckCouldNotRun, match="nothing"):
        check_facts(release, connection, tmp_path)


def test_builder_role_may_check_facts(release: int, connection: Connection) -> None:
    run("grant select on all tables in schema core to quarterday_builder", connection)
    run("set local role quarterday_builder", connection)
    assert check_facts(release, connection, EXPECTATIONS)


def test_outcome_of_each_check_on_facts_is_recorded_with_what_the_suite_took(
    release: int, connection: Connection
) -> None:
    run("delete from core.fct_budget_line", connection)
    for _ in range(2):  # the second time replaces the first
        examined = examine_facts(release, connection, EXPECTATIONS)
        with connection.cursor() as cursor:
            record_facts(release, examined.checks, examined.ran, cursor)
            cursor.execute("select check_id from ledger.fact_check_result where not has_passed and failing_count > 0")
            failed = {check_id for (check_id,) in cursor.fetchall()}
            cursor.execute("select count(*) from ledger.fact_check_result where release_id = %s", (release,))
            ((count,),) = cursor.fetchall()
    assert failed == {check.check_id for check in examined.failed} != set()
    assert count == len(examined.checks)
    with connection.cursor() as cursor:
        cursor.execute(
            "select check_count, failed_count, profile_seconds, suite_seconds from ledger.suite_run"
            " where release_id = %s order by suite_run_id",
            (release,),
        )
        runs = cursor.fetchall()
    assert [(checks, failing) for checks, failing, *_ in runs] == [(count, len(failed))] * 2
    assert all(counting > 0 and asserting > 0 for *_, counting, asserting in runs)
