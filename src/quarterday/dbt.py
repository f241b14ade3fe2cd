"""Runs dbt in this process, as the builder, with its state under the home and nothing sent anywhere.

Two dbt runs at once on one project collide, so a run holds an advisory lock of the warehouse from start to end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2.extensions import cursor as Cursor

from quarterday.errors import QuarterdayError
from quarterday.parsed import dbt_runner, parsed_project
from quarterday.recording import lineage
from quarterday.settings import Settings, database_url

BUILD_LOCK = "quarterday.dbt"
FAILURES = frozenset({"error", "fail", "runtime error", "partial success"})


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node: a model, a seed or a test. ``row_count`` is null where dbt doesn't tell."""

    node_id: str
    status: str
    seconds: float
    row_count: int | None
    message: str | None


class DbtFailed(QuarterdayError):
    """dbt did not finish, or a node failed; the message names each failing node and what it said."""

    def __init__(self, command: str, results: Sequence[NodeResult], reason: str | None = None) -> None:
        self.results = list(results)
        failures = [result for result in results if result.status in FAILURES]
        lines = [f"DbtFailed: dbt {command}: nothing was published."]
        lines += [f"  {failure.node_id}: {failure.status}: {failure.message or 'no message'}" for failure in failures]
        if reason:
            lines.append(f"  {reason}")
        super().__init__("\n".join(lines))


def run_dbt(arguments: Sequence[str], settings: Settings, target_path: Path | None = None) -> list[NodeResult]:
    """Run one dbt command on the project and return what became of each node.

    Args:
        arguments: As on the command line, for example ``["build", "--select", "tag:release"]``.
        target_path: Where compiled files and the parsed project are kept; ``dbt/target`` in the home by default.
            A folder that stays makes the next run parse only what has changed.

    Raises:
        DbtFailed: A node failed, or dbt could not start.
        psycopg2.OperationalError: The server went away meanwhile: worth another try.
    """
    target = target_path or settings.home / "dbt" / "target"
    target.mkdir(parents=True, exist_ok=True)
    places = places_of(settings.dbt_project, target, settings.home / "dbt" / "logs")
    command = [*lineage.with_files(arguments), *places]
    with _one_at_a_time(settings) as cursor, dbt_environment(database_url(settings, "builder"), target) as database:
        # A collector is told from the files that dbt writes of a project that it has read itself.
        manifest = None if lineage.collector() else parsed_project(settings.dbt_project, target, database, places)
        success, exception, results = _invoke(command, manifest)
        lineage.tell_dbt_run(command, settings.dbt_project, target)
        if success:
            return results
        cursor.execute("select 'the lock is ours still'")  # or the server is gone, and no node is to blame
    raise DbtFailed(" ".join(arguments), results, str(exception) if exception else None)


def _invoke(command: list[str], manifest: Any | None) -> tuple[bool, BaseException | None, list[NodeResult]]:
    outcome = dbt_runner(manifest).invoke(command)
    results = getattr(outcome.result, "results", None) or []
    nodes = [_node_result(result) for result in results]
    # A hook that did its work is nothing that was built or tested.
    told = [node for node in nodes if node.status in FAILURES or not node.node_id.startswith("operation.")]
    return outcome.success, outcome.exception, told


def _node_result(result: Any) -> NodeResult:
    node = getattr(result, "node", None)
    response = getattr(result, "adapter_response", None) or {}
    return NodeResult(
        node_id=str(getattr(node, "unique_id", None) or getattr(result, "unique_id", "unknown")),
        status=str(getattr(result, "status", "success")),
        seconds=round(float(getattr(result, "execution_time", 0.0)), 3),
        row_count=response.get("rows_affected"),
        message=getattr(result, "message", None),
    )


def places_of(project: Path, target: Path, logs: Path) -> list[str]:
    """Return dbt's options that say where project, profile, target and log are, and that it prints nothing."""
    places = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target)]
    return [*places, "--log-path", str(logs), "--quiet", "--no-use-colors"]


@contextmanager
def dbt_environment(url: str, target: Path) -> Iterator[str]:
    """Set the environment that profiles.yml reads for a warehouse, give the database's name, put the old one back."""
    address = urlsplit(url)
    values = {
        "QUARTERDAY_DBT_HOST": address.hostname or "127.0.0.1",
        "QUARTERDAY_DBT_PORT": str(address.port or 5432),
        "QUARTERDAY_DBT_USER": unquote(address.username or ""),
        "QUARTERDAY_DBT_PASSWORD": unquote(address.password or ""),
        "QUARTERDAY_DBT_DBNAME": address.path.lstrip("/"),
        "QUARTERDAY_DBT_TARGET": str(target),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield values["QUARTERDAY_DBT_DBNAME"]
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[Cursor]:
    """Hold the build lock; a second run waits for the first. PostgreSQL lets it go if this process dies."""
    connection = psycopg2.connect(database_url(settings, "builder"), application_name="quarterday dbt lock")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(hashtext(%s))", (BUILD_LOCK,))
            yield cursor
    finally:
        connection.close()
