"""Fetching from a place takes Airflow's connections, and the sweep is woken whatever became of a fetch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def airflow(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Airflow with a home of its own, unless a test before has set it."""
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))


def test_a_login_is_that_of_airflows_connection(airflow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from quarterday.connecting.fetching import login_of

    fields = {"conn_type": "sftp", "host": "h", "port": 2222, "login": "u", "password": "p", "extra": {"host_key": "k"}}
    monkeypatch.setenv("AIRFLOW_CONN_STOKE", json.dumps(fields))
    found = login_of("stoke")
    assert (found.host, found.port, found.user, found.password) == ("h", 2222, "u", "p")
    assert found.extra == {"host_key": "k"}


def test_a_connection_that_is_missing_is_named(airflow: None) -> None:
    from quarterday.connecting.fetching import login_of
    from quarterday.errors import OperatorError

    with pytest.raises(OperatorError, match="no connection nowhere"):
        login_of("nowhere")


def test_a_fetch_that_fails_is_not_hidden_and_the_sweep_is_woken_all_the_same(airflow: None) -> None:
    import runpy

    from tests.conftest import PROJECT

    dag: Any = runpy.run_path(str(PROJECT / "dags" / "inbox__fetch.py"))["dag"]
    wake = dag.get_task("wake_sweep")
    assert wake.is_teardown and not wake.on_failure_fail_dagrun
    assert {task.task_id for task in dag.tasks if not task.downstream_list} == {"wake_sweep"}


HEADING = "name,kind,partner_code,connection,path,after\n"


@pytest.mark.parametrize(
    ("content", "runs"),
    [(None, False), (HEADING, False), (HEADING + "\n", False), (HEADING + "stoke,sftp,,,,\n", True)],
)
def test_it_runs_where_a_place_is_named_though_wrongly(
    airflow: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, runs: bool
) -> None:
    import runpy

    from tests.conftest import PROJECT

    if content is not None:
        (tmp_path / "connectors.csv").write_text(content)
    monkeypatch.setenv("QUARTERDAY_CONNECTORS", str(tmp_path / "connectors.csv"))
    dag: Any = runpy.run_path(str(PROJECT / "dags" / "inbox__fetch.py"))["dag"]
    assert (dag.schedule is not None) == runs


def test_nothing_is_woken_without_connectors_or_files(airflow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

    from quarterday.connecting import fetching
    from quarterday.settings import load_settings
    from quarterday.waking import wake_sweep

    def wake(connectors: dict[str, None], waits: bool, expected: type[Exception]) -> Any:
        monkeypatch.setattr(fetching, "connectors_of", lambda settings: connectors)
        monkeypatch.setattr(fetching, "any_file_waits", lambda settings: waits)
        with pytest.raises(expected) as raised:
            wake_sweep(load_settings(), "scheduled__1")
        return raised.value

    wake({}, True, AirflowSkipException)
    wake({"one": None}, False, AirflowSkipException)
    assert wake({"one": None}, True, DagRunTriggerException).trigger_dag_id == "inbox__sweep"
