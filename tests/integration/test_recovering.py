"""What ledger__reconcile finds: lost wake-ups, receipts, records of killed tasks; and what it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quarterday import inbox, recovering, unfinished
from quarterday.airflow_client import AirflowClient, AirflowRefused
from quarterday.errors import OperatorError
from quarterday.recording.task_runs import TaskTry, record_end, record_start
from quarterday.recovering import LOADS, RELEASES, Lost, close_lost_records, find_lost
from quarterday.restating import signing_off
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.path_support import expected_returns, put_into_inbox, rows_of, send

LOST = [row for row in expected_returns(1) if row["form"] in {"first_time_entrants", "restorative_justice_hub"}][:3]


@dataclass
class Airflow(AirflowClient):
    """What Airflow answers, set by the test; nothing is asked over the network."""

    under_way: list[dict[str, Any]] = field(default_factory=list)
    paused: tuple[str, ...] = ()
    tried: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def runs(self, since: str | None = None, states: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        return [run for run in self.under_way if run["state"] in states]

    def dags(self) -> list[dict[str, Any]]:
        return [{"dag_id": dag_id, "is_paused": dag_id in self.paused} for dag_id in recovering.WAKES]

    def tries(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> list[dict[str, Any]]:
        if run_id not in self.tried:
            raise AirflowRefused(f"404 from Airflow: no run {run_id}")
        return self.tried[run_id]


@pytest.fixture
def airflow() -> Airflow:
    return Airflow("http://127.0.0.1:1", "viewer", "")


@pytest.fixture
def registered(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A warehouse in which returns are registered, and the event of the sweep is lost."""
    monkeypatch.setattr(unfinished, "STANDSTILL", "0 seconds")
    send(LOST, settings)
    inbox.raise_failures(inbox.sweep(settings).failures)
    return settings


def keys_of(settings: Settings) -> list[str]:
    return sorted({f"{row['form']}|{row['reporting_quarter']}" for row in rows_of(STATES, settings, "owner")})


STATES = "select form, reporting_quarter, state from ledger.load_state order by load_id"


def note(key: str, event: str, settings: Settings) -> None:
    """Let something have happened to the returns of a key, as their tasks would."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.load_event (load_id, event)
            select load_id, %s from ledger.load where form || '|' || reporting_quarter = %s""",
            (event, key),
        )


def test_lost_wake_ups_are_found_at_each_stage_until_all_is_loaded(registered: Settings, airflow: Airflow) -> None:
    keys = keys_of(registered)
    assert len(keys) >= 2
    assert find_lost(registered, airflow) == Lost({LOADS: keys})
    first, *rest = keys
    note(first, "landed", registered)
    assert find_lost(registered, airflow).to_wake == {LOADS: keys}, "landed is not done"
    note(first, "admitted", registered)
    assert find_lost(registered, airflow).to_wake == {LOADS: rest, RELEASES: [first]}
    for key in rest:
        note(key, "admitted", registered)
    woken = find_lost(registered, airflow).to_wake
    assert list(woken) == [RELEASES] and len(woken[RELEASES]) == 1, "one release takes in all"
    for key in keys:
        note(key, "released", registered)
    assert find_lost(registered, airflow) == Lost()


def test_what_airflow_has_in_hand_or_in_its_queue_is_left_alone(registered: Settings, airflow: Airflow) -> None:
    first, *rest = keys_of(registered)
    airflow.under_way = [{"dag_id": LOADS, "state": "queued", "partition_key": first}]
    assert find_lost(registered, airflow).to_wake == {LOADS: rest}
    airflow.under_way = [{"dag_id": LOADS, "state": "running", "partition_key": key} for key in (first, *rest)]
    assert find_lost(registered, airflow) == Lost()
    note(first, "admitted", registered)
    airflow.under_way.append({"dag_id": RELEASES, "state": "queued", "partition_key": first.split("|")[1]})
    assert find_lost(registered, airflow) == Lost()
    airflow.under_way[-1]["state"] = "running"  # it may have begun before this return was admitted
    assert find_lost(registered, airflow).to_wake == {RELEASES: [first]}


def test_what_has_only_just_happened_is_left_to_its_own_event(
    registered: Settings, airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "STANDSTILL", "1 minute")
    assert find_lost(registered, airflow) == Lost()


def test_a_paused_dag_is_not_woken_in_vain_and_is_named(registered: Settings, airflow: Airflow) -> None:
    airflow.paused = (LOADS,)
    lost = find_lost(registered, airflow)
    assert lost.to_wake == {}
    assert lost.kept_back[LOADS].startswith(f"is paused: {len(keys_of(registered))} to wake")


def test_without_airflow_the_sweeps_rule_says_what_is_lost(
    registered: Settings, airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperatorError("no answer")

    monkeypatch.setattr(airflow, "runs", away)
    lost = find_lost(registered, airflow)
    assert lost.to_wake == {LOADS: keys_of(registered)}
    assert "no answer" in lost.kept_back["Airflow"]
    assert find_lost(registered).to_wake == lost.to_wake, "outside of a task there is no Airflow to ask"


def test_a_question_that_nobody_was_asked_is_found(
    registered: Settings, airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_off, "keys_to_ask", lambda _: ["a|2017-18-Q3|7", "a|2017-18-Q3|8"])
    airflow.under_way = [
        {"dag_id": recovering.SIGN_OFFS, "state": "running", "partition_key": "a|2017-18-Q3|7"},
        *({"dag_id": LOADS, "state": "queued", "partition_key": key} for key in keys_of(registered)),
    ]
    assert find_lost(registered, airflow).to_wake == {recovering.SIGN_OFFS: ["a|2017-18-Q3|8"]}


def test_receipts_that_a_crash_kept_back_are_written(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quarterday.receipts.BEING_WRITTEN", "0 seconds")
    strange = settings.home / "holiday.csv"
    strange.parent.mkdir(parents=True)
    strange.write_text("place,days\nStoke,3\n")
    put_into_inbox(strange, "rj_hub", settings)
    (load_id,) = inbox.sweep(settings).registered
    (receipt,) = settings.receipts.glob(f"receipt-{load_id}-*.html")
    receipt.unlink()
    assert recovering.write_lost_receipts(settings) == [load_id]
    assert receipt.exists()
    assert recovering.write_lost_receipts(settings) == []


NOW = datetime.now(UTC)
ENDED = (NOW - timedelta(hours=1)).isoformat()


def told(number: int, state: str | None, ended: str | None = ENDED) -> dict[str, Any]:
    return {"try_number": number, "state": state, "end_date": ended}


# What Airflow says of the tries of a task whose record stands as running, and how the record is closed.
TOLD: dict[str, tuple[list[dict[str, Any]] | None, str | None]] = {
    "runs": ([told(1, "running", None)], None),
    "waits for a person": ([told(1, "awaiting_input", None)], None),
    "is not known to be over": ([told(1, "queued", None)], None),
    "killed and tried again": ([told(1, "failed"), told(2, "running", None)], "up_for_retry"),
    "killed and to be tried again": ([told(1, "up_for_retry")], "up_for_retry"),
    "killed at the last try": ([told(1, "failed")], "failed"),
    "killed while it wrote its record": ([told(1, "success")], "success"),
    "skipped": ([told(1, "skipped")], "skipped"),
    "its run was deleted": (None, "failed"),
}


def test_a_killed_tasks_record_is_closed_as_airflow_has_it(settings: Settings, airflow: Airflow) -> None:
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        record_end(TaskTry(LOADS, "done", "land_return", 1), "success", cursor)
        for run_id in TOLD:
            record_start(TaskTry(LOADS, run_id, "land_return", 1, "a|2017-18-Q3"), "abc", cursor)
        cursor.execute("update ledger.task_run set started_at = started_at - interval '2 hours'")
        record_start(TaskTry(LOADS, "just begun", "land_return", 1), "abc", cursor)
    airflow.tried = {run_id: tries for run_id, (tries, _) in TOLD.items() if tries}
    closed = close_lost_records(settings, airflow)
    ends = {run_id: state for run_id, (_, state) in TOLD.items() if state}
    assert set(closed) == {f"{LOADS} land_return, try 1 of {run_id}: {state}" for run_id, state in ends.items()}
    found = {row["run_id"]: row for row in rows_of("select * from ledger.task_run", settings, "owner")}
    assert {run_id: found[run_id]["state"] for run_id in ends} == ends
    for run_id in ends:
        assert found[run_id]["seconds"] is None and "closed by ledger__reconcile" in found[run_id]["message"]
        assert run_id == "its run was deleted" or found[run_id]["ended_at"] == datetime.fromisoformat(ENDED)
    still = {run_id for run_id, row in found.items() if row["state"] == "running"}
    assert still == {"just begun", *(TOLD.keys() - ends.keys())}
    assert close_lost_records(settings, airflow) == []
