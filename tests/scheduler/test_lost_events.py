"""Lost wake-ups on the real scheduler, healed by ledger__reconcile alone; and what those who watch are told meanwhile.

``QUARTERDAY_BURST`` says how many quarters arrive at once: 12 unless it is set, 600 for the full size.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from psycopg2 import sql

from quarterday import inbox, services
from quarterday.airflow_client import AirflowClient
from quarterday.calendar import FinancialQuarter
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.conftest import database_named, run_on_server, session_settings
from tests.path_support import put_into_inbox, rows_of

pytestmark = [pytest.mark.scheduler, pytest.mark.long]
BURST = int(os.environ.get("QUARTERDAY_BURST", "12"))
FEW = 50
PATIENCE_SECONDS = 600 + 30 * BURST
NEWEST = FinancialQuarter.parse("2018-19-Q4")
PARTNER = "yos_stoke"


@dataclass
class Watching:
    """An HTTP collector and a StatsD server, both on loopback, and what they were sent."""

    events: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def watching() -> Iterator[Watching]:
    """Start both and set what names them."""
    told = Watching()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    statsd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    statsd.bind(("127.0.0.1", 0))

    def receive() -> None:
        while packet := statsd.recv(65536):
            told.metrics.extend(packet.decode().splitlines())

    threads = [threading.Thread(target=each, daemon=True) for each in (collector.serve_forever, receive)]
    for thread in threads:
        thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUARTERDAY_OPENLINEAGE_URL", f"http://127.0.0.1:{collector.server_port}")
        patch.setenv("QUARTERDAY_STATSD", f"127.0.0.1:{statsd.getsockname()[1]}")
        patch.setenv("QUARTERDAY_JSON_LOGS", "1")
        yield told
    collector.shutdown()
    statsd.sendto(b"", statsd.getsockname())
    threads[1].join(5)
    statsd.close()


@pytest.fixture(scope="module")
def running(watching: Watching, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation of its own, whose inbox is swept only when a test says so."""
    home: Path = tmp_path_factory.mktemp("installation")
    name = f"quarterday_test_lost_{os.getpid()}"
    places = {"inbox": home / "inbox", "archive": home / "archive", "receipts": home / "receipts"}
    settings = replace(session_settings(), home=home, server_url=database_named(name), **places)
    try:
        services.up(settings)
        pause("inbox__sweep", True, settings)
        yield settings
    finally:
        services.down(settings)
        for database in (name, f"{name}_airflow"):
            run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def test_a_burst_whose_events_were_lost_is_loaded_and_released_by_reconcile(running: Settings) -> None:
    asked = services.client(running)
    pause("returns__load", True, running)
    arrive(BURST, running)
    assert len(inbox.sweep(running).registered) == BURST, "registered, and its event is lost: nobody emits it"
    with connect(running, "owner") as connection, connection.cursor() as cursor:
        # A minute is not waited for.
        cursor.execute("update ledger.load_event set happened_at = happened_at - interval '2 minutes'")
    reconcile(running)
    assert [run for run in asked.runs() if run["dag_id"] == "returns__load"] == [], "a paused DAG is not woken in vain"
    pause("returns__load", False, running)
    began = time.monotonic()
    reconcile(running)
    wait_until(lambda: count("released", running) == BURST, f"{BURST} returns to be released", running)
    if (
        BURST <= FEW
    ):  # of many, most find nothing left to do: whoever takes in a quarter takes in those it is held against
        wait_until(lambda: not busy_but_for_sweeps(asked), "all runs to end", running)
    print(f"{BURST} quarters loaded and released {time.monotonic() - began:.0f} s after reconcile was asked")
    assert asked.runs(states=("failed",)) == []
    loads = [run for run in asked.runs() if run["dag_id"] == "returns__load"]
    assert len(loads) == len({run["partition_key"] for run in loads}) == BURST, "each quarter was woken once"
    published = rows_of("select count(distinct period_key) as n from mart.fct_measurement", running)
    assert published == [{"n": BURST}]


def test_a_record_that_a_killed_task_left_open_is_closed_as_airflow_says(running: Settings) -> None:
    with connect(running, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """update ledger.task_run set state = 'running', ended_at = null, seconds = null
            where (dag_id, task_id) = ('returns__load', 'check_return') and run_id = (
                select max(run_id) from ledger.task_run
                where (dag_id, task_id, state) = ('returns__load', 'check_return', 'success')
            ) returning run_id"""
        )
        ((run_id,),) = cursor.fetchall()
        cursor.execute("update ledger.task_run set started_at = started_at - interval '1 hour' where state = 'running'")
    reconcile(running)
    closed = (
        f"select state, message, ended_at from ledger.task_run where run_id = '{run_id}' and task_id = 'check_return'"
    )
    (row,) = rows_of(closed, running, "owner")
    assert row["state"] == "success" and "closed by ledger__reconcile" in row["message"] and row["ended_at"]


def test_the_collector_is_told_of_tasks_and_of_dbts_nodes(running: Settings, watching: Watching) -> None:
    ended = {event["job"]["name"] for event in watching.events if event["eventType"] == "COMPLETE"}
    assert {"returns__load.land_return", "returns__load.check_return", "quarter__release.publish_release"} <= ended
    assert any(name.endswith(".core.quarterday.fct_measurement.build.run") for name in ended), sorted(ended)
    assert not any("sourceCode" in event["job"].get("facets", {}) for event in watching.events)


def test_statsd_is_sent_airflows_metrics_and_ours(running: Settings, watching: Watching) -> None:
    names = {metric.partition(":")[0] for metric in watching.metrics}
    ours = {"loads.admitted", "release.seconds", "release.loads", "release.lag_seconds"}
    assert {f"quarterday.{name}" for name in ours} <= names
    admitted = [metric for metric in watching.metrics if metric == "quarterday.loads.admitted:1|c"]
    assert len(admitted) == BURST
    assert any(name.startswith("airflow.") for name in names)


def test_log_lines_are_json_and_name_the_load_and_the_release(running: Settings) -> None:
    for service in ("scheduler", "api-server"):
        lines = (running.home / "logs" / f"{service}.log").read_text().splitlines()[-20:]
        assert lines and all(isinstance(json.loads(line), dict) for line in lines if line.strip()), service
    told = [json.loads(line) for path in (running.home / "airflow" / "logs").rglob("*.log") for line in lines_of(path)]
    assert any(line.get("load_id") and "admitted" in str(line.get("event")) for line in told)
    assert any(line.get("release_id") and "published" in str(line.get("event")) for line in told)


def busy_but_for_sweeps(asked: AirflowClient) -> list[dict[str, Any]]:
    """The runs under way; a run of the sweep, which is paused, stays in the queue."""
    return [run for run in asked.busy_runs() if run["dag_id"] != "inbox__sweep"]


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("{")]


def arrive(number: int, settings: Settings) -> None:
    """Put a return of each of the last quarters into the inbox, all at once."""
    drafts = settings.home / "drafts"
    drafts.mkdir()
    for back in range(number):
        quarter = NEWEST.shift(-back)
        path = drafts / f"stoke_yos_fte_{quarter}.csv"
        year, _, label = str(quarter).rpartition("-")
        path.write_text(
            f"Issued 23/04/2019\nWhen,Young people new to the system,Own rating\n{year.replace('-', '/')} {label},21,\n"
        )
        put_into_inbox(path, PARTNER, settings)


def pause(dag_id: str, is_paused: bool, settings: Settings) -> None:
    services.client(settings)._send("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": is_paused})


def reconcile(settings: Settings) -> None:
    """Run ledger__reconcile and wait until it has ended well."""
    asked = services.client(settings)
    run_id = asked.trigger("ledger__reconcile")
    states = {run["dag_run_id"]: run["state"] for run in asked.runs()}

    def has_ended() -> bool:
        states.update({run["dag_run_id"]: run["state"] for run in asked.runs()})
        return states[run_id] in ("success", "failed")

    wait_until(has_ended, "ledger__reconcile", settings)
    assert states[run_id] == "success"


def count(state: str, settings: Settings) -> int:
    rows = rows_of(f"select count(*) as n from ledger.load_state where state = '{state}'", settings, "owner")
    return int(rows[0]["n"])


def wait_until(is_so: Callable[[], bool], what: str, settings: Settings) -> None:
    """Wait until a condition holds; fail with what Airflow is doing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            runs = services.client(settings).runs(states=("queued", "running", "failed"))
            pytest.fail(f"waited {PATIENCE_SECONDS} s for {what}; under way or failed: {runs[:20]}")
        time.sleep(1)
