"""Processes of our own, found and stopped; processes of others, left alone."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quarterday import supervising
from quarterday.errors import OperatorError
from quarterday.services import UMASK
from quarterday.supervising import (
    Service,
    find_service,
    memory_of,
    only_one,
    service_processes,
    start_service,
    stop_services,
)

MEGABYTE = 2**20
# A service with a child in a process group of its own, as Airflow's tasks are.
WITH_CHILD = "import os, time\nif os.fork() == 0:\n    os.setpgid(0, 0)\ntime.sleep(600)"
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(9)"
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Start a service named ``sleeper`` that runs some Python; returns its process id."""

    def start(code: str) -> int:
        service = Service("sleeper", [sys.executable, "-c", code], dict(os.environ), tmp_path / "sleeper.log")
        return start_service(tmp_path, service, "first").process_id

    yield start
    stop_services(tmp_path, ["sleeper"], patience=0)


def wait_for(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.02)


def fork_that_waits() -> int:
    process_id = os.fork()
    while process_id == 0:
        signal.pause()
    return process_id


def is_alive(process_id: int) -> bool:
    stat = Path(f"/proc/{process_id}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_service_is_found_with_what_it_was_started_with(start: Callable[[str], int], tmp_path: Path) -> None:
    process_id = start(WITH_CHILD)
    record = find_service(tmp_path, "sleeper")
    assert record
    assert (record.process_id, record.fingerprint) == (process_id, "first")
    wait_for(lambda: len(service_processes(tmp_path, "sleeper")) == 2)
    memory = memory_of(service_processes(tmp_path, "sleeper"))
    assert memory.size > 1_000_000
    assert not memory.is_bound


def test_a_fork_that_is_closed_to_us_counts_what_it_changed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ballast = b"x" * (64 * MEGABYTE)
    forks = [fork_that_waits() for _ in range(3)]
    try:
        monkeypatch.setattr(supervising, "_shared_out", lambda process_id: None)
        one, all_three = memory_of(forks[:1]), memory_of(forks)
        assert all_three.is_bound
        assert 64 * MEGABYTE < one.size < all_three.size < 1.5 * one.size
    finally:
        for fork in forks:
            os.kill(fork, signal.SIGKILL)
            os.waitpid(fork, 0)
    assert ballast


def test_children_are_stopped_when_their_leader_was_killed(start: Callable[[str], int], tmp_path: Path) -> None:
    leader = start(WITH_CHILD)
    wait_for(lambda: len(service_processes(tmp_path, "sleeper")) == 2)
    os.kill(leader, signal.SIGKILL)
    wait_for(lambda: find_service(tmp_path, "sleeper") is None)
    (child,) = service_processes(tmp_path, "sleeper")
    assert stop_services(tmp_path, ["sleeper"]) == ["sleeper"]
    assert not is_alive(child)


def test_service_is_killed_when_it_does_not_end(start: Callable[[str], int], tmp_path: Path) -> None:
    process_id = start(STUBBORN)
    wait_for(lambda: "deaf" in (tmp_path / "sleeper.log").read_text())
    assert stop_services(tmp_path, ["sleeper"], patience=0.2) == ["sleeper"]
    assert not is_alive(process_id)


@pytest.mark.parametrize("changed", [{"started": 1}, {"boot": "another boot"}])
def test_stranger_is_left_alone_when_it_carries_an_old_number(
    start: Callable[[str], int], tmp_path: Path, changed: dict[str, object]
) -> None:
    process_id = start(WITH_CHILD)
    path = tmp_path / "sleeper.json"
    true_record = path.read_text()
    path.write_text(json.dumps(json.loads(true_record) | changed))
    assert find_service(tmp_path, "sleeper") is None
    assert stop_services(tmp_path, ["sleeper"]) == []
    assert is_alive(process_id)
    path.write_text(true_record)


def test_second_start_is_refused_while_the_first_holds_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "up.lock"
    with only_one(lock, "busy"), pytest.raises(OperatorError, match="busy"), only_one(lock, "busy"):
        pass


def test_lock_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    lock = tmp_path / "up.lock"
    code = (
        "import sys, time, pathlib\nfrom quarterday.supervising import only_one\n"
        f"with only_one(pathlib.Path({str(lock)!r}), 'busy'):\n    print('held', flush=True)\n    time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.wait()
    with only_one(lock, "busy"):
        assert lock.exists()


def test_what_a_service_writes_is_its_owners_alone(tmp_path: Path) -> None:
    written = tmp_path / "written"
    command = [sys.executable, "-c", f"open({str(written)!r}, 'w').write('a partner line')"]
    start_service(tmp_path, Service("writer", command, dict(os.environ), tmp_path / "writer.log", UMASK))
    wait_for(lambda: written.exists() and written.stat().st_size > 0)
    stop_services(tmp_path, ["writer"])
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_error_names_the_service_when_its_program_is_missing(tmp_path: Path) -> None:
    service = Service("ghost", [str(tmp_path / "no-such-program")], {}, tmp_path / "ghost.log")
    with pytest.raises(OperatorError, match="'ghost' can't be started"):
        start_service(tmp_path, service)
