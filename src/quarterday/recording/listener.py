"""Airflow's listener that keeps ``ledger.task_run``, and the plugin that registers it.

Airflow calls it in the task's own process, and where it decides on a task itself (a worker that was killed, a state
that somebody sets by hand) in the scheduler or the web server. It never fails a task: what it can't write it logs.
A task whose process is killed leaves its row as running; ``ledger__reconcile`` closes it.

This module is loaded by every component of Airflow at its start, so what it needs is imported where it is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from airflow.plugins_manager import AirflowPlugin
from pluggy import HookimplMarker

from quarterday import runbooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from quarterday.recording.task_runs import TaskTry

WAITS_FOR = {"awaiting_input": "a person's answer", "deferred": "what it was deferred for"}
# Airflow's own marker is this one, without its types.
hookimpl = HookimplMarker("airflow")
log = structlog.get_logger("quarterday.recording")


@dataclass
class _Process:
    """The task that this process runs, when it began, and its connection: one for start and end costs half of two."""

    task: Any
    one: TaskTry
    began: float
    connection: Connection


class TaskRunListener:
    """Writes the start and the end of each task."""

    def __init__(self) -> None:
        self._process: _Process | None = None

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        """Write that a task runs."""
        self._process = None
        with _or_say("start", task_instance):
            from quarterday.recording.task_runs import connect_to_record, record_start
            from quarterday.settings import load_settings
            from quarterday.versioning import code_version

            one, began = _try_of(task_instance), time.monotonic()
            connection = connect_to_record(load_settings())
            self._process = _Process(task_instance, one, began, connection)
            with connection.cursor() as cursor:
                record_start(one, code_version(), cursor)

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        """Write that a task did its work."""
        self._end(task_instance, "success")

    @hookimpl
    def on_task_instance_skipped(self, task_instance: Any) -> None:
        """Write that a task found nothing to do."""
        self._end(task_instance, "skipped")

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: None | str | BaseException) -> None:
        """Write that a task failed, and with what; it may be tried again."""
        state = "up_for_retry" if _word(getattr(task_instance, "state", None)) == "up_for_retry" else "failed"
        told = runbooks.advice(error) if isinstance(error, BaseException) else error
        if isinstance(error, BaseException):
            log.error(f"What to do: {runbooks.link(runbooks.name_for(error))}")
        self._end(task_instance, state, told)

    @hookimpl
    def before_stopping(self, component: Any) -> None:
        """Write of a task that leaves its process without an end that it waits, and for what."""
        process = self._process
        if process is None:
            return
        with _or_say("wait", process.task):
            from quarterday.recording.task_runs import record_wait

            state = _word(process.task.state)
            what_for = WAITS_FOR.get(state, state)
            with process.connection.cursor() as cursor:
                record_wait(process.one, time.monotonic() - process.began, f"waits for {what_for}", cursor)
        self._close()

    def _end(self, task_instance: Any, state: str, message: str | None = None) -> None:
        with _or_say("end", task_instance):
            from quarterday.recording.task_runs import record_end

            process = self._process if self._process and self._process.task is task_instance else None
            self._on_any_connection(
                process,
                lambda cursor: record_end(
                    process.one if process else _try_of(task_instance),
                    state,
                    cursor,
                    seconds=time.monotonic() - process.began if process else None,
                    message=message,
                    started_at=_moment(task_instance, "start_date"),
                ),
            )
        if self._process and self._process.task is task_instance:
            self._close()

    def _on_any_connection(self, process: _Process | None, write: Callable[[Cursor], None]) -> None:
        """Write by the process's connection; by a new one where there is none or the server was restarted meanwhile."""
        import psycopg2

        from quarterday.recording.task_runs import connect_to_record
        from quarterday.settings import load_settings

        if process:
            with suppress(psycopg2.OperationalError, psycopg2.InterfaceError), process.connection.cursor() as cursor:
                write(cursor)
                return
        connection = connect_to_record(load_settings())
        try:
            with connection.cursor() as cursor:
                write(cursor)
        finally:
            connection.close()

    def _close(self) -> None:
        if self._process:
            with suppress(Exception):
                self._process.connection.close()
        self._process = None


class RunRecordsPlugin(AirflowPlugin):
    """Registers the listener with every Airflow component."""

    name = "quarterday_run_records"
    listeners = [TaskRunListener()]


@contextmanager
def _or_say(what: str, task_instance: Any) -> Iterator[None]:
    """Keep an error of the block from the task, and log it."""
    try:
        yield
    except Exception as error:
        log.warning(
            "The run record of this task could not be written to ledger.task_run; the task goes on",
            moment=what,
            task=getattr(task_instance, "task_id", None),
            error=f"{type(error).__name__}: {error}".strip(),
        )


def _try_of(task_instance: Any) -> TaskTry:
    from quarterday.recording.task_runs import TaskTry

    index = getattr(task_instance, "map_index", -1)
    name = task_instance.task_id if index is None or index < 0 else f"{task_instance.task_id}[{index}]"
    return TaskTry(
        task_instance.dag_id, task_instance.run_id, name, task_instance.try_number, _partition_key(task_instance)
    )


def _partition_key(task_instance: Any) -> str | None:
    """Return the key of the run: told by the server to a task, and by the database to scheduler and web server."""
    with suppress(Exception):
        context = getattr(task_instance, "_ti_context_from_server", None)
        run = context.dag_run if context is not None else task_instance.dag_run
        key = run.partition_key
        return None if key is None else str(key)
    return None


def _moment(task_instance: Any, name: str) -> datetime | None:
    moment = getattr(task_instance, name, None)
    return moment if isinstance(moment, datetime) else None


def _word(state: Any) -> str:
    return str(getattr(state, "value", state))
