"""The command: help that teaches, plain messages, exit codes, and the reader's view."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from quarterday import cli
from quarterday.settings import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ("up", "down", "status", "check", "load", "query", "demo", "migrate", "new-form", "template", "reconcile")
COMMANDS += ("backfill", "pause")


def run_command(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quarterday.cli", *words]
    return subprocess.run(
        command, env={**os.environ, **environment, "COLUMNS": "160"}, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run the command against the test's own warehouse."""
    environment = {
        "QUARTERDAY_HOME": str(settings.home),
        "QUARTERDAY_SECRETS": str(settings.secrets),
        "QUARTERDAY_DATABASE_URL": str(settings.server_url),
    }
    return lambda *words: run_command(*words, environment=environment)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_ends_with_an_example(command: str, tmp_path: Path) -> None:
    done = run_command(command, "--help", environment={"QUARTERDAY_HOME": str(tmp_path)})
    assert done.returncode == 0
    assert f"quarterday {command}" in done.stdout.partition("Example")[2]


def test_help_comes_at_once() -> None:
    """What is heavy is imported by the command that needs it; a stopwatch would measure the machine's other work."""
    told = "import sys, quarterday.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    heavy = {"airflow", "dbt", "great_expectations", "openpyxl", "pandas", "psycopg2", "sqlalchemy", "yaml"}
    assert heavy & set(done.stdout.split()) == set()


def test_query_gives_rows_as_table_csv_and_json(run: Run) -> None:
    statement = "select 1 as one, 'a,b' as words, null::int as nothing, 2.50 as part"
    assert "1 row" in run("query", statement).stdout
    assert list(csv.reader(io.StringIO(run("query", statement, "--csv").stdout))) == [
        ["one", "words", "nothing", "part"],
        ["1", "a,b", "", "2.50"],
    ]
    assert json.loads(run("query", statement, "--json").stdout) == [
        {"one": 1, "words": "a,b", "nothing": None, "part": 2.5}
    ]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("select * from ledger.load", "permission denied"),
        ("create table mart.mine (x int)", "read-only transaction"),
        ("selec 1", "syntax error"),
    ],
)
def test_query_is_refused_without_a_traceback_when_the_reader_may_not(run: Run, statement: str, reason: str) -> None:
    done = run("query", statement)
    assert done.returncode == cli.EXIT_OPERATOR
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_traceback_is_shown_when_asked_for(run: Run) -> None:
    assert "Traceback" in run("--debug", "query", "selec 1").stderr


def test_what_a_command_writes_is_its_owners_alone(tmp_path: Path, settings: Settings) -> None:
    """A warehouse of its own: the secrets, the parsed project and dbt's logs are made new."""
    home = tmp_path / "home"
    environment = {"QUARTERDAY_HOME": str(home), "QUARTERDAY_DATABASE_URL": str(settings.server_url)}
    run_command("check", str(Path(__file__)), "--partner", "rj_hub", environment=environment)
    made = [home, *home.rglob("*")]
    assert len(made) > 2
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_check_says_which_file_is_missing(run: Run, tmp_path: Path) -> None:
    done = run("check", str(tmp_path / "none.csv"), "--partner", "rj_hub")
    assert done.returncode == cli.EXIT_OPERATOR
    assert "There is no file" in done.stderr


def test_check_rejects_an_unknown_file_and_leaves_no_trace(run: Run, settings: Settings, tmp_path: Path) -> None:
    from quarterday.warehouse import connect

    file = tmp_path / "holiday.csv"
    file.write_text("a,b\n1,2\n")
    done = run("check", str(file), "--partner", "rj_hub")
    assert done.returncode == cli.EXIT_REJECTED, done.stderr
    assert "holiday.csv" in done.stdout
    assert "nothing was loaded" in done.stderr
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger.load")
        assert cursor.fetchone() == (0,)


def test_load_says_to_bring_airflow_up_when_it_is_down(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rj.csv"
    file.write_text("a\n")
    done = run("load", str(file), "--partner", "rj_hub")
    assert done.returncode == cli.EXIT_OPERATOR
    assert "quarterday up" in done.stderr


def test_status_tells_by_its_exit_code_that_something_is_down(run: Run, settings: Settings) -> None:
    done = run("status")
    assert done.returncode == cli.EXIT_REJECTED, done.stderr
    assert "stopped" in done.stdout
    address = urlsplit(str(settings.server_url))
    assert f"port={address.port} dbname={address.path[1:]} user=quarterday_reader" in done.stdout


def test_query_says_to_bring_the_database_up_when_there_is_none(tmp_path: Path) -> None:
    done = run_command(
        "query", "select 1", environment={"QUARTERDAY_HOME": str(tmp_path), "QUARTERDAY_DATABASE_URL": ""}
    )
    assert done.returncode == cli.EXIT_OPERATOR
    assert "quarterday up" in done.stderr
