"""An installation that can be killed at any step and restarted: its worker, its server, its saved states."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from psycopg2 import sql

from quarterday import server
from quarterday.preloading import HEAVY_MODULES
from quarterday.settings import Settings
from tests.conftest import PROJECT, database_named, own_server, run_on_server, session_settings
from tests.faults.steps import Moment, Step
from tests.faults.tasks import OPERATORS, Task
from tests.faults.worker import PATIENCE_SECONDS, Files

Kind = Literal["task", "database", "all"]
FOLDERS = ("inbox", "archive", "receipts", "home")


@dataclass(frozen=True)
class Point:
    """Just before or just after a step."""

    key: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment} {self.key}"


@dataclass(frozen=True)
class Ended:
    """How a process of tasks came to its end: by which exception, of which classes."""

    status: int
    error: str | None
    classes: list[str]


@dataclass(frozen=True)
class Discovery:
    """What an undisturbed run showed: its steps in order, every line of ours on the way to one, and what escaped."""

    steps: list[Step]
    passed: set[tuple[str, int]]
    unseen: list[str]


class PointNotReached(AssertionError):
    """The process ended, or waited for too long, before it came to the point at which it was to be killed."""


class Installation:
    """One warehouse under one name, with folders of its own, whose states can be saved and brought back."""

    def __init__(self, folder: Path, name: str, imports: Sequence[str] = HEAVY_MODULES) -> None:
        self.folder, self.name = folder, name
        places = {each: folder / each for each in FOLDERS}
        self.settings = replace(session_settings(), server_url=database_named(name), **places)  # type: ignore[arg-type]
        self.server = own_server()
        self.files = Files(folder)
        self.templates: list[str] = []
        self.worker = _start_worker(self.settings, folder, imports)

    def close(self) -> None:
        """End the worker, and drop the databases."""
        assert self.worker.stdin
        self.worker.stdin.close()
        self.worker.wait(30)
        for name in (self.name, *self.templates):
            _drop(name)

    def start_from(self, template: str, saved: Path | None = None) -> None:
        """Have a database made anew from a template, and the folders as they were saved."""
        _drop(self.name)
        for statement in (
            "create database {name} template {template}",
            "grant connect, temporary on database {name} to quarterday_loader, quarterday_builder",
            "grant connect on database {name} to quarterday_reader",
        ):
            words = {"name": sql.Identifier(self.name), "template": sql.Identifier(template)}
            run_on_server(sql.SQL(statement).format(**words))
        for each in FOLDERS:
            shutil.rmtree(self.folder / each, ignore_errors=True)
            if saved:
                shutil.copytree(saved / each, self.folder / each)
            (self.folder / each).mkdir(exist_ok=True)

    def save(self, label: str) -> None:
        """Keep database and folders as they are, to start from again."""
        template = f"{self.name}_{label}"
        words = {"name": sql.Identifier(template), "template": sql.Identifier(self.name)}
        run_on_server(sql.SQL("create database {name} template {template}").format(**words))
        self.templates.append(template)
        for each in FOLDERS:
            shutil.copytree(self.folder / each, self.folder / "saved" / label / each)

    def restore(self, label: str) -> None:
        """Go back to what was saved."""
        self.start_from(f"{self.name}_{label}", self.folder / "saved" / label)

    def run(self, tasks: list[Task] | None = None) -> Ended:
        """Do tasks, or go on with those that are left, in a process of their own."""
        if tasks is not None:
            self.files.write_queue(tasks)
        self._ask(do="run")
        return self._answer()

    def discover(self, tasks: list[Task]) -> Discovery:
        """Do tasks undisturbed, and return every step that they take."""
        self.files.write_queue(tasks)
        self._ask(do="note")
        ended = self._answer()
        assert ended.status == 0, f"the undisturbed run failed: {ended.error}"
        notes = [json.loads(line) for line in self.files.steps.read_text().splitlines()]
        begun = [Step.from_json(note["step"]) for note in notes if note["note"] == "before"]
        steps = [Step.from_json(note["step"]) for note in notes if note["note"] == "after"]
        passed = {tuple(place) for note in notes if note["note"] == "passed" for place in note["stack"]}
        passed |= {place for step in begun for place in step.stack}
        return Discovery(steps, passed, [note["what"] for note in notes if note["note"] == "unseen"])

    def strike(self, tasks: list[Task], point: Point, kind: Kind) -> Ended:
        """Do tasks until a point, and kill there; return how their process ended."""
        if kind != "task":
            # A copy of a database writes no log of its sequences until the next checkpoint: after a crash of the server
            # they would give the same numbers again. (CREATE DATABASE with strategy wal_log, as of PostgreSQL 18.)
            run_on_server(sql.SQL("checkpoint"))
        self.files.write_queue(tasks)
        self._ask(do="strike", key=point.key, moment=point.moment, kind=kind)
        if kind != "task":
            self._kill_others(kind)
        ended = self._answer()
        if kind != "database" and ended.status != -signal.SIGKILL:
            raise PointNotReached(f"{point}: ended with {ended.status}: {ended.error}")
        return ended

    def restart(self) -> None:
        """Start the server again, as ``quarterday up`` does."""
        if self.server:
            server.start(self.server)

    def forget_runs(self) -> None:
        """Lose what Airflow knew: only what an operator does by hand is remembered, and sweeps go on."""
        left = self.files.read_queue()
        by_hand = [task for task in left if task[0] in OPERATORS]
        settle = left[-1]
        self.files.write_queue([settle, *by_hand, settle])

    def _kill_others(self, kind: Kind) -> None:
        """Kill the server, and with ``all`` the tasks' process too, when that has come to its point."""
        assert self.server, "a server that is named is not ours to kill"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.files.reached.exists():
            if self.files.error.exists() or time.monotonic() > deadline:
                raise PointNotReached(f"ended with {self._answer()}")
            time.sleep(0.01)
        if kind == "all":
            os.kill(int(self.files.reached.read_text()), signal.SIGKILL)
        kill_server(self.server)
        self.files.go_on.touch()

    def _ask(self, **words: Any) -> None:
        assert self.worker.stdin
        for left in (self.files.error, self.files.reached, self.files.go_on):
            left.unlink(missing_ok=True)
        self.worker.stdin.write(json.dumps(words) + "\n")
        self.worker.stdin.flush()

    def _answer(self) -> Ended:
        assert self.worker.stdout
        while not (line := self.worker.stdout.readline()).startswith("{"):  # what libraries print when imported
            assert line, "the worker has gone"
        return Ended(**json.loads(line))


def kill_server(settings: Settings) -> None:
    """Kill the embedded server and all its processes, at once and by their numbers."""
    leader = server.server_process(settings)
    assert leader, "the server doesn't run"
    everybody = [leader, *children(leader)]
    for process in everybody:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(_lives(process) for process in everybody) and time.monotonic() < deadline:
        time.sleep(0.01)


def children(process: int) -> list[int]:
    """Return the children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _drop(name: str) -> None:
    run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _start_worker(settings: Settings, folder: Path, imports: Sequence[str]) -> subprocess.Popen[str]:
    named = {name: str(getattr(settings, name)) for name in ("home", "inbox", "archive", "receipts", "secrets")}
    environment = {f"QUARTERDAY_{name.upper()}": place for name, place in named.items()}
    environment |= {"QUARTERDAY_DATABASE_URL": str(settings.server_url), "QUARTERDAY_PROJECT": str(settings.project)}
    environment["QUARTERDAY_CODE_VERSION"] = "one for all"  # also where somebody commits meanwhile
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.worker", str(folder), *imports],
        env={**os.environ, **environment}, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
