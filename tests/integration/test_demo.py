"""The demo as a command among others: it stops what is its own, and an error is told as it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quarterday import demo, services
from quarterday.errors import OperatorError
from quarterday.settings import Settings, load_settings
from quarterday.supervising import Service, find_service, only_one, start_service, stop_services


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Settings]:
    """An installation whose database does not answer and in which something runs as the scheduler."""
    folders = {name: tmp_path / name for name in ("inbox", "archive", "receipts", "secrets")}
    nowhere = "postgresql://somebody@127.0.0.1:1/quarterday"
    settings = replace(load_settings(), home=tmp_path, server_url=nowhere, **folders)
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    start_service(services.run_folder(settings), Service("scheduler", command, dict(os.environ), tmp_path / "log"))
    yield settings
    stop_services(services.run_folder(settings), ["scheduler"], patience=1)


def still_runs(settings: Settings) -> bool:
    return find_service(services.run_folder(settings), "scheduler") is not None


def test_a_second_demo_is_refused_and_stops_nothing(another: Settings) -> None:
    with only_one(services.run_folder(another) / "demo.lock", "held"):
        with pytest.raises(OperatorError, match="Another demo is running"):
            demo.run(another)
        assert still_runs(another)


def test_a_demo_stops_nothing_while_another_command_starts_or_stops_it(another: Settings) -> None:
    with only_one(services.run_folder(another) / "up.lock", "held"), pytest.raises(OperatorError, match="Another 'qu"):
        demo.run(another)
    assert still_runs(another)


def test_a_demo_that_fails_stops_what_a_killed_one_left(another: Settings) -> None:
    with pytest.raises(OperatorError, match="No PostgreSQL at"):
        demo.run(another)
    assert not still_runs(another)


def test_what_is_to_stay_stays_when_a_demo_fails(another: Settings) -> None:
    services.keep_up(another)
    with pytest.raises(OperatorError, match="No PostgreSQL at"):
        demo.run(another)
    assert still_runs(another)


def test_the_first_error_is_told_when_stopping_fails_too(another: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    (services.run_folder(another) / "api-server.json").mkdir()  # a record that can't be read
    with pytest.raises(OperatorError, match="No PostgreSQL at"):
        demo.run(another)
    assert "Not everything could be stopped" in capsys.readouterr().out
