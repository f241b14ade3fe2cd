"""The dbt project as the dictionary needs it: models with their own SQL, seeds, sources and exposures; no database.

dbt parses and renders; nothing connects. A query that a macro would ask while it renders (which loads a release brings
in) is left out, as dbt leaves it out when it parses: it says which rows, not which columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from quarterday.dbt import DbtFailed, dbt_environment, places_of
from quarterday.parsed import dbt_runner, parsed_project

NO_SERVER = "postgresql://nobody:nothing@127.0.0.1:1/quarterday"
READ = ("mart", "history", "rpt")


@dataclass(frozen=True)
class DescribedColumn:
    """A column as the project describes it; ``is_never_blank`` where a test says so."""

    name: str
    data_type: str
    description: str
    is_never_blank: bool = False


@dataclass(frozen=True)
class Relation:
    """A model, seed or source: where it stands in the database, and what it promises.

    ``name`` is dbt's, ``relation`` is ``schema.name`` as readers write it. ``sql`` is the model's own query, in which
    other models stand by ``schema.name``, and those that are written into it by ``__dbt__cte__`` and their name; None
    for a seed or a source. ``reads`` are dbt's ids, ``joins`` say of columns in which relation's column they are found.
    """

    unique_id: str
    name: str
    relation: str
    kind: str
    description: str
    path: str
    columns: Mapping[str, DescribedColumn]
    sql: str | None = None
    reads: tuple[str, ...] = ()
    joins: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def is_for_readers(self) -> bool:
        """Whether business intelligence tools may read it."""
        return self.kind == "model" and self.relation.split(".")[0] in READ


@dataclass(frozen=True)
class Exposure:
    """Somebody or something that reads the marts: dbt's exposure."""

    name: str
    label: str
    kind: str
    owner: str
    description: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Project:
    """Everything of the dbt project by dbt's unique id, and who reads it."""

    relations: Mapping[str, Relation]
    exposures: tuple[Exposure, ...]

    def for_readers(self) -> list[Relation]:
        """Return what readers may read, in the order of its name."""
        return sorted((one for one in self.relations.values() if one.is_for_readers), key=lambda one: one.relation)

    def named(self, relation: str) -> Relation:
        """Return the relation that readers write as ``schema.name``.

        Raises:
            KeyError: There is none.
        """
        return {one.relation: one for one in self.relations.values()}[relation]


def read_project(folder: Path) -> Project:
    """Parse and render the dbt project in a folder.

    Raises:
        DbtFailed: dbt can't parse it.
    """
    with TemporaryDirectory(prefix="quarterday-dictionary-") as folder_of_run:
        return _read(folder, Path(folder_of_run))


def _read(folder: Path, target: Path) -> Project:
    with dbt_environment(NO_SERVER, target) as name:
        manifest = _parse(folder, target, name)
        config = _config()
        nodes = [*manifest.nodes.values(), *manifest.sources.values()]
        tests = [node for node in nodes if node.resource_type == "test"]
        described = [node for node in nodes if node.resource_type in ("model", "seed", "source")]
        relations = [_relation(node, _sql(node, manifest, config), tests, manifest) for node in described]
        exposures = sorted(map(_exposure, manifest.exposures.values()), key=lambda exposure: exposure.name)
    return Project({relation.unique_id: relation for relation in relations}, tuple(exposures))


def _parse(folder: Path, target: Path, database: str) -> Any:
    """Return dbt's manifest; afterwards its adapter is there, with the configuration that rendering asks for."""
    places = places_of(folder, target, target / "logs")
    told = dbt_runner(parsed_project(folder, target, database, places)).invoke(["parse", "--no-write-json", *places])
    if told.result is None:
        raise DbtFailed("parse", [], str(told.exception))
    return told.result


def _config() -> Any:
    from dbt.adapters.factory import get_adapter_by_type

    return get_adapter_by_type("postgres").config


def _sql(node: Any, manifest: Any, config: Any) -> str | None:
    """Return a model's query without what it would ask the database while it is rendered."""
    if node.resource_type != "model":
        return None
    from dbt.clients.jinja import get_rendered
    from dbt.context.providers import generate_runtime_model_context

    context = generate_runtime_model_context(node, config, manifest)
    context["execute"] = False
    return str(get_rendered(node.raw_code, context, node))


def _relation(node: Any, sql: str | None, tests: Iterable[Any], manifest: Any) -> Relation:
    own = [test for test in tests if getattr(test, "attached_node", None) == node.unique_id and test.test_metadata]
    never_blank = {test.test_metadata.kwargs["column_name"] for test in own if test.test_metadata.name == "not_null"}
    columns = {
        column.name: DescribedColumn(
            column.name, column.data_type or "", " ".join(column.description.split()), column.name in never_blank
        )
        for column in node.columns.values()
    }
    return Relation(
        unique_id=node.unique_id,
        name=node.name,
        relation=_relation_name(node),
        kind=str(node.resource_type),
        description=" ".join(node.description.split()),
        path=node.original_file_path,
        columns=columns,
        sql=sql,
        reads=tuple(sorted(set(node.depends_on.nodes))) if node.resource_type == "model" else (),
        joins=dict(sorted(_joins(own, manifest))),
    )


def _joins(tests: Iterable[Any], manifest: Any) -> Iterable[tuple[str, tuple[str, str]]]:
    """Give each column that a ``relationships`` test holds to another relation's, with relation and column."""
    for test in tests:
        if test.test_metadata.name == "relationships":
            words = test.test_metadata.kwargs
            others = [name for name in test.depends_on.nodes if name.startswith(("model.", "seed.", "source."))]
            other = next((name for name in others if name != test.attached_node), test.attached_node)
            node = manifest.nodes.get(other) or manifest.sources[other]
            yield words["column_name"], (_relation_name(node), words["field"])


def _relation_name(node: Any) -> str:
    return f"{node.schema}.{getattr(node, 'alias', None) or node.identifier}"


def _exposure(node: Any) -> Exposure:
    return Exposure(
        name=node.name,
        label=node.label or node.name,
        kind=str(node.type),
        owner=node.owner.name or "",
        description=" ".join(node.description.split()),
        reads=tuple(sorted(node.depends_on.nodes)),
    )
