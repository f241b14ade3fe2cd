"""Airflow's settings: on loopback, without samples, pauses or telemetry, and with secrets of our own."""

from __future__ import annotations

import base64
import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from quarterday.demo import overhead_per_task
from quarterday.preloading import preload_in_scheduler
from quarterday.services import STATE, USERS, airflow_environment, login_file, make_folders, metadata_url
from quarterday.settings import Settings, load_settings


@pytest.fixture
def named(tmp_path: Path) -> Settings:
    """Settings that name a server and have Airflow's port chosen, with nothing running."""
    (tmp_path / "runtime.json").write_text(json.dumps({"airflow_port": 40123}))
    url = "postgresql://owner:p%40ss@db.example:6432/warehouse?sslmode=require"
    folders = {name: tmp_path / name for name in ("inbox", "archive", "receipts", "secrets")}
    return replace(load_settings(), home=tmp_path, server_url=url, **folders)


def test_same_settings_give_the_same_environment(named: Settings) -> None:
    assert airflow_environment(named) == airflow_environment(named)


def test_servers_listen_on_loopback(named: Settings) -> None:
    environment = airflow_environment(named)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__API__PORT"] == "40123"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:40123/execution/"


def test_dags_run_from_the_start_and_samples_are_left_out(named: Settings) -> None:
    environment = airflow_environment(named)
    assert environment["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "False"
    assert environment["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(named.project / "dags")
    assert environment["AIRFLOW__CORE__DEFAULT_TIMEZONE"] == "Europe/London"


def test_killed_tasks_are_noticed_within_half_a_minute(named: Settings) -> None:
    assert float(airflow_environment(named)["AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"]) <= 30


def test_metadata_stands_beside_the_warehouse_under_its_own_role(named: Settings) -> None:
    url = metadata_url(named)
    password = (named.secrets / "airflow_password").read_text()
    assert (
        url == f"postgresql+psycopg2://quarterday_airflow:{password}@db.example:6432/warehouse_airflow?sslmode=require"
    )


def test_secrets_are_made_here_and_differ(named: Settings) -> None:
    environment = airflow_environment(named)
    assert len(base64.urlsafe_b64decode(environment["AIRFLOW__CORE__FERNET_KEY"])) == 32
    made = {environment["AIRFLOW__API__SECRET_KEY"], environment["AIRFLOW__API_AUTH__JWT_SECRET"]}
    assert len(made) == 2
    assert all(len(word) >= 64 for word in made)


def test_the_home_and_what_is_ours_in_it_are_closed_to_other_users(named: Settings) -> None:
    settings = replace(named, home=named.home / "new", inbox=named.home / "new" / "inbox")
    make_folders(settings)
    for folder in (settings.home, settings.inbox, settings.home / "logs", settings.home / "run"):
        assert mode_of(folder) == 0o700, folder


def test_an_inbox_named_elsewhere_and_a_home_with_other_things_keep_their_mode(named: Settings) -> None:
    home, inbox = named.home / "mixed", named.home / "uploads"
    for folder in (home, inbox, home / "receipts"):
        folder.mkdir()
        folder.chmod(0o775)
    (home / "letter.txt").touch()
    make_folders(replace(named, home=home, inbox=inbox, receipts=home / "receipts"))
    assert mode_of(inbox) == mode_of(home) == 0o775
    assert mode_of(home / "receipts") == mode_of(home / "logs") == 0o700


def test_every_name_in_the_home_is_known_to_make_clean() -> None:
    (names,) = re.findall(r"^STATE := (.+)$", (Path(__file__).parents[2] / "Makefile").read_text(), re.MULTILINE)
    assert set(names.split()) == STATE


def test_logs_of_tasks_are_their_owners_alone(named: Settings) -> None:
    environment = airflow_environment(named)
    assert environment["AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS"] == "0o600"
    assert environment["AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS"] == "0o700"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_users_have_roles_and_passwords_come_from_a_file(named: Settings) -> None:
    environment = airflow_environment(named)
    assert (
        environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,operator:op,approver:op,viewer:viewer"
    )
    assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] == str(login_file(named))
    assert set(USERS) == {"admin", "operator", "approver", "viewer"}


def test_nothing_is_sent_anywhere_and_loopback_needs_no_proxy(named: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "intranet.example")
    environment = airflow_environment(named)
    assert environment["GX_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"


def test_only_the_scheduler_imports_ahead() -> None:
    assert not preload_in_scheduler(["airflow", "triggerer"])
    assert not preload_in_scheduler(["airflow"])


def test_overhead_counts_only_what_finished_and_ran() -> None:
    runs = [
        {"dag_id": "load", "dag_run_id": "a", "state": "success", "duration": 4.0},
        {"dag_id": "load", "dag_run_id": "b", "state": "running", "duration": None},
    ]
    tasks = [
        {"dag_id": "load", "dag_run_id": "a", "state": "success", "duration": 1.0},
        {"dag_id": "load", "dag_run_id": "a", "state": "success", "duration": 2.0},
        {"dag_id": "load", "dag_run_id": "a", "state": "skipped", "duration": None},
        {"dag_id": "other", "dag_run_id": "a", "state": "success", "duration": 9.0},
    ]
    assert overhead_per_task(runs, tasks) == (1, 2, 0.5)
    assert overhead_per_task([], tasks) is None
