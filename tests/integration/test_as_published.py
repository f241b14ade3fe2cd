"""What is kept of the marts as published now is what its views say: after each release, for whoever reads meanwhile."""

from __future__ import annotations

import re
import threading
from decimal import Decimal
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from quarterday import past, releasing
from quarterday import warehouse as grounds
from quarterday.settings import Settings, database_url
from quarterday.warehouse import connect
from quarterday.withdrawing import withdraw_release
from tests.conftest import PROJECT
from tests.marts_support import (
    Figure,
    admit_figures,
    deployed_template,
    quarters_of,
    release_quickly,
    rows,
    warehouse,
    year,
)

__all__ = ["deployed_template", "warehouse"]

Q1, Q2 = quarters_of(2016)[:2]
KEPT = tuple(past.CURRENT.values())
COLUMNS = """select string_agg(quote_ident(attname), ', ' order by attname) from pg_attribute
where attrelid = 'core.int_{kept}'::regclass and attnum > 0"""
DIFFERENT = """(select {columns} from core.{kept} except all select {columns} from core.int_{kept})
union all (select {columns} from core.int_{kept} except all select {columns} from core.{kept})"""
FIGURES = """select breakdown_code, value from mart.fct_measurement
where measure_code = 'first_time_entrants' and period_key = '2016-17-Q1' order by 1"""
OUTCOME = """select release_id, value from mart.fct_outcome
where measure_code = 'first_time_entrants' and area_code = 'stoke_on_trent' and period_key = '2016-17-Q1'"""
Told = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


def send(settings: Settings, value: str, issued_on: str, girls: str | None = None, quarter: str = "2016-17-Q1") -> int:
    """Admit one return: a quarter's figure, of girls too where there is one, and the baseline."""
    period = Q1 if quarter == "2016-17-Q1" else Q2
    figures = [Figure("first_time_entrants", "stoke_on_trent", period, value)]
    figures += [Figure("first_time_entrants", "stoke_on_trent", period, girls, breakdown="girls")] if girls else []
    figures += [Figure("first_time_entrants", "stoke_on_trent", year(2015), "96")]
    return admit_figures(settings, "first_time_entrants", "yos_stoke", quarter, issued_on, figures)


def told(reader: Cursor) -> Told:
    """Return the figures and the outcome that a reader finds for the quarter."""
    reader.execute(FIGURES)
    figures = reader.fetchall()
    reader.execute(OUTCOME)
    return figures, reader.fetchall()


def told_now(settings: Settings) -> Told:
    """Return what a reader finds who begins now."""
    with connect(settings, "reader") as connection, connection.cursor() as cursor:
        return told(cursor)


def said(release_id: int, value: int, girls: int | None = None) -> Told:
    """Return what a reader finds where a release says this."""
    parts = [("girls", Decimal(girls))] if girls else []
    return [("all", Decimal(value)), *parts], [(release_id, Decimal(value))]


def unlike(settings: Settings) -> dict[str, int]:
    """Return how many rows each relation has that its view has not, or lacks; only those that are not the same."""
    found = {}
    for name in KEPT:
        ((columns,),) = rows(settings, COLUMNS.format(kept=name), role="owner")
        found[name] = len(rows(settings, DIFFERENT.format(kept=name, columns=columns), role="owner"))
    return {name: count for name, count in found.items() if count}


def run(settings: Settings, statement: str) -> int:
    """Change something as the owner; return how many rows."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


def test_what_is_kept_is_the_same_wherever_it_is_named() -> None:
    text = dict(grounds.migration_files())["030_publishing.sql"]
    (listed,) = re.findall(r"foreach fact in array array\[(.*)\] loop", text)
    models = {path.stem for path in (PROJECT / "dbt_project" / "models" / "core" / "current").glob("*.sql")}
    assert {f"{name}_current" for name in re.findall(r"\w+", listed)} == set(KEPT) == models
    assert {f"int_{name}" for name in KEPT} == past.CURRENT.keys()


def test_figures_and_outcomes_follow_a_restatement_and_a_withdrawal(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20", girls="9")
    first = release_quickly(warehouse)
    assert told_now(warehouse) == said(first, 24, 9)
    assert unlike(warehouse) == {}
    # A restatement that no longer says how many were girls.
    send(warehouse, "26", "2016-10-20")
    second = release_quickly(warehouse)
    assert told_now(warehouse) == said(second, 26)
    assert unlike(warehouse) == {}
    third = withdraw_release(second, "last year's workbook", warehouse)
    assert told_now(warehouse) == said(third, 24, 9)
    assert unlike(warehouse) == {}
    fourth = withdraw_release(first, "the wrong service", warehouse)
    assert told_now(warehouse) == ([], [])
    is_published = f"select published_at is not null from ledger.release where release_id = {fourth}"
    assert rows(warehouse, is_published, "owner") == [(True,)]
    assert unlike(warehouse) == {}


def test_who_reads_while_a_release_is_published_sees_all_of_it_or_nothing(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20", girls="9")
    first = release_quickly(warehouse)
    send(warehouse, "26", "2016-10-20")
    with connect(warehouse, "reader") as connection, connection.cursor() as reader:
        reader.execute("set transaction isolation level repeatable read")
        assert told(reader) == said(first, 24, 9)
        second = first + 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(releasing, "publish", lambda *_: 0)
            assert release_quickly(warehouse) == second
        with connect(warehouse, "builder") as publishing, publishing.cursor() as cursor:
            cursor.execute("select ledger.publish_release(%s)", (second,))
            assert told_now(warehouse) == said(first, 24, 9), "written, and not committed"
        assert told_now(warehouse) == said(second, 26)
        assert told(reader) == said(first, 24, 9), "who began before goes on to see what there was"
    assert unlike(warehouse) == {}


def test_a_return_of_which_one_period_is_restated_keeps_the_others(warehouse: Settings) -> None:
    figures = [
        Figure("first_time_entrants", "stoke_on_trent", period, value) for period, value in ((Q1, "24"), (Q2, "30"))
    ]
    admit_figures(warehouse, "first_time_entrants", "yos_stoke", "2016-17-Q2", "2016-10-20", figures)
    release_quickly(warehouse)
    # One that was issued before takes its place in history, and one issued since restates a quarter of the two.
    send(warehouse, "21", "2016-07-20")
    release_quickly(warehouse)
    assert told_now(warehouse)[0] == [("all", Decimal(24))]
    assert unlike(warehouse) == {}
    send(warehouse, "26", "2016-11-20")
    release_quickly(warehouse)
    by_quarter = """select period_key, value from mart.fct_measurement
        where measure_code = 'first_time_entrants' and period_type = 'financial_quarter' order by 1"""
    assert rows(warehouse, by_quarter) == [("2016-17-Q1", Decimal(26)), ("2016-17-Q2", Decimal(30))]
    assert unlike(warehouse) == {}


def test_what_differs_from_what_is_published_is_mended(warehouse: Settings) -> None:
    first, second = send(warehouse, "24", "2016-07-20"), send(warehouse, "30", "2016-10-20", quarter="2016-17-Q2")
    one = release_quickly(warehouse)
    # As where what is kept is newer than what was published: the next release puts it in.
    assert run(warehouse, f"delete from core.fct_measurement_current where load_id = {first}") > 0
    assert run(warehouse, "update core.fct_outcome_current set value = 1") > 0
    assert run(warehouse, "update core.fct_priority_current set outcome_green_count = 77") > 0
    assert unlike(warehouse).keys() == {"fct_measurement_current", "fct_outcome_current", "fct_priority_current"}
    send(warehouse, "31", "2016-11-20", quarter="2016-17-Q2")
    release_quickly(warehouse)
    assert unlike(warehouse) == {}
    # What a deployment finds: figures that differ, of loads that are not published, and a column that is newer.
    assert run(warehouse, f"update core.fct_measurement_current set value = value + 1 where load_id = {first}") > 0
    assert run(
        warehouse,
        f"insert into core.fct_measurement_current select * from core.fct_measurement where load_id = {second}",
    )
    assert run(warehouse, f"update core.fct_outcome_current set release_id = {one}") > 0
    assert run(warehouse, "delete from core.fct_priority_current") > 0
    run(warehouse, "alter table core.fct_measurement_current drop column value_as_sent cascade")
    releasing.deploy_marts(warehouse, force=True)
    assert unlike(warehouse) == {}
    assert rows(warehouse, "select count(*) from mart.fct_measurement where value_as_sent is not null") != [(0,)]


HELD = "select pg_advisory_xact_lock(hashtext('quarterday.release'))"
HOLDERS = """select pid from pg_locks
where locktype = 'advisory' and granted and objid = hashtext('quarterday.release')::oid"""


def test_nothing_is_published_while_what_is_kept_is_renewed(warehouse: Settings) -> None:
    with connect(warehouse, "builder") as renewing, renewing.cursor() as cursor:
        cursor.execute("select ledger.renew_current('{}')")
        assert rows(warehouse, HOLDERS, "owner") == [(renewing.info.backend_pid,)]
    assert rows(warehouse, HOLDERS, "owner") == []


def test_a_deployment_that_finds_nothing_unlike_neither_waits_for_a_publication_nor_holds_one_up(
    warehouse: Settings,
) -> None:
    send(warehouse, "24", "2016-07-20", girls="9")
    release_quickly(warehouse)
    gave_way: list[str] = []
    with psycopg2.connect(database_url(warehouse, "builder")) as publishing, publishing.cursor() as cursor:
        cursor.execute(HELD)

        def give_way() -> None:
            gave_way.append("after waiting for it")
            publishing.cancel()
            publishing.rollback()

        waiting = threading.Timer(120, give_way)
        waiting.start()
        releasing.deploy_marts(warehouse, force=True)
        waiting.cancel()
    assert gave_way == []
    assert unlike(warehouse) == {}


OF_BEFORE = """
drop table core.fct_measurement_current, core.fct_outcome_current, core.fct_priority_current,
    core.fct_recorded_crime_count_current cascade;
drop view core.int_fct_measurement_current, core.int_fct_outcome_current, core.int_fct_priority_current cascade;
drop function ledger.renew_current(bigint[]);
create function ledger.renew_current_counts(p_loads bigint[]) returns void language sql as 'select';
"""
RENEWING = "select proname from pg_proc where proname like 'renew_current%' order by 1"


def test_a_warehouse_made_before_gets_what_is_kept_with_the_next_deployment(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20", girls="9")
    release_quickly(warehouse)
    run(warehouse, OF_BEFORE)
    grounds.migrate(warehouse)
    assert rows(warehouse, RENEWING, "owner") == [("renew_current",)]
    # Until it is deployed, releases go on as they did.
    send(warehouse, "26", "2016-10-20")
    second = release_quickly(warehouse)
    releasing.deploy_marts(warehouse, force=True)
    assert told_now(warehouse) == said(second, 26)
    assert unlike(warehouse) == {}
    guarded = "select relrowsecurity from pg_class where oid = 'core.fct_measurement_current'::regclass"
    assert rows(warehouse, guarded, "owner") == [(True,)]
