"""The DAGs that wait for returns: which runs they make, when their deadlines are, and whom they leave in peace."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest

from quarterday.contracts import Contract, load_contract, load_forms, load_terms
from quarterday.expecting import QUARTERS, ExpectedQuarters, ReturnDue, deadlines_of
from quarterday.settings import load_settings
from quarterday.warehouse import expected_returns

RETURNS = load_settings().returns
FORMS = load_forms(RETURNS)
CONTRACTS = {form.name: form.contract for form in FORMS.values()}


def timetable(contract: Contract) -> ExpectedQuarters:
    """The timetable of a contract, as it comes out of Airflow's database."""
    made = ExpectedQuarters(contract.form, contract.cadence, contract.lag_quarters)
    return ExpectedQuarters.deserialize(made.serialize())


@pytest.mark.parametrize("form", ["victim_gateway", "budget_outturn", "space_programme", "proven_reoffending"])
def test_there_is_a_run_for_each_quarter_that_is_expected(form: str) -> None:
    contract = CONTRACTS[form]
    runs = timetable(contract).iter_partition_dagrun_infos(
        earliest=pendulum.datetime(2013, 1, 1), latest=pendulum.datetime(2030, 1, 1)
    )
    keys = [info.partition_key for info in runs]
    expected = [f"{form}|{quarter}" for _, _, quarter, _ in expected_returns(FORMS[form])]
    assert expected and set(expected) <= set(keys) and len(keys) == len(set(keys))
    first, last = keys.index(expected[0]), keys.index(expected[-1])
    assert keys[first : last + 1] == list(dict.fromkeys(expected))


@pytest.mark.parametrize(("form", "day"), [("victim_gateway", "2018-01-01"), ("proven_reoffending", "2020-01-01")])
def test_a_run_begins_when_its_figures_can_be_known(form: str, day: str) -> None:
    start = timetable(CONTRACTS[form])._decode_partition_date(f"{form}|2017-18-Q3")
    assert pendulum.instance(start).in_timezone("Europe/London").format("YYYY-MM-DD HH:mm") == f"{day} 00:00"
    assert timetable(CONTRACTS[form])._format_key(pendulum.instance(start)) == f"{form}|2017-18-Q3"
    with pytest.raises(ValueError, match="is not of this DAG"):
        timetable(CONTRACTS[form])._decode_partition_date("other|2017-18-Q3")


def test_contracts_that_have_ended_expect_nothing_and_the_others_the_last_quarter(dags: dict[str, Any]) -> None:
    from airflow.timetables.base import TimeRestriction

    owing = [contract for contract in CONTRACTS.values() if contract.contract_start and contract.cadence in QUARTERS]
    assert {f"returns__expect_{contract.form}" for contract in owing} == {n for n in dags if "__expect_" in n}
    for contract in owing:
        dag = dags[f"returns__expect_{contract.form}"]
        asked = TimeRestriction(pendulum.instance(dag.start_date), pendulum.instance(dag.end_date), catchup=False)
        assert timetable(contract).next_dagrun_info_v2(last_dagrun_info=None, restriction=asked) is None
        still_open = TimeRestriction(asked.earliest, None, catchup=False)
        found = timetable(contract).next_dagrun_info_v2(last_dagrun_info=None, restriction=still_open)
        assert found is not None and found.run_after <= pendulum.now("UTC")
        last = [key for _, _, key, _ in expected_returns(FORMS[contract.form])][-1]
        ended = TimeRestriction(asked.earliest, asked.latest, catchup=True)
        runs = [info.partition_key for info in _all_runs(timetable(contract), ended)]
        assert runs[-1] == f"{contract.form}|{last}", "the last quarter that is owed has its run"


def test_a_run_has_an_id_that_airflow_takes() -> None:
    from airflow.configuration import conf
    from airflow.utils.types import DagRunType

    made = timetable(CONTRACTS["victim_gateway"]).generate_run_id(
        run_type=DagRunType.SCHEDULED,
        run_after=pendulum.datetime(2018, 1, 1),
        data_interval=None,
        partition_key="victim_gateway|2017-18-Q3",
    )
    assert re.fullmatch(conf.get("scheduler", "allowed_run_id_pattern"), made), made
    assert "victim_gateway~2017-18-Q3" in made


def _all_runs(table: ExpectedQuarters, restriction: Any) -> list[Any]:
    runs: list[Any] = []
    while found := table.next_dagrun_info_v2(last_dagrun_info=runs[-1] if runs else None, restriction=restriction):
        runs.append(found)
    return runs


def test_deadlines_come_back_from_the_database_as_they_were() -> None:
    from airflow.serialization.decoders import decode_deadline_alert
    from airflow.serialization.encoders import encode_deadline_alert

    contract = replace(CONTRACTS["victim_gateway"], reminder_working_days=3, escalation_working_days=7)
    found = [decode_deadline_alert(encode_deadline_alert(alert)) for alert in deadlines_of(contract)]
    moments = [alert.reference.inner_ref.moment("victim_gateway|2017-18-Q3") for alert in found]
    assert [moment.date() for moment in moments] == [date(2018, 1, 24), date(2018, 1, 30), date(2018, 2, 7)]
    assert {alert.callback.path for alert in found} == {"quarterday.expecting.tell_of_lateness"}
    assert all(alert.interval == timedelta(0) for alert in found)


@pytest.mark.parametrize(
    ("key", "run_type", "has_one"),
    [
        ("victim_gateway|2040-41-Q1", "scheduled", True),
        ("victim_gateway|2040-41-Q1", "manual", False),
        ("victim_gateway|2040-41-Q1", "backfill", False),
        ("victim_gateway|2017-18-Q3", "scheduled", False),
        (None, "scheduled", False),
    ],
)
def test_only_a_scheduled_run_that_begins_in_time_has_a_deadline(key: str, run_type: str, has_one: bool) -> None:
    session = SimpleNamespace(execute=lambda _: SimpleNamespace(one=lambda: (key, run_type)))
    moment = ReturnDue("late", 20)._evaluate_with(session=session, dag_id="d", run_id="r")
    assert (moment is not None) is has_one
    assert moment is None or moment > datetime.now(UTC)


def test_terms_are_those_of_the_whole_contract() -> None:
    for terms in load_terms(RETURNS).values():
        whole = load_contract(RETURNS / terms.form)
        assert replace(whole, columns=(), grain="", quality=()) == terms
