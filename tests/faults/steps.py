"""Sees every durable step that a process takes, and lets something happen before and after any of them.

A step is a database commit that has written something, or a call that changes what stands in the watched folders. It is
recognised by the way that leads to it through ``src/quarterday``, by dbt's node where dbt commits, and by how often it
has been taken; nothing names it by hand. Installed in a process of its own: nothing is put back.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

Moment = Literal["before", "after"]
SOURCE = str(Path(__file__).parents[2] / "src" / "quarterday") + "/"
# Connections are opened, and commit, in its one ``with``; who asked for the connection tells the step.
GO_BETWEENS = {"warehouse.connect"}
# Below the home: what is written anew by every run and read by none, and what belongs to the server and to Airflow.
UNWATCHED = ("postgres", "logs", "airflow", "run", "secrets", "dbt/logs", "dbt/target/compiled", "dbt/target/run")
DBT_NODE = re.compile(r'"node_id":\s*"([^"]+)"')
COMMENT = re.compile(r"^(?:\s*/\*.*?\*/\s*)+", re.DOTALL)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
AUDITED = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.truncate", "os.chmod", "open"}


@dataclass(frozen=True)
class Step:
    """One durable step: what was done, on which way through the code, and for the how-manieth time on this way.

    ``stack`` holds (module, line) of every frame of ``src/quarterday``, the outermost first; it is no part of the key.
    """

    operation: str
    way: str
    node: str
    number: int
    target: str
    stack: tuple[tuple[str, int], ...]

    @property
    def key(self) -> str:
        """What names the step in each run."""
        return f"{self.operation} {self.way} {self.node} #{self.number}"

    @property
    def place(self) -> str:
        """The innermost line of ours."""
        return ":".join(map(str, self.stack[-1])) if self.stack else "?"

    def as_json(self) -> str:
        """The step as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Step:
        """Read what :meth:`as_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "stack": tuple((module, line) for module, line in fields["stack"])})


class Watch:
    """Counts the steps of this process and tells each, before it is taken and when it has been."""

    def __init__(self, folders: Sequence[Path], reach: Callable[[Step, Moment], None]) -> None:
        self.folders = [str(folder) for folder in folders]
        self.reach = reach
        self.unseen: list[str] = []
        self.read_only: set[tuple[tuple[str, int], ...]] = set()
        self.inside = threading.local()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def install(self, audit: bool = True) -> None:
        """Put the watch around the calls that take steps, and listen for any that goes another way."""
        for name in ("rename", "replace", "link", "unlink", "remove", "mkdir", "rmdir", "symlink", "chmod", "fchmod"):
            setattr(os, name, self._around_call(name, getattr(os, name)))
        os.fsync = self._around_call("fsync", os.fsync)
        os.open = self._around_open(os.open)  # type: ignore[assignment]
        io.open = builtins.open = self._around_file(io.open)  # type: ignore[assignment]
        psycopg2.connect = self._around_connect(psycopg2.connect)
        if audit:
            sys.addaudithook(self._audit)

    def around(self, operation: str, target: str, node: str, call: Callable[[], Any]) -> Any:
        """Take one step, and tell of it."""
        if getattr(self.inside, "step", False):
            return call()
        stack = frames_of_ours()
        if not stack:
            return call()
        step = self._numbered(operation, target, node, stack)
        self.inside.step = True
        try:
            self.reach(step, "before")
            result = call()
            self.reach(step, "after")
        finally:
            self.inside.step = False
        return result

    def _numbered(self, operation: str, target: str, node: str, stack: list[FrameType]) -> Step:
        names = [f"{module_of(frame)}.{frame.f_code.co_qualname}" for frame in stack]
        way = ">".join(name for name in names if name not in GO_BETWEENS)
        with self._lock:
            self._counts[operation, way, node] += 1
            number = self._counts[operation, way, node]
        lines = tuple((module_of(frame), frame.f_lineno) for frame in stack)
        return Step(operation, way, node, number, target, lines)

    def _watched(self, path: object) -> str | None:
        """Return a path below a watched folder; None for any other."""
        if isinstance(path, int):
            path = str(Path(f"/proc/self/fd/{path}").readlink())
        text = os.fsdecode(path)  # type: ignore[arg-type]
        for folder in self.folders:
            if text.startswith(folder + "/") or text == folder:
                below = text[len(folder) + 1 :]
                return None if below.startswith(UNWATCHED) else below or "."
        return None

    def _around_call(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*words: Any, **options: Any) -> Any:
            targets = [self._watched(word) for word in words[: 2 if name in ("rename", "replace", "link") else 1]]
            target = next((found for found in reversed(targets) if found), None)
            if target is None:
                return call(*words, **options)
            return self.around(name, target, "", lambda: call(*words, **options))

        return watched

    def _around_open(self, call: Callable[..., int]) -> Callable[..., int]:
        def watched(path: Any, flags: int, *words: Any, **options: Any) -> Any:
            target = self._watched(path) if flags & WRITING else None
            if target is None:
                return call(path, flags, *words, **options)
            return self.around("create", target, "", lambda: call(path, flags, *words, **options))

        return watched

    def _around_file(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(file: Any, mode: str = "r", *words: Any, **options: Any) -> Any:
            is_new = set(mode) & set("wax+") and not isinstance(file, int) and not options.get("opener")
            target = self._watched(file) if is_new else None
            if target is None:
                return call(file, mode, *words, **options)
            return self.around("create", target, "", lambda: call(file, mode, *words, **options))

        return watched

    def _around_connect(self, call: Callable[..., Any]) -> Callable[..., Any]:
        watch = self

        class WatchedCursor(Cursor):
            def execute(self, query: Any, variables: Any = None) -> None:
                text = query if isinstance(query, str) else query.as_string(self) if hasattr(query, "as_string") else ""
                watch._execute(self, text, lambda: Cursor.execute(self, query, variables))

        class WatchedConnection(Connection):
            node = ""  # of dbt, whose commit doesn't say which

            def commit(self) -> None:
                watch._commit(self, "", lambda: Connection.commit(self))

        def watched(*words: Any, **options: Any) -> Any:
            if not frames_of_ours():
                return call(*words, **options)
            return call(*words, **{"connection_factory": WatchedConnection, "cursor_factory": WatchedCursor, **options})

        return watched

    def _execute(self, cursor: Cursor, text: str, call: Callable[[], None]) -> None:
        """Run a statement; one that commits is a step, as dbt's are."""
        connection = cursor.connection
        bare = COMMENT.sub("", text).strip().lower()
        if node := DBT_NODE.search(text[:2000]):
            connection.node = node[1]  # type: ignore[attr-defined]
        if bare.startswith("commit"):
            self._commit(connection, getattr(connection, "node", ""), call)
            return
        before = connection.info.transaction_status
        call()
        went = before == TRANSACTION_STATUS_INTRANS and connection.info.transaction_status == TRANSACTION_STATUS_IDLE
        alone = connection.autocommit and not bare.startswith(("select", "set", "show", "begin", "rollback"))
        if (went and not bare.startswith("rollback")) or alone:
            self.unseen.append(f"a commit by {bare[:60]!r}")

    def _commit(self, connection: Connection, node: str, call: Callable[[], None]) -> None:
        """Commit; a step where the transaction has written anything."""
        if connection.info.transaction_status == TRANSACTION_STATUS_INTRANS and _has_written(connection):
            self.around("commit", connection.info.dbname, node, call)
        else:
            self.read_only.add(tuple((module_of(frame), frame.f_lineno) for frame in frames_of_ours()))
            call()

    def _audit(self, event: str, words: tuple[Any, ...]) -> None:
        """Note a change of the watched folders that none of the calls above made."""
        if event not in AUDITED or getattr(self.inside, "step", False) or getattr(self.inside, "audit", False):
            return
        if event == "open" and not (isinstance(words[2], int) and words[2] & WRITING):
            return
        self.inside.audit = True
        try:
            path = words[0]
            if not isinstance(path, str | bytes | os.PathLike) or Path(os.fsdecode(path)).is_dir():
                return  # a folder is opened to be read, or for a file without a name
            if self._watched(path) and frames_of_ours():
                self.unseen.append(f"{event} {words[0]!r}")
        finally:
            self.inside.audit = False


def _has_written(connection: Connection) -> bool:
    cursor = Cursor(connection)
    cursor.execute("select pg_current_xact_id_if_assigned() is not null")
    (has_written,) = cursor.fetchone() or (False,)
    cursor.close()
    return bool(has_written)


def frames_of_ours() -> list[FrameType]:
    """Return the frames of ``src/quarterday``, outermost first; in a thread, as dbt's, those of the main one."""
    frame: FrameType | None = sys._getframe(1)
    if threading.current_thread() is not threading.main_thread():
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
    found = []
    while frame:
        if frame.f_code.co_filename.startswith(SOURCE):
            found.append(frame)
        frame = frame.f_back
    return found[::-1]


def module_of(frame: FrameType) -> str:
    """Return a frame's module below ``quarterday``, such as ``checking.judging``."""
    return frame.f_code.co_filename.removeprefix(SOURCE).removesuffix(".py").replace("/", ".")
