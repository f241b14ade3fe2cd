"""The parsed dbt project, kept by a process that runs dbt again and again.

A task of Airflow runs dbt once and takes what the run before it has left on the disk. A rebuild or a benchmark runs it
tens of times, and each time dbt would read its notes of the whole project, or, for another database, every file of it.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

Files = tuple[tuple[str, int, int], ...]
NOTES = "partial_parse.msgpack"
KINDS = frozenset({".sql", ".yml", ".csv", ".md"})


@dataclass(frozen=True)
class Kept:
    """A parsed project as bytes, since a run writes into what it is given; and the database that it names."""

    files: Files
    database: str
    content: bytes


_kept: dict[Path, Kept] = {}
_seen: dict[Path, Files] = {}


def parsed_project(project: Path, target: Path, database: str, places: Sequence[str]) -> Any | None:
    """Return dbt's manifest of a project for a database, as its runner takes it.

    Args:
        project: The project's folder.
        target: Where dbt keeps its notes between runs.
        database: The name of the database that shall be built in.
        places: dbt's options that say where project, profile, target and log are.

    Returns:
        None for the first run of a process, if it can go on from the notes, and for a project that dbt can't parse: the
        run will say why.
    """
    files = _files_of(project, target)
    kept = _kept.get(project)
    if kept is None or kept.files != files:
        is_first = _seen.get(project) != files
        _seen[project] = files
        if is_first and (target / NOTES).exists():
            return None
        kept = _parse(files, database, places)
        if kept is None:
            return None
        _kept[project] = kept
    return _for_database(_manifest_of(kept.content), kept.database, database)


def _files_of(project: Path, target: Path) -> Files:
    """Return name, time and size of each file that a project is made of."""
    built = {target, project / "target", project / "logs"}
    stats = [
        (str(path), path.stat())
        for path in project.rglob("*")
        if path.suffix in KINDS and built.isdisjoint(path.parents)
    ]
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


def dbt_runner(manifest: Any | None = None) -> Any:
    """Return dbt's own runner, which takes seconds to import."""
    from dbt.cli.main import dbtRunner
    from dbt_common.behavior_flags import BehaviorFlagRendered

    # Who asks for a flag is looked for in the whole stack and in every imported module, for a warning that is switched
    # off: most of a second at each run, in a process that has imported Airflow or Great Expectations.
    setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt"))  # noqa: B010
    return dbtRunner(manifest=manifest)


def _parse(files: Files, database: str, places: Sequence[str]) -> Kept | None:
    manifest: Any = dbt_runner().invoke(["parse", "--no-write-json", *places]).result
    if manifest is None:
        return None
    # Not its own indexes, which it makes anew; and not the files as they were read, which only parsing asks for.
    parts = {part.name: getattr(manifest, part.name) for part in fields(manifest) if part.name[0] != "_"}
    return Kept(files, database, pickle.dumps(parts | {"files": {}}, pickle.HIGHEST_PROTOCOL))


def _manifest_of(content: bytes) -> Any:
    from dbt.contracts.graph.manifest import Manifest

    return Manifest(**pickle.loads(content))


def _for_database(manifest: Any, old: str, new: str) -> Any:
    """Return a manifest with another database's name in each relation: nothing else in it says where it is built."""
    if old != new:
        for node in chain(manifest.nodes.values(), manifest.sources.values()):
            if node.database == old:
                node.database = new
                if node.relation_name:
                    node.relation_name = node.relation_name.replace(f'"{old}".', f'"{new}".', 1)
        manifest.build_flat_graph()
    return manifest
