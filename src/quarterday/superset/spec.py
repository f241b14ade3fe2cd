"""Reads ``bi/superset/dashboards.yml``: which datasets, charts and dashboards there are, of which columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quarterday.errors import OperatorError

SPEC_FILE = "dashboards.yml"
KINDS = ("table", "aggregate", "pivot", "bar", "line")


@dataclass(frozen=True)
class Described:
    """A column of ``mart``: its type in PostgreSQL and what it means."""

    data_type: str
    description: str


Marts = Mapping[str, Mapping[str, Described]]


@dataclass(frozen=True)
class Metric:
    """What is worked out of the rows of a group: SQL, and the words for people."""

    name: str
    sql: str
    shown: str


@dataclass(frozen=True)
class Dataset:
    """A relation of ``mart`` with columns of those it joins; ``columns`` gives each its relation, ``schema.name``."""

    name: str
    about: str
    relation: str
    joins: Mapping[str, str]
    columns: Mapping[str, str]
    metrics: Mapping[str, Metric]

    @property
    def relations(self) -> tuple[str, ...]:
        """Everything it selects from."""
        return (self.relation, *self.joins)


@dataclass(frozen=True)
class Chart:
    """A chart: ``rows`` and ``by`` are grouped by, ``columns`` shown as they are; ``same_as`` asks the same by hand."""

    name: str
    title: str
    dataset: Dataset
    kind: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    where: tuple[tuple[str, str, Any], ...]
    order: tuple[tuple[str, str], ...]
    same_as: str

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns of its rows, in order."""
        return (*self.columns, *self.rows, *self.by, *self.metrics)


@dataclass(frozen=True)
class Dashboard:
    """A page of charts; ``filters`` are datasets' columns that a reader may choose by."""

    name: str
    title: str
    about: str
    filters: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Spec:
    """All of it, by name and in order."""

    datasets: Mapping[str, Dataset]
    dashboards: Mapping[str, Dashboard]

    @property
    def charts(self) -> dict[str, Chart]:
        """Every chart by its name."""
        return {chart.name: chart for dashboard in self.dashboards.values() for chart in dashboard.charts}


def read_spec(folder: Path, marts: Marts) -> Spec:
    """Read the dashboards of a folder and hold them against what ``mart`` promises.

    Raises:
        OperatorError: A dataset names a relation or column that ``mart`` has not, or a chart names a column or metric
            that its dataset has not; the message names all of them.
    """
    path = folder / SPEC_FILE
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    datasets = {name: _dataset(name, given) for name, given in raw["datasets"].items()}
    dashboards = {name: _dashboard(name, given, datasets) for name, given in raw["dashboards"].items()}
    spec = Spec(datasets, dashboards)
    wrong = [*_unknown_in_marts(spec, marts), *_unknown_in_datasets(spec)]
    if wrong:
        raise OperatorError(
            f"{path}: {'; '.join(wrong)}. Nothing was made. Mend the names there, or the models' contracts."
        )
    return spec


def read_marts(dbt_project: Path) -> Marts:
    """Return what the contracts of the models in ``models/marts`` promise, by relation and column."""
    found: dict[str, dict[str, Described]] = {}
    for path in sorted((dbt_project / "models" / "marts").glob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            found[f"mart.{model['name'].removeprefix('mart_')}"] = {
                column["name"]: Described(column["data_type"], " ".join(column["description"].split()))
                for column in model["columns"]
            }
    return found


def _dataset(name: str, given: Mapping[str, Any]) -> Dataset:
    columns = {column: f"mart.{relation}" for relation, names in given["columns"].items() for column in names}
    metrics = {key: Metric(key, one["sql"], one["shown"]) for key, one in given.get("metrics", {}).items()}
    return Dataset(name, given["about"], given["from"], given.get("joins", {}), columns, metrics)


def _dashboard(name: str, given: Mapping[str, Any], datasets: Mapping[str, Dataset]) -> Dashboard:
    charts = tuple(_chart(key, one, datasets) for key, one in given["charts"].items())
    filters = tuple(_pair(one) for one in given["filters"])
    return Dashboard(name, given["title"], given["about"], filters, charts)


def _pair(text: str) -> tuple[str, str]:
    dataset, _, column = text.partition(".")
    return dataset, column


def _chart(name: str, given: Mapping[str, Any], datasets: Mapping[str, Dataset]) -> Chart:
    return Chart(
        name=name,
        title=given["title"],
        dataset=datasets[given["dataset"]],
        kind=given["kind"],
        columns=tuple(given.get("columns", ())),
        rows=tuple(given.get("rows", ())),
        by=tuple(given.get("by", ())),
        metrics=tuple(given.get("metrics", ())),
        where=tuple((column, operator, value) for column, operator, value in given.get("where", ())),
        order=tuple((column, direction) for column, direction in given.get("order", ())),
        same_as=given["same_as"],
    )


def _unknown_in_marts(spec: Spec, marts: Marts) -> list[str]:
    wrong = []
    for dataset in spec.datasets.values():
        named = [(relation, column) for column, relation in dataset.columns.items()]
        named += [(place, key) for relation, key in dataset.joins.items() for place in (relation, dataset.relation)]
        wrong += [
            f"{dataset.name}: {relation} has no {name}"
            for relation, name in named
            if name not in marts.get(relation, {})
        ]
        outside = sorted(set(dataset.columns.values()) - set(dataset.relations))
        wrong += [f"{dataset.name}: {relation} is not joined" for relation in outside]
    return wrong


def _unknown_in_datasets(spec: Spec) -> list[str]:
    wrong = []
    for chart in spec.charts.values():
        own = chart.dataset
        columns = [*chart.columns, *chart.rows, *chart.by, *(one[0] for one in (*chart.where, *chart.order))]
        wrong += [f"{chart.name}: {own.name} has no column {name}" for name in columns if name not in own.columns]
        wrong += [f"{chart.name}: {own.name} has no metric {name}" for name in chart.metrics if name not in own.metrics]
        wrong += [f"{chart.name}: the kind is {chart.kind}, expected one of {KINDS}"] if chart.kind not in KINDS else []
    for dashboard in spec.dashboards.values():
        wrong += [
            f"{dashboard.name}: {name}.{column} is no column to filter by"
            for name, column in dashboard.filters
            if name not in spec.datasets or column not in spec.datasets[name].columns
        ]
    return wrong
