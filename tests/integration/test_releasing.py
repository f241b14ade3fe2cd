"""A release from opening to publication: what readers see before and after, and what a second run changes."""

from __future__ import annotations

from decimal import Decimal

import psycopg2
import pytest

from quarterday import releasing
from quarterday.contracts import load_forms
from quarterday.dbt import DbtFailed, run_dbt
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.conftest import session_settings
from tests.marts_support import (
    Figure,
    admit_figures,
    admit_register,
    deployed_template,
    quarantine,
    quarters_of,
    register_unjudged,
    release,
    release_quickly,
    rows,
    warehouse,
    year,
)

__all__ = ["deployed_template", "warehouse"]

Q1 = quarters_of(2016)[0]
MEASUREMENTS = "select value from mart.fct_measurement where measure_code = 'first_time_entrants'"
EVERYTHING = (
    "select * from core.fct_measurement order by 1, 2, 3, 4",
    "select * from core.fct_outcome order by 1, 2, 3, 4",
    "select * from core.fct_outcome_year order by 1, 2, 3, 4",
    "select * from core.fct_priority order by 1, 2, 3",
    "select * from core.dim_period order by 1",
    "select * from ledger.publication order by 1",
)


def send(settings: Settings, value: str, issued_on: str, measure: str = "first_time_entrants") -> int:
    """Admit one return with one figure for the first quarter of 2016-17 and the baseline year."""
    figures = [Figure(measure, "stoke_on_trent", Q1, value), Figure(measure, "stoke_on_trent", year(2015), "96")]
    return admit_figures(settings, "first_time_entrants", "yos_stoke", "2016-17-Q1", issued_on, figures)


def quarter_values(settings: Settings) -> list[Decimal]:
    """Return what a reader finds for the quarter."""
    return [value for (value,) in rows(settings, f"{MEASUREMENTS} and period_key = '2016-17-Q1'")]


def state_of_everything(settings: Settings) -> list[object]:
    """Return every row of the facts and the publications."""
    return [rows(settings, statement, role="owner") for statement in EVERYTHING]


def test_nothing_is_opened_when_nothing_is_admitted(warehouse: Settings) -> None:
    assert releasing.begin(warehouse, "run") is None
    assert rows(warehouse, "select count(*) from ledger.release", role="owner") == [(0,)]


def test_reader_sees_a_release_only_when_it_is_published(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    release_id = releasing.begin(warehouse, "run")
    assert release_id is not None
    assert releasing.build_facts(release_id, warehouse) > 0
    assert quarter_values(warehouse) == []
    assert rows(warehouse, "select * from mart.fct_outcome") == []
    assert releasing.check_facts(release_id, warehouse) > 0
    assert releasing.publish(release_id, warehouse) == 2
    assert quarter_values(warehouse) == [Decimal(24)]
    assert rows(warehouse, "select count(*) > 0 from mart.fct_outcome") == [(True,)]


def test_a_period_that_only_an_unpublished_return_names_is_not_shown(warehouse: Settings) -> None:
    rolling = ("rolling_year", "2015-07-01", "2016-06-30")
    figures = [Figure("first_time_entrants", "stoke_on_trent", rolling, "96")]
    admit_figures(warehouse, "first_time_entrants", "yos_stoke", "2016-17-Q1", "2016-07-20", figures)
    release_id = releasing.begin(warehouse, "run")
    assert release_id is not None
    releasing.build_facts(release_id, warehouse)
    asked = "select count(*) from {}.dim_period where period_type = 'rolling_year'"
    assert rows(warehouse, asked.format("core"), role="owner") == [(1,)]
    assert rows(warehouse, asked.format("mart")) == [(0,)]
    releasing.check_facts(release_id, warehouse)
    releasing.publish(release_id, warehouse)
    assert rows(warehouse, asked.format("mart")) == [(1,)]


def test_building_and_publishing_again_changes_nothing(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    release_id = releasing.begin(warehouse, "run")
    assert release_id is not None
    releasing.build_facts(release_id, warehouse)
    built = state_of_everything(warehouse)
    releasing.build_facts(release_id, warehouse)
    assert state_of_everything(warehouse) == built
    releasing.check_facts(release_id, warehouse)
    releasing.publish(release_id, warehouse)
    published = state_of_everything(warehouse)
    assert releasing.build_facts(release_id, warehouse) == 0
    assert releasing.check_facts(release_id, warehouse) == 0
    assert releasing.publish(release_id, warehouse) == 0
    assert releasing.begin(warehouse, "again") is None
    assert state_of_everything(warehouse) == published


def test_open_release_is_taken_up_with_later_returns_when_it_was_cut_off(warehouse: Settings) -> None:
    first = send(warehouse, "24", "2016-07-20")
    release_id = releasing.begin(warehouse, "run")
    second = send(warehouse, "25", "2016-08-20")
    assert releasing.begin(warehouse, "next run") == release_id
    found = rows(warehouse, "select load_id from ledger.release_load order by load_id", role="owner")
    assert found == [(first,), (second,)]


@pytest.mark.long
def test_release_is_refused_when_a_return_joined_it_after_its_facts_were_checked(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    release_id = releasing.begin(warehouse, "run")
    assert release_id is not None
    releasing.build_facts(release_id, warehouse)
    releasing.check_facts(release_id, warehouse)
    send(warehouse, "25", "2016-08-20")
    assert releasing.begin(warehouse, "next run") == release_id
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="not what was checked"):
        releasing.publish(release_id, warehouse)
    assert quarter_values(warehouse) == []
    assert release(warehouse) == release_id
    assert quarter_values(warehouse) == [Decimal(25)]


def test_release_reckons_for_the_day_it_is_taken_up_again(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    release_id = releasing.begin(warehouse, "run")
    assert release_id is not None
    with connect(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.release set as_of = as_of - 3, checked_loads = '{1}'")
    assert releasing.begin(warehouse, "next run") == release_id
    found = rows(
        warehouse,
        """select as_of = (clock_timestamp() at time zone 'Europe/London')::date, checked_loads from ledger.release""",
        role="owner",
    )
    assert found == [(True, None)]


def test_return_stays_in_when_a_later_one_restates_all_of_it(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    release_quickly(warehouse)
    figures = [Figure("first_time_entrants", "stoke_on_trent", Q1, "26")]
    figures += [Figure("first_time_entrants", "stoke_on_trent", year(2015), "96")]
    admit_figures(warehouse, "first_time_entrants", "yos_stoke", "2016-17-Q2", "2016-10-20", figures)
    release(warehouse)
    assert rows(
        warehouse,
        """select return_in_count from mart.fct_priority
        where priority_code = 'plan_2013.managing_offenders' and period_key in ('2016-17-Q1', '2016-17-Q2')""",
    ) == [(1,), (1,)]
    states = rows(
        warehouse,
        """select state from mart.fct_return
        where form = 'first_time_entrants' and partner_code = 'yos_stoke'
            and period_key in ('2016-17-Q1', '2016-17-Q2')""",
    )
    assert states == [("released",), ("released",)]


def action_plan(settings: Settings, words: str, quarter_key: str, period: tuple[str, str, str]) -> int:
    """Admit an action plan of one action."""
    line = {"action_number": "1", "theme": "Prevention", "reference": "1", "action_label": words, "term_printed": "M"}
    line |= {"carried_forward": "no", "rag": "G", "has_evidence": "yes"}
    board = "offender_management_board"
    return admit_register(settings, "reducing_offending_action_plan", board, quarter_key, period[2], [line], period)


@pytest.mark.long
def test_new_words_of_an_action_are_read_only_when_its_plan_is_published(warehouse: Settings) -> None:
    words = "select action_label, described_in_quarter from mart.dim_action"
    action_plan(warehouse, "Old words", "2016-17-Q1", quarters_of(2016)[0])
    release(warehouse)
    action_plan(warehouse, "New words", "2016-17-Q2", quarters_of(2016)[1])
    release_id = releasing.begin(warehouse, "run")
    assert release_id is not None
    releasing.build_facts(release_id, warehouse)
    assert rows(warehouse, words) == [("Old words", "2016-17-Q1")]
    releasing.check_facts(release_id, warehouse)
    releasing.publish(release_id, warehouse)
    assert rows(warehouse, words) == [("New words", "2016-17-Q2")]


def test_restatement_replaces_only_what_it_restates_and_keeps_the_old_in_history(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    release_quickly(warehouse)
    corrected = [Figure("first_time_entrants", "stoke_on_trent", Q1, "26")]
    admit_figures(warehouse, "first_time_entrants", "yos_stoke", "2016-17-Q1", "2016-09-01", corrected)
    release(warehouse)
    assert quarter_values(warehouse) == [Decimal(26)]
    assert rows(warehouse, f"{MEASUREMENTS} and period_key = '2015-16'") == [(Decimal(96),)]
    as_issued = rows(
        warehouse,
        """select value, issued_on::text, superseded_on::text from history.fct_measurement
        where period_key = '2016-17-Q1' and known_to is null order by issued_on""",
    )
    assert as_issued == [(Decimal(24), "2016-07-20", "2016-09-01"), (Decimal(26), "2016-09-01", None)]
    as_known_first = rows(
        warehouse,
        """select value from history.fct_measurement
        where period_key = '2016-17-Q1' and known_from <= (select min(known_from) from history.fct_measurement)""",
    )
    assert as_known_first == [(Decimal(24),)]
    state = rows(
        warehouse,
        """select state, version_count from mart.fct_return
        where form = 'first_time_entrants' and partner_code = 'yos_stoke' and period_key = '2016-17-Q1'""",
    )
    assert state == [("restated", 2)]


def test_older_return_that_arrives_late_takes_its_place_in_history_only(warehouse: Settings) -> None:
    send(warehouse, "26", "2016-09-01")
    release_quickly(warehouse)
    send(warehouse, "24", "2016-07-20")
    release(warehouse)
    assert quarter_values(warehouse) == [Decimal(26)]
    found = rows(
        warehouse,
        "select value from mart.fct_outcome where period_key = '2016-17-Q1' and area_code = 'stoke_on_trent'",
    )
    assert found == [(Decimal(26),)]
    as_issued = rows(
        warehouse,
        """select value, superseded_on::text from history.fct_measurement
        where period_key = '2016-17-Q1' and known_to is null order by issued_on""",
    )
    assert as_issued == [(Decimal(24), "2016-09-01"), (Decimal(26), None)]


def test_quarantined_line_never_reaches_a_fact(warehouse: Settings) -> None:
    load_id = send(warehouse, "24", "2016-07-20")
    quarantine(warehouse, load_id, line_number=2)
    release(warehouse)
    assert rows(warehouse, MEASUREMENTS) == [(Decimal(96),)]


def test_release_fails_with_the_node_named_when_a_code_is_in_no_seed(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20", measure="unheard_of")
    release_id = releasing.begin(warehouse, "run")
    assert release_id is not None
    with pytest.raises(DbtFailed, match=r"model\.quarterday\.fct_measurement(.|\n)*unheard_of"):
        releasing.build_facts(release_id, warehouse)
    noted = rows(
        warehouse, "select status from ledger.dbt_run where node_id = 'model.quarterday.fct_measurement'", role="owner"
    )
    assert noted == [("error",)]
    of_form = "select 1 from ledger.dbt_run where node_id like '%fct_youth_disposal%'"
    assert rows(warehouse, of_form, role="owner") == []
    assert rows(warehouse, "select count(*) from ledger.publication", role="owner") == [(0,)]


def test_facts_of_one_form_are_built_by_releases_that_bring_it() -> None:
    project = session_settings().dbt_project
    folders = {path.name for path in (project / releasing.OF_FORM).iterdir()}
    assert folders and folders <= load_forms(session_settings().returns).keys()
    assert releasing.words_of_build(folders, project) == releasing.RELEASE_BUILD
    words = releasing.words_of_build(folders - {"yjb_disposals"}, project)
    assert words[len(releasing.RELEASE_BUILD) :] == ("--exclude", f"path:{releasing.OF_FORM / 'yjb_disposals'}")


def test_release_waits_only_while_a_fresh_return_has_no_verdict(warehouse: Settings) -> None:
    load_id = send(warehouse, "24", "2016-07-20")
    register_unjudged(warehouse, "first_time_entrants", "yos_staffordshire", "2016-17-Q1")
    assert releasing.begin(warehouse, "run", wait_for_arriving=True) is None
    with connect(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "update ledger.verdict set judged_at = judged_at - interval '11 minutes' where load_id = %s", (load_id,)
        )
    assert releasing.begin(warehouse, "run", wait_for_arriving=True) is not None


def test_withdrawn_return_is_not_released(warehouse: Settings) -> None:
    load_id = send(warehouse, "24", "2016-07-20")
    with connect(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("insert into ledger.load_event (load_id, event) values (%s, 'withdrawn')", (load_id,))
    assert releasing.begin(warehouse, "run") is None


def test_deploying_again_does_nothing_until_the_code_changes_and_keeps_what_is_published(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    release_quickly(warehouse)
    published = state_of_everything(warehouse)
    added_up = "select sum(additive_value) from mart.fct_measurement"
    ((total,),) = rows(warehouse, added_up)
    assert total >= 24
    with connect(warehouse, "owner") as connection, connection.cursor() as cursor:
        for fact in ("fct_measurement", "fct_measurement_current"):
            cursor.execute(f"update core.{fact} set additive_value = null")
    assert releasing.deploy_marts(warehouse, force=True)
    assert not releasing.deploy_marts(warehouse)
    assert state_of_everything(warehouse) == published
    assert quarter_values(warehouse) == [Decimal(24)]
    assert rows(warehouse, added_up) == [(total,)], "worked out again, as where the measure had not been additive"


def test_every_rule_that_can_be_wrong_has_a_dbt_unit_test_that_passes(warehouse: Settings) -> None:
    results = run_dbt(["test", "--select", "test_type:unit"], warehouse)
    assert len(results) >= 18
    assert {result.status for result in results} == {"pass"}
