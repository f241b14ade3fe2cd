"""What a task's run leaves in the ledger, as Airflow calls the listener: in the task's process, or beside it."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk._shared.listeners.spec import lifecycle, taskinstance
from airflow.sdk.listener import ListenerManager
from structlog.testing import capture_logs

from quarterday.recording.listener import RunRecordsPlugin, TaskRunListener
from quarterday.settings import Settings
from quarterday.versioning import code_version
from quarterday.warehouse import connect
from tests.path_support import rows_of

KEY = "victim_gateway|2017-18-Q3"
LONGEST_MILLISECONDS = 20


@pytest.fixture
def warehouse(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A warehouse that the listener finds as a task does: by the environment."""
    for name, value in {
        "QUARTERDAY_DATABASE_URL": settings.server_url,
        "QUARTERDAY_HOME": settings.home,
        "QUARTERDAY_SECRETS": settings.secrets,
    }.items():
        monkeypatch.setenv(name, str(value))
    yield settings


def task(task_id: str = "land_return", **given: Any) -> SimpleNamespace:
    """A task instance with what Airflow gives a task in its own process."""
    told = SimpleNamespace(dag_run=SimpleNamespace(partition_key=KEY))
    common = {"dag_id": "returns__load", "run_id": "run 1", "try_number": 1, "map_index": -1, "state": "running"}
    return SimpleNamespace(
        task_id=task_id, start_date=datetime.now(UTC), _ti_context_from_server=told, **{**common, **given}
    )


def records(settings: Settings) -> list[dict[str, Any]]:
    return rows_of("select * from ledger.task_run order by started_at, try_number", settings, "owner")


def test_a_task_that_succeeds_has_one_row_with_its_key_its_seconds_and_the_code(warehouse: Settings) -> None:
    listener, one = TaskRunListener(), task()
    listener.on_task_instance_running(task_instance=one)
    (running,) = records(warehouse)
    assert (running["state"], running["ended_at"], running["seconds"]) == ("running", None, None)
    time.sleep(0.02)
    listener.on_task_instance_success(task_instance=one)
    listener.before_stopping(component=None)
    (row,) = records(warehouse)
    assert (row["dag_id"], row["run_id"], row["task_id"], row["try_number"]) == (
        *("returns__load", "run 1", "land_return"), 1,
    )  # fmt: skip
    assert (row["state"], row["partition_key"], row["code_version"]) == ("success", KEY, code_version())
    assert row["started_at"] == running["started_at"] < row["ended_at"]
    assert 0.02 <= row["seconds"] < 5


def test_each_try_has_its_row_with_what_it_failed_with(warehouse: Settings) -> None:
    listener = TaskRunListener()
    for number, state in ((1, "up_for_retry"), (2, "failed")):
        one = task(try_number=number)
        listener.on_task_instance_running(task_instance=one)
        one.state = state
        listener.on_task_instance_failed(task_instance=one, error=ValueError(f"no {number} " + "x" * 5000))
    tries = records(warehouse)
    assert [(row["try_number"], row["state"]) for row in tries] == [(1, "up_for_retry"), (2, "failed")]
    assert tries[1]["message"].startswith("ValueError: no 2 ") and len(tries[1]["message"]) == 2000


def test_mapped_and_skipped_tasks_are_told_apart(warehouse: Settings) -> None:
    listener = TaskRunListener()
    for index in (0, 1):
        one = task("send_notice", map_index=index)
        listener.on_task_instance_running(task_instance=one)
        listener.on_task_instance_skipped(task_instance=one)
    found = [(row["task_id"], row["state"]) for row in records(warehouse)]
    assert sorted(found) == [("send_notice[0]", "skipped"), ("send_notice[1]", "skipped")]


def test_a_task_that_waits_for_an_answer_runs_on_and_counts_only_its_own_seconds(warehouse: Settings) -> None:
    listener, one = TaskRunListener(), task("sign_off")
    listener.on_task_instance_running(task_instance=one)
    one.state = "awaiting_input"
    listener.before_stopping(component=None)
    (waiting,) = records(warehouse)
    assert (waiting["state"], waiting["message"]) == ("running", "waits for a person's answer")
    time.sleep(0.3)
    after, again = TaskRunListener(), task("sign_off")
    after.on_task_instance_running(task_instance=again)
    after.on_task_instance_success(task_instance=again)
    (row,) = records(warehouse)
    assert (row["state"], row["message"], row["started_at"]) == ("success", None, waiting["started_at"])
    assert waiting["seconds"] < row["seconds"] < 0.3


def test_a_killed_task_stands_as_running_until_another_process_says_how_it_ended(warehouse: Settings) -> None:
    child = os.fork()
    if child == 0:
        TaskRunListener().on_task_instance_running(task_instance=task())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert [row["state"] for row in records(warehouse)] == ["running"]
    # As the scheduler does: the row of its database, another class, no process of the task's own.
    row = SimpleNamespace(
        dag_id="returns__load", run_id="run 1", task_id="land_return", try_number=1, map_index=-1,
        state="up_for_retry", start_date=datetime.now(UTC), dag_run=SimpleNamespace(partition_key=KEY),
    )  # fmt: skip
    TaskRunListener().on_task_instance_failed(task_instance=row, error="no heartbeat")
    (closed,) = records(warehouse)
    assert (closed["state"], closed["seconds"], closed["message"]) == ("up_for_retry", None, "no heartbeat")


def test_an_end_is_written_though_the_server_was_restarted_in_between(warehouse: Settings) -> None:
    listener, one = TaskRunListener(), task()
    listener.on_task_instance_running(task_instance=one)
    with connect(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'quarterday run records'"
        )
    listener.on_task_instance_success(task_instance=one)
    assert [row["state"] for row in records(warehouse)] == ["success"]


def test_a_record_that_cannot_be_written_is_logged_and_fails_nothing(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = replace(warehouse, server_url="postgresql://nobody:x@127.0.0.1:1/quarterday")
    monkeypatch.setenv("QUARTERDAY_DATABASE_URL", str(away.server_url))
    listener, one = TaskRunListener(), task()
    with capture_logs() as logged:
        listener.on_task_instance_running(task_instance=one)
        listener.on_task_instance_success(task_instance=one)
    assert [(entry["log_level"], entry["moment"], entry["task"]) for entry in logged] == [
        ("warning", "start", "land_return"),
        ("warning", "end", "land_return"),
    ]
    assert "OperationalError" in logged[0]["error"]


def test_airflow_finds_the_plugin_and_calls_the_listener_by_its_own_names(warehouse: Settings) -> None:
    found = {point.load() for point in entry_points(group="airflow.plugins") if point.value.startswith("quarterday.")}
    assert RunRecordsPlugin in found
    manager = ListenerManager()
    for specification in (lifecycle, taskinstance):
        manager.add_hookspecs(specification)
    for listener in RunRecordsPlugin.listeners:
        manager.add_listener(listener)
    one = task()
    manager.hook.on_task_instance_running(previous_state=None, task_instance=one)
    manager.hook.on_task_instance_success(previous_state=None, task_instance=one)
    manager.hook.before_stopping(component=None)
    assert [row["state"] for row in records(warehouse)] == ["success"]


def test_start_and_end_together_cost_a_task_less_than_twenty_milliseconds(warehouse: Settings) -> None:
    """The median of processor time, which a busy machine does not lengthen; the server's part is not in it."""
    spent = []
    for number in range(9):
        listener, one = TaskRunListener(), task(try_number=number)
        begun = time.process_time()
        listener.on_task_instance_running(task_instance=one)
        listener.on_task_instance_success(task_instance=one)
        spent.append((time.process_time() - begun) * 1000)
    assert statistics.median(spent) < LONGEST_MILLISECONDS, spent
