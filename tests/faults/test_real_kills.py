"""The real scheduler, or everything on the machine at once, killed while a real task stands at one of its steps.

The points are those that the first return's tasks pass; each of the next returns is disturbed at one of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from quarterday import releasing, services
from quarterday.settings import Settings, load_settings
from quarterday.supervising import service_processes
from tests.conftest import PROJECT
from tests.faults.waiting import FOLDER_VARIABLE
from tests.path_support import expected_returns, release, rows_of, send, take_in
from tests.scheduler.test_real_scheduler import contents, finish_work, standing, wait_until

pytestmark = [pytest.mark.scheduler, pytest.mark.long]
FORMS = {"business_crime_advisor", "victim_gateway", "engagement_counters", "smart_alert", "police_cadets"}
RETURNS = [row for row in expected_returns(1) if row["form"] in FORMS]
KINDS = ("scheduler", "all")
CASES = [KINDS[number % 2] for number in range(8)]
# What a second return does as the first one did: a folder that is there already is not made again.
REPEATED = ("before mkdir", "after mkdir")


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder by which the test and the tasks' watch tell each other."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, faults: Path) -> Iterator[Settings]:
    """An installation with a server of its own, whose processes are watched from inside."""
    home: Path = tmp_path_factory.mktemp("installation")
    places = {name: home / name for name in ("inbox", "archive", "receipts", "secrets")}
    settings = replace(load_settings(), home=home, server_url=None, **places)  # type: ignore[arg-type]
    environment = services.airflow_environment
    path = f"{PROJECT / 'tests' / 'faults' / 'site'}{os.pathsep}{PROJECT}"
    with pytest.MonkeyPatch.context() as patched:
        watched = {FOLDER_VARIABLE: str(faults), "PYTHONPATH": path}
        patched.setattr(services, "airflow_environment", lambda settings: environment(settings) | watched)
        try:
            services.up(settings)
            yield settings
        finally:
            services.down(settings)


@pytest.fixture(scope="module")
def points(running: Settings, faults: Path) -> list[str]:
    """Where the tasks of one undisturbed return come by, in order, each once."""
    notes = faults / "notes"
    notes.touch()
    send(RETURNS[:1], running)
    finish_work(running)
    passed = list(dict.fromkeys(notes.read_text().splitlines()))
    notes.unlink()
    return [point for point in passed if point.endswith("#1") and not point.startswith(REPEATED)]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_return_whose_task_is_killed_with_the_scheduler_or_with_everything_is_released(
    number: int, running: Settings, points: list[str], faults: Path
) -> None:
    kind, row = CASES[number], RETURNS[number + 1]
    point = points[(2 * number + 1) * len(points) // (2 * len(CASES))]
    print(f"{kind}: {point}")
    (faults / "reached").unlink(missing_ok=True)
    (faults / "point").write_text(point)
    send([row], running)
    services.client(running).trigger("inbox__sweep")
    wait_until((faults / "reached").exists, f"a task to stand {point}", running)
    doomed = service_processes(services.run_folder(running), "scheduler")
    for process in doomed if kind == "scheduler" else services.process_ids(running):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    services.up(running)
    finish_work(running)
    (state,) = rows_of(f"select state from ledger.load_state where file_name = '{row['file']}'", running, "owner")
    assert state == {"state": "released"}


def test_after_all_kills_the_marts_are_those_of_an_undisturbed_installation(
    running: Settings, settings: Settings
) -> None:
    releasing.deploy_marts(settings)
    for row in RETURNS[: len(CASES) + 1]:
        send([row], settings)
        take_in(settings)
        release(settings)
    assert services.client(running).runs(states=("failed",)) == []
    found, wanted = (contents(each, "mart", without_marks=True) for each in (running, settings))
    differing = sorted(name for name in wanted if found[name] != wanted[name])
    assert not differing, f"{differing} differ; killed: {standing(running)}; undisturbed: {standing(settings)}"
    for folder in ("archive", "receipts"):
        files = [sorted(path.suffix for path in getattr(each, folder).rglob("*.*")) for each in (running, settings)]
        assert files[0] == files[1]
