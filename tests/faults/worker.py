"""A process that does tasks as Airflow's scheduler does: it has imported what is named to it, and forks for each run.

Each line that it reads asks for a run of what is in the queue; it answers with a line on how that ended.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2

from quarterday.settings import Settings, load_settings
from tests.faults.steps import Moment, Step, Watch
from tests.faults.tasks import TASKS, Task, set_conditions

PATIENCE_SECONDS = 300
# What psycopg2 says when the server goes away between a commit and its answer.
LOST_ANSWER = "server closed the connection unexpectedly (killed after the commit, before its answer)"


class Files:
    """What the worker and whoever drives it tell each other by files."""

    def __init__(self, folder: Path) -> None:
        self.queue = folder / "queue.json"
        self.steps = folder / "steps.jsonl"
        self.error = folder / "error.json"
        self.reached = folder / "reached"
        self.go_on = folder / "go-on"
        self.output = folder / "output.log"

    def read_queue(self) -> list[Task]:
        """The tasks that are not done, as Airflow remembers them: the one that runs is the first."""
        return [tuple(task) for task in json.loads(self.queue.read_text())]

    def write_queue(self, tasks: list[Task]) -> None:
        """Write down what is to be done."""
        write_whole(self.queue, json.dumps(tasks))


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


class Strike:
    """At a point: kills its own process, or says that it is there and waits for what is done to the others."""

    def __init__(self, files: Files, key: str, moment: Moment, kind: str) -> None:
        self.files, self.key, self.moment, self.kind = files, key, moment, kind
        self.is_over = False

    def __call__(self, step: Step, moment: Moment) -> None:
        """Strike where this is the point."""
        if self.is_over or moment != self.moment or step.key != self.key:
            return
        self.is_over = True
        if self.kind == "task":
            os.kill(os.getpid(), signal.SIGKILL)
        write_whole(self.files.reached, str(os.getpid()))
        while not self.files.go_on.exists():
            time.sleep(0.01)
        if moment == "after" and step.operation == "commit":
            raise psycopg2.OperationalError(LOST_ANSWER)


def main() -> None:
    """Answer each line of the input until there is no more."""
    for name in sys.argv[2:]:
        if not name.startswith("airflow"):
            importlib.import_module(name)
    files = Files(Path(sys.argv[1]))
    settings = load_settings()
    watched = [settings.inbox, settings.archive, settings.receipts, settings.home]
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(files, settings, lambda asked=asked: _watch(asked, files, watched))  # type: ignore[misc]
        print(json.dumps(_end_of(child, files)), flush=True)


def _watch(asked: dict[str, Any], files: Files, folders: list[Path]) -> Callable[[], None]:
    """Put the watch that was asked for around this process; return what is to be done when the tasks are."""
    if asked["do"] == "run":
        return lambda: None
    if asked["do"] == "strike":
        Watch(folders, Strike(files, asked["key"], asked["moment"], asked["kind"])).install()
        return lambda: None
    file = files.steps.open("w", buffering=1)

    def note(step: Step, moment: Moment) -> None:
        file.write(json.dumps({"note": moment, "step": step.as_json()}) + "\n")

    def tell_rest() -> None:
        for stack in watch.read_only:
            file.write(json.dumps({"note": "passed", "stack": stack}) + "\n")
        for what in watch.unseen:
            file.write(json.dumps({"note": "unseen", "what": what}) + "\n")

    watch = Watch(folders, note)
    watch.install()
    return tell_rest


def _run(files: Files, settings: Settings, prepare: Callable[[], Callable[[], None]]) -> None:
    status = 1
    try:
        log = os.open(files.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        faulthandler.dump_traceback_later(PATIENCE_SECONDS - 10, file=2)
        set_conditions()
        finish = prepare()
        while tasks := files.read_queue():
            name, *words = tasks[0]
            files.write_queue([*TASKS[str(name)](settings, *words), *tasks[1:]])
        finish()
        status = 0
    except BaseException as error:
        classes = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
        told = {"error": "".join(traceback.format_exception(error))[-4000:], "classes": classes}
        files.error.write_text(json.dumps(told))
    finally:
        os._exit(status)


def _end_of(child: int, files: Files) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            told = {"error": None, "classes": []}
            with contextlib.suppress(FileNotFoundError):
                told = json.loads(files.error.read_text())
            return {"status": os.waitstatus_to_exitcode(status), **told}
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return {"status": 124, "error": f"did not end within {PATIENCE_SECONDS} s", "classes": []}


if __name__ == "__main__":
    main()
