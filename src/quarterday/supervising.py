"""Services as processes of their own: started, found again after a crash, and stopped without touching another's.

Each service leads a session of its own. What identifies it is its number, the moment it started and the boot of the
machine; a number alone may by now belong to someone else. Its children stay in its session, so they are found even
when it was killed and even when they moved to process groups of their own, as Airflow's tasks do.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from quarterday.errors import OperatorError

PATIENCE_SECONDS = 20.0


class Busy(OperatorError):
    """Another process holds the lock."""


@contextlib.contextmanager
def stop_at_signal() -> Iterator[None]:
    """Make a plain kill end what stays as Ctrl-C does, so that what was started is stopped."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class Service:
    """What is to run: a command with its whole environment, and the file that takes what it prints.

    ``umask`` takes rights from every file that the service makes; -1 leaves it as it is here.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    umask: int = -1


@dataclass(frozen=True)
class ProcessState:
    """One line of the kernel's process table. ``started`` is in clock ticks since the machine's boot."""

    process_id: int
    session_id: int
    started: int
    is_zombie: bool


@dataclass(frozen=True)
class Record:
    """What is written down about a started service."""

    name: str
    process_id: int
    started: int
    boot: str
    fingerprint: str


def start_service(run_folder: Path, service: Service, fingerprint: str = "") -> Record:
    """Start a service in a session of its own and write down what identifies it.

    Args:
        run_folder: Where the record is kept, as ``<name>.json``.
        fingerprint: Says what it was started with; compare it to tell whether a running service can be used.

    Raises:
        OperatorError: The command can't be run.
    """
    service.log.parent.mkdir(parents=True, exist_ok=True)
    run_folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(service.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            service.command, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=subprocess.STDOUT,
            env=dict(service.environment), start_new_session=True, cwd="/", umask=service.umask,
        )  # fmt: skip
    except OSError as error:
        raise OperatorError(f"The service '{service.name}' can't be started: {error}") from error
    finally:
        os.close(descriptor)
    state = _read_state(process.pid)
    record = Record(service.name, process.pid, state.started if state else 0, _boot(), fingerprint)
    path = _record_path(run_folder, service.name)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(record.__dict__) + "\n")
    draft.replace(path)
    return record


def find_service(run_folder: Path, name: str) -> Record | None:
    """Return the record of a service whose leading process is alive, or ``None``."""
    record = _read_record(run_folder, name)
    return record if record and _leads(record) else None


def service_processes(run_folder: Path, name: str) -> list[int]:
    """Return the process ids of a service and its children, also when the leading process was killed."""
    record = _read_record(run_folder, name)
    return [state.process_id for state in _members(record)] if record else []


def stop_services(run_folder: Path, names: Sequence[str], patience: float = PATIENCE_SECONDS) -> list[str]:
    """Ask services to end, all at once; kill what is left after ``patience`` seconds. Return the names that ran.

    Processes that only carry the number of an old service are left alone.
    """
    records = [record for name in names if (record := _read_record(run_folder, name))]
    running = [record for record in records if _members(record)]
    for record in running:
        _signal(record, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(_members(record) for record in running) and time.monotonic() < deadline:
        time.sleep(0.05)
    for record in running:
        _kill_all(record)
    for name in names:
        _record_path(run_folder, name).unlink(missing_ok=True)
    return [record.name for record in running]


@contextlib.contextmanager
def only_one(lock_file: Path, busy: str) -> Iterator[None]:
    """Hold a lock while the block runs; the kernel gives it back when its holder dies.

    Raises:
        Busy: Another process holds it; ``busy`` is the message.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as file:  # opened files are not inherited, so no service keeps the lock
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(busy) from None
        yield


@dataclass(frozen=True)
class Memory:
    """The memory of processes in bytes; ``is_bound`` when it is at most so much, since some can't be looked into."""

    size: int
    is_bound: bool


def memory_of(process_ids: Sequence[int]) -> Memory:
    """Return the memory of processes: each shared page is divided among those that share it (PSS).

    Airflow closes the process that watches over a task to all but root. What such a fork holds alone came to it by page
    faults of its own, which are counted for everybody to see; the rest is its parent's, and taken in once.
    """
    sizes = [_shared_out(process_id) for process_id in process_ids]
    closed = [_of_closed(process_id) for process_id, size in zip(process_ids, sizes, strict=True) if size is None]
    own = sum(size for size, _ in closed) + max((inherited for _, inherited in closed), default=0)
    return Memory(sum(size or 0 for size in sizes) + own, bool(closed))


def _shared_out(process_id: int) -> int | None:
    """Return a process's share of its pages; 0 when it is gone, None when it may not be looked into."""
    try:
        for line in Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except PermissionError:
        return None
    except OSError:
        return 0
    return 0


def _of_closed(process_id: int) -> tuple[int, int]:
    """Return the bytes that a process holds alone, at most, and those that it may have from its parent."""
    try:
        resident, shared = Path(f"/proc/{process_id}/statm").read_text().split()[1:3]
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return 0, 0
    faults = int(stat[stat.rindex(")") + 2 :].split()[7])
    pages = int(resident) - int(shared)
    alone = min(pages, faults)
    return alone * resource.getpagesize(), (pages - alone) * resource.getpagesize()


def _members(record: Record) -> list[ProcessState]:
    """Return a service's living processes.

    While any member of a session lives, the kernel gives its number to nobody else, so members of a dead leader's
    session are the service's. A living leader that started at another moment is a stranger.
    """
    if record.boot != _boot():
        return []
    leader = _read_state(record.process_id)
    if leader and leader.started != record.started:
        return []
    states = (_read_state(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [
        state
        for state in states
        if state
        and state.session_id == record.process_id
        and state.started >= record.started
        and not state.is_zombie
        and _same_user(state.process_id)
    ]


def _leads(record: Record) -> bool:
    state = _read_state(record.process_id)
    return bool(state and record.boot == _boot() and state.started == record.started and not state.is_zombie)


def _signal(record: Record, number: signal.Signals) -> None:
    """Signal the leader, which ends its children in good order; its children directly when it is gone."""
    targets = [record.process_id] if _leads(record) else [state.process_id for state in _members(record)]
    for process_id in targets:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process_id, number)


def _kill_all(record: Record) -> None:
    for _ in range(100):  # a process may fork while its siblings are being killed
        members = _members(record)
        if not members:
            break
        for state in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(state.process_id, signal.SIGKILL)
        time.sleep(0.05)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(record.process_id, os.WNOHANG)


def _read_state(process_id: int) -> ProcessState | None:
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before it may hold spaces and brackets
    return ProcessState(process_id, int(fields[3]), int(fields[19]), fields[0] in "ZX")


def _same_user(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/task").stat().st_uid in (os.geteuid(), 0)
    except OSError:
        return False


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _record_path(run_folder: Path, name: str) -> Path:
    return run_folder / f"{name}.json"


def _read_record(run_folder: Path, name: str) -> Record | None:
    try:
        return Record(**json.loads(_record_path(run_folder, name).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
