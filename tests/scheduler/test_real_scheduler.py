"""The real scheduler, its workers and the real DAGs: what a run leaves, what a second one changes, what a kill breaks.

The tests of this module are one day in the life of one installation and run in their order.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2 import sql

from quarterday import releasing, services
from quarterday.settings import Settings
from quarterday.supervising import service_processes
from quarterday.versioning import code_version
from quarterday.warehouse import connect
from tests.conftest import database_named, run_on_server, session_settings
from tests.path_support import expected_returns, release, rows_of, send, take_in

pytestmark = pytest.mark.scheduler
PATIENCE_SECONDS = 420.0
BUSY = ("queued", "running")
STATES = "select form, reporting_quarter, state from ledger.load_state"
FIRST_FORMS = {"first_time_entrants", "reducing_offending_action_plan", "restorative_justice_hub"}
FIRST = [row for row in expected_returns(1) if row["form"] in FIRST_FORMS]
REST = [row for row in expected_returns() if row not in FIRST]


@pytest.fixture
def undisturbed(settings: Settings) -> Settings:
    """The same returns, taken in within this process, without Airflow and without a kill."""
    releasing.deploy_marts(settings)
    for rows in (FIRST, REST):
        send(rows, settings)
        take_in(settings)
        release(settings)
    return settings


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation of its own on the session's database server, with Airflow up."""
    home: Path = tmp_path_factory.mktemp("installation")
    name = f"quarterday_test_scheduler_{os.getpid()}"
    settings = replace(
        session_settings(),
        home=home,
        inbox=home / "inbox",
        archive=home / "archive",
        receipts=home / "receipts",
        server_url=database_named(name),
    )
    try:
        services.up(settings)
        yield settings
    finally:
        services.down(settings)
        for database in (name, f"{name}_airflow"):
            run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def test_returns_go_from_the_inbox_to_the_marts_by_the_real_dags(running: Settings) -> None:
    send(FIRST, running)
    finish_work(running)
    states = rows_of(STATES, running, "owner")
    assert {row["state"] for row in states} == {"released"}
    runs = services.client(running).runs(states=("success",))
    keys = {(run["dag_id"], run["partition_key"]) for run in runs}
    for row in states:
        assert ("returns__load", f"{row['form']}|{row['reporting_quarter']}") in keys
    released = {key for dag_id, key in keys if dag_id == "quarter__release"}
    assert released and released <= {row["reporting_quarter"] for row in states}
    printed = rows_of(
        """select computed_value from mart.rpt_outcome_against_baseline
        where measure_code = 'first_time_entrants' and area_code = 'pcc_area' and period_key = '2016-17'
            and column_type = 'annual'""",
        running,
    )
    assert [row["computed_value"] for row in printed] == [303]


def test_every_task_that_ran_is_recorded_as_airflow_says(running: Settings) -> None:
    told = services.client(running).task_instances()
    ran = {
        (task["dag_id"], task["dag_run_id"], task["task_id"], task["try_number"]): task["state"]
        for task in told
        if task["start_date"] and task["try_number"]
    }
    wait_until(lambda: recorded(running).keys() >= ran.keys(), "the records of the runs", running)
    found = recorded(running)
    assert {key: found[key]["state"] for key in ran} == ran
    for key, row in found.items():
        assert row["seconds"] is not None and row["ended_at"] >= row["started_at"], key
        assert row["code_version"] == code_version(), key
    keys = {row["partition_key"] for row in found.values() if row["dag_id"] == "returns__load"}
    assert keys == {f"{row['form']}|{row['reporting_quarter']}" for row in rows_of(STATES, running, "owner")}


def test_running_any_dag_again_for_any_quarter_changes_nothing(running: Settings) -> None:
    before = contents(running, "mart", "history", "ledger", "landing", "core")
    asked = services.client(running)
    again = {(run["dag_id"], run["partition_key"]) for run in asked.runs(states=("success",))}
    for dag_id, key in sorted(again, key=str):
        asked.trigger(dag_id, partition_key=key)
    wait_until(lambda: not asked.busy_runs(), "the runs to end", running)
    assert asked.runs(states=("failed",)) == []
    assert contents(running, "mart", "history", "ledger", "landing", "core") == before


def test_the_same_files_again_are_known_and_load_nothing(running: Settings) -> None:
    before = contents(running, "mart", "history", "landing", "core")
    send(FIRST, running)
    for path in running.inbox.rglob("*.*"):
        path.rename(path.with_stem(f"{path.stem} (copy)"))
    finish_work(running)
    known = rows_of("select count(*) as arrivals from ledger.arrival where was_known", running, "owner")
    assert known == [{"arrivals": len(FIRST)}]
    assert contents(running, "mart", "history", "landing", "core") == before


@pytest.mark.long
def test_killing_scheduler_and_workers_in_a_load_ends_in_the_same_tables(
    running: Settings, undisturbed: Settings
) -> None:
    send(REST, running)
    services.client(running).trigger("inbox__sweep")
    begun = len(FIRST) + 1
    wait_until(lambda: judged(running) >= begun, "the loads to be under way", running)
    for process in service_processes(services.run_folder(running), "scheduler"):
        os.kill(process, signal.SIGKILL)
    assert judged(running) < len(FIRST) + len(REST), "the kill came too late to prove anything"
    services.up(running)
    finish_work(running)
    assert services.client(running).runs(states=("failed",)) == []
    found, wanted = (contents(settings, "mart", without_marks=True) for settings in (running, undisturbed))
    differing = sorted(name for name in wanted if found[name] != wanted[name])
    assert not differing, f"{differing} differ; killed: {standing(running)}; undisturbed: {standing(undisturbed)}"


def recorded(settings: Settings) -> dict[tuple[str, str, str, int], dict[str, object]]:
    """The rows of ledger.task_run that have an end, by run, task and try."""
    rows = rows_of("select * from ledger.task_run where ended_at is not null", settings, "owner")
    return {(row["dag_id"], row["run_id"], row["task_id"], row["try_number"]): row for row in rows}


def standing(settings: Settings) -> dict[str, object]:
    """What tells how a warehouse came to say what it says."""
    asked = {
        "loads": "select load_id, form, partner_code, reporting_quarter, state from ledger.load_state order by 1",
        "releases": "select release_id, published_at, load_count, checked_loads from ledger.release order by 1",
        "publications": "select load_id, period, release_id, known, issued from ledger.publication order by 1, 2, 3",
        "facts": "select load_id, count(*) from core.fct_action_status group by 1 order by 1",
    }
    return {name: rows_of(query, settings, "owner") for name, query in asked.items()}


def judged(settings: Settings) -> int:
    """How many loads have their verdict."""
    return int(rows_of("select count(*) as n from ledger.verdict", settings, "owner")[0]["n"])


def finish_work(settings: Settings) -> None:
    """Sweep until the inbox is empty, every load is judged, what is admitted is released, and no run is under way."""
    asked = services.client(settings)
    swept = 0.0

    def is_over() -> bool:
        nonlocal swept
        if asked.busy_runs():
            return False
        unfinished = rows_of(
            "select 1 from ledger.load_state where state not in ('released', 'rejected')", settings, "owner"
        )
        waiting = [path for path in settings.inbox.rglob("*") if path.is_file()]
        if (unfinished or waiting) and time.monotonic() - swept > 15:
            asked.trigger("inbox__sweep")
            swept = time.monotonic()
        return not unfinished and not waiting

    wait_until(is_over, "the work to be done", settings)


def wait_until(is_so: Callable[[], bool], what: str, settings: Settings) -> None:
    """Wait until a condition has held for three looks; fail with what Airflow is doing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    held = 0
    while held < 3:
        held = held + 1 if is_so() else 0
        if time.monotonic() > deadline:
            runs = services.client(settings).runs(states=(*BUSY, "failed"))
            pytest.fail(f"waited {PATIENCE_SECONDS:.0f} s for {what}; under way or failed: {runs}")
        time.sleep(0.5)


def contents(settings: Settings, *schemas: str, without_marks: bool = False) -> dict[str, str]:
    """Return a hash of the rows of every relation; without marks, without ids and moments of one installation.

    Every run adds to what ran, so that is left out.
    """
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """select table_schema || '.' || table_name, column_name
            from information_schema.columns
            where table_schema = any(%s)
                and table_schema || '.' || table_name <> 'ledger.task_run'
                and not (%s and (column_name ~ '(load|release|issue|event)_id$' or data_type like 'timestamp%%'))
            order by 1, ordinal_position""",
            (list(schemas), without_marks),
        )
        columns: dict[str, list[str]] = {}
        for relation, column in cursor.fetchall():
            columns.setdefault(relation, []).append(f'"{column}"')
        found = {}
        for relation, names in columns.items():
            rows = f"select row({', '.join(names)})::text as line from {relation}"
            cursor.execute(f"select coalesce(string_agg(line, chr(10) order by line), '') from ({rows}) as rows")
            found[relation] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return found
