"""What Airflow's tasks and an operator's commands call, by name, so that a killed one can be tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from quarterday import archiving, inbox, landing, loading, receipts, releasing, unfinished, withdrawing
from quarterday.errors import OperatorError
from quarterday.identifying import Identity, identify
from quarterday.restating import signing_off
from quarterday.settings import Settings
from quarterday.warehouse import connect

Task = tuple[Any, ...]
ROUNDS = 4
FAULT_OF_OURS = "fault of ours"
# As if it were on another file system than the archive.
COPIED = "rj-hub_2017-18-Q4.csv"


def set_conditions() -> None:
    """Lead small returns where only large ones go, and a file on this file system where those of another go.

    What a task waits for before it takes another for dead is over at once.
    """
    landing.LARGE_BYTES = landing.LARGE_WORKBOOK_BYTES = 0
    unfinished.STANDSTILL = receipts.BEING_WRITTEN = "0 seconds"  # minutes are not waited for
    is_ours_alone = archiving._is_ours_alone
    archiving._is_ours_alone = lambda file, archive: (
        not file.name.endswith(COPIED) and is_ours_alone(file, archive)  # type: ignore[attr-defined]
    )


def sweep(settings: Settings) -> list[Task]:
    """The inbox's DAG; the keys that it wakes are loaded, the last first: which is first must not matter."""
    swept = inbox.sweep(settings, "sweep")
    inbox.raise_failures(swept.failures)
    return _loads(swept.keys)


def sweep_only(settings: Settings) -> list[Task]:
    """The inbox's DAG, whose wake-ups nobody follows yet."""
    sweep(settings)
    return []


def sweep_with_a_fault(settings: Settings, file_name: str) -> list[Task]:
    """A sweep in which one file can't be read, by a fault of ours: it is put back, and taken by a later sweep."""

    def break_on_one(path: Path, *words: Any) -> Identity:
        if path.name == file_name:
            raise OSError(FAULT_OF_OURS)
        return identify(path, *words)

    inbox.identify = break_on_one  # type: ignore[assignment]
    try:
        inbox.sweep(settings, "sweep")
    finally:
        inbox.identify = identify
    return []


def land(settings: Settings, key: str) -> list[Task]:
    """The first task of ``returns__load``."""
    form, quarter = key.split("|")
    loading.land_pending(form, quarter, settings, "load")
    return []


def judge(settings: Settings, key: str) -> list[Task]:
    """The second task of ``returns__load``."""
    form, quarter = key.split("|")
    loading.judge_pending(form, quarter, settings, "load")
    return []


def begin(settings: Settings) -> list[Task]:
    """The first task of ``quarter__release``, and the others where it finds work."""
    release_id = releasing.begin(settings, "release", wait_for_arriving=True)
    signing_off.keys_to_ask(settings)
    return [] if release_id is None else [("build", release_id), ("check", release_id), ("publish", release_id)]


def build(settings: Settings, release_id: int) -> list[Task]:
    """The second task of ``quarter__release``."""
    releasing.build_facts(release_id, settings)
    return []


def check(settings: Settings, release_id: int) -> list[Task]:
    """The third task of ``quarter__release``."""
    releasing.check_facts(release_id, settings)
    return []


def publish(settings: Settings, release_id: int) -> list[Task]:
    """The last task of ``quarter__release``."""
    releasing.publish(release_id, settings)
    return []


def withdraw_load(settings: Settings, file_name: str) -> list[Task]:
    """``quarterday withdraw-load``, given again until it says that the load is withdrawn."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute("select max(load_id) from ledger.load where file_name = %s", (file_name,))
        (load_id,) = cursor.fetchone() or (0,)
    try:
        loading.withdraw_load(load_id, "sent by mistake", settings)
    except OperatorError as error:
        if "is withdrawn" not in str(error):
            raise
    return []


def withdraw_release(settings: Settings) -> list[Task]:
    """``quarterday withdraw`` of the second release, given again until it says that it is taken back."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute("select release_id from ledger.release order by release_id offset 1 limit 1")
        (release_id,) = cursor.fetchone() or (0,)
    try:
        withdrawing.withdraw_release(release_id, "another quarter's figures", settings)
    except OperatorError as error:
        if "was taken back already" not in str(error):
            raise
    return []


def settle(settings: Settings, stage: str) -> list[Task]:
    """Sweep as Airflow does for as long as a stage has anything to do, every lost wake-up being given again."""
    for _ in range(ROUNDS):
        for task, *words in sweep(settings):
            if stage != "arrive":
                TASKS[task](settings, *words)
        if stage == "release":
            for task, *words in begin(settings):
                TASKS[task](settings, *words)
        if not _is_unfinished(settings, stage):
            return []
    raise AssertionError(f"after {ROUNDS} sweeps there is still work to do")


def _loads(keys: list[str]) -> list[Task]:
    return [(task, key) for key in reversed(keys) for task in ("land", "judge")]


def _is_unfinished(settings: Settings, stage: str) -> bool:
    states = {"arrive": [], "load": ["registered", "landed"], "release": ["registered", "landed", "admitted"]}[stage]
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger.load_state where state = any(%s)", (states,))
        (unfinished,) = cursor.fetchone() or (0,)
    return bool(unfinished) or any(path.is_file() for path in settings.inbox.rglob("*"))


DAGS_TASKS = (sweep, sweep_only, sweep_with_a_fault, land, judge, begin, build, check, publish)
COMMANDS = (withdraw_load, withdraw_release)
TASKS: dict[str, Callable[..., list[Task]]] = {task.__name__: task for task in (*DAGS_TASKS, *COMMANDS, settle)}
OPERATORS = {command.__name__ for command in COMMANDS}
