"""Views are deployed under readers: none is missed, and nobody waits for long."""

from __future__ import annotations

import time
from functools import partial

import pytest

from quarterday import releasing
from quarterday.dbt import DbtFailed, run_dbt
from quarterday.settings import Settings, database_url
from quarterday.warehouse import connect
from tests.concurrency.actors import FRESH, Actor
from tests.concurrency.readers import PAUSE_SECONDS, reading
from tests.marts_support import deployed_template, rows, warehouse

__all__ = ["deployed_template", "warehouse"]

# Of every view that readers see: which it is, which version of its text, and whether it runs with the reader's rights.
VIEWS = """select relnamespace::regnamespace || '.' || relname, pg_class.oid, pg_rewrite.xmin::text, reloptions
from pg_class inner join pg_rewrite on ev_class = pg_class.oid
where relnamespace in ('mart'::regnamespace, 'history'::regnamespace)"""
READERS_RIGHTS = ["security_invoker=true"]


def views(settings: Settings) -> dict[str, tuple[int, str, list[str]]]:
    """Return what there is of each view, by schema and name."""
    return {name: (oid, version, options) for name, oid, version, options in rows(settings, VIEWS, role="owner")}


def make_another(view: str, settings: Settings) -> None:
    """Give a view another text with the same columns."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute("select pg_get_viewdef(%s::regclass)", (view,))
        (text,) = cursor.fetchone() or ("",)
        cursor.execute(f"create or replace view {view} as select * from ({text.rstrip(';')}) as former where false")


def test_a_view_that_is_as_it_should_be_is_left_alone_and_another_is_replaced_where_it_stands(
    warehouse: Settings,
) -> None:
    before = views(warehouse)
    make_another("mart.fct_outcome", warehouse)
    with connect(warehouse, "builder") as connection, connection.cursor() as cursor:
        cursor.execute("drop view mart.dim_fund; create view mart.dim_fund as select 1 as another_column")
    run_dbt(["run", "--select", "mart_fct_outcome", "mart_dim_fund", "mart_fct_budget_line"], warehouse)
    after = views(warehouse)
    assert after.keys() == before.keys()
    assert after["mart.fct_budget_line"] == before["mart.fct_budget_line"]
    assert after["mart.fct_outcome"][0] == before["mart.fct_outcome"][0]
    assert after["mart.fct_outcome"] != before["mart.fct_outcome"]
    assert after["mart.rpt_outcome_against_baseline"] == before["mart.rpt_outcome_against_baseline"]
    assert after["mart.dim_fund"][0] != before["mart.dim_fund"][0]
    assert [name for name, (_, _, options) in after.items() if options != READERS_RIGHTS] == []
    assert rows(warehouse, "select fund_code from mart.dim_fund limit 0") == []


@pytest.mark.long
def test_readers_miss_no_view_while_the_marts_are_deployed(warehouse: Settings) -> None:
    make_another("mart.fct_outcome", warehouse)
    with reading(database_url(warehouse, "reader"), 4) as readers:
        began = time.monotonic()
        assert releasing.deploy_marts(warehouse, force=True)
        ended = time.monotonic()
        time.sleep(2 * PAUSE_SECONDS)
    print(f"\ndeployed in {ended - began:.0f} s: {readers.read_count} reads, longest {readers.waits()[-1]:.3f} s")
    assert readers.errors == []


@pytest.mark.long
def test_a_reader_that_holds_a_view_stops_its_deployment_and_no_other_reader_for_long(warehouse: Settings) -> None:
    """The deployment says so and gives way after five seconds; once the reader is done, it goes through."""
    deploy = partial(run_dbt, ["run", "--select", "mart_fct_outcome"], warehouse)
    make_another("mart.fct_outcome", warehouse)
    with connect(warehouse, "reader") as holding, holding.cursor() as cursor:
        cursor.execute("select * from mart.fct_outcome limit 1")
        deploying = Actor(deploy, context=FRESH).start()
        with reading(database_url(warehouse, "reader"), 2) as readers:
            refused = deploying.end().error or ""
    assert DbtFailed.__name__ in refused and "lock timeout" in refused
    assert readers.errors == []
    assert readers.waits()[-1] < 10
    deploy()
    assert rows(warehouse, "select count(*) >= 0 from mart.fct_outcome") == [(True,)]
