"""Superset's bundle against the marts; and, at full size, a real Superset that answers every chart as SQL does."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from quarterday.errors import OperatorError
from quarterday.settings import Settings, database_url, load_settings, secret
from quarterday.superset import running
from quarterday.superset.bundle import BUNDLE, FOLDER, dataset_sql, write_bundle
from quarterday.superset.spec import Chart, Dataset, Marts, Spec, read_marts, read_spec

SETTINGS = load_settings()
MARTS: Marts = read_marts(SETTINGS.dbt_project)
SPEC: Spec = read_spec(SETTINGS.project / FOLDER, MARTS)
FILES = {
    str(path.relative_to(SETTINGS.project / FOLDER / BUNDLE)): path.read_text(encoding="utf-8")
    for path in (SETTINGS.project / FOLDER / BUNDLE).rglob("*.yaml")
}
EXPOSURES = SETTINGS.dbt_project / "models" / "exposures.yml"
Rows = list[tuple[Any, ...]]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """Return the bundle's files of a folder by their uuid."""
    read = (yaml.safe_load(text) for name, text in FILES.items() if name.startswith(f"{kind}/"))
    return {one["uuid"]: one for one in read}


def ask(statement: str, settings: Settings) -> tuple[dict[str, str], Rows]:
    """Return the columns of a query with their types, and its rows, as the reader gets them."""
    connection = psycopg2.connect(database_url(settings, "reader"))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall()
            columns = [(column.name, column.type_code) for column in cursor.description or ()]
            cursor.execute(
                "select oid, oid::regtype::text from pg_type where oid = any(%s)", ([oid for _, oid in columns],)
            )
            types = dict(cursor.fetchall())
    finally:
        connection.close()
    return {name: types[oid] for name, oid in columns}, rows


def source_of(dataset: Dataset) -> str:
    return f"({dataset_sql(dataset)}) as dataset" if dataset.joins else dataset.relation


def test_the_bundle_is_what_the_dashboards_say() -> None:
    assert write_bundle(SPEC, MARTS) == FILES, "bi/superset/bundle is not what dashboards.yml says: run make forms"


@pytest.mark.parametrize("dataset", SPEC.datasets.values(), ids=lambda dataset: dataset.name)
def test_every_column_of_a_dataset_is_in_the_mart_with_its_type(dataset: Dataset, demo: Settings) -> None:
    types, _ = ask(f"select * from {source_of(dataset)} limit 0", demo)
    told = {column: MARTS[relation][column].data_type for column, relation in dataset.columns.items()}
    assert {name: types[name] for name in told} == told


JOINED = [dataset for dataset in SPEC.datasets.values() if dataset.joins]


@pytest.mark.parametrize("dataset", JOINED, ids=lambda dataset: dataset.name)
def test_joins_of_a_dataset_double_no_row(dataset: Dataset, demo: Settings) -> None:
    _, counted = ask(
        f"select (select count(*) from {source_of(dataset)}), (select count(*) from {dataset.relation})", demo
    )
    assert counted[0][0] == counted[0][1] > 0


@pytest.mark.parametrize("chart", SPEC.charts.values(), ids=lambda chart: chart.name)
def test_a_chart_shows_what_its_question_by_hand_gives(chart: Chart, demo: Settings) -> None:
    columns, rows = ask(chart.same_as, demo)
    assert tuple(columns) == chart.shown
    assert Counter(comparable(rows)) == Counter(comparable(ask(statement_of(chart), demo)[1]))


def statement_of(chart: Chart) -> str:
    """Return what Superset makes of a chart, as SQL."""
    own = chart.dataset
    grouped = [*chart.rows, *chart.by]
    shown = [*chart.columns, *grouped, *(f"{own.metrics[name].sql} as {name}" for name in chart.metrics)]
    conditions = [f"{column} {_operator(operator)} {_literal(value)}" for column, operator, value in chart.where]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"select {', '.join(shown)} from {source_of(own)}{where}" + (
        f" group by {', '.join(grouped)}" if grouped else ""
    )


def _operator(operator: str) -> str:
    return {"==": "=", "!=": "<>"}.get(operator, operator)


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(_literal, value))})"
    return repr(value)


def test_every_uuid_leads_to_a_file_of_the_bundle() -> None:
    databases, datasets, charts = (of_kind(kind) for kind in ("databases", "datasets", "charts"))
    dashboards = of_kind("dashboards")
    assert (len(databases), len(datasets)) == (1, len(SPEC.datasets))
    assert (len(charts), len(dashboards)) == (len(SPEC.charts), 4)
    assert {one["database_uuid"] for one in datasets.values()} == set(databases)
    assert {one["dataset_uuid"] for one in charts.values()} == set(datasets)
    placed = [
        place["meta"]["uuid"]
        for one in dashboards.values()
        for place in one["position"].values()
        if isinstance(place, dict) and place["type"] == "CHART"
    ]
    assert sorted(placed) == sorted(charts)


def test_every_filter_is_of_a_column_of_its_dataset() -> None:
    datasets = of_kind("datasets")
    for dashboard in of_kind("dashboards").values():
        for one in dashboard["metadata"]["native_filter_configuration"]:
            target = one["targets"][0]
            columns = {column["column_name"] for column in datasets[target["datasetUuid"]]["columns"]}
            assert target["column"]["name"] in columns


def test_a_name_that_the_marts_have_not_is_refused(tmp_path: Path) -> None:
    text = (SETTINGS.project / FOLDER / "dashboards.yml").read_text()
    changed = text.replace("dim_area: [area_name]", "dim_area: [area_name, gone]").replace(
        "metrics: [figure]", "metrics: [fig]"
    )
    (tmp_path / "dashboards.yml").write_text(changed)
    with pytest.raises(OperatorError, match=r"mart.dim_area has no gone; outcome_figures: .* has no metric fig"):
        read_spec(tmp_path, MARTS)


def test_no_password_and_no_address_stands_in_the_bundle() -> None:
    addresses = re.findall(r"postgresql\S*", "".join(FILES.values()))
    assert addresses == ["postgresql+psycopg2://quarterday_reader@127.0.0.1:5432/quarterday"]


def test_the_exposures_name_what_the_dashboards_read() -> None:
    told = {
        one["config"]["meta"]["dashboard"]: {_relation(name) for name in one["depends_on"]}
        for one in yaml.safe_load(EXPOSURES.read_text())["exposures"]
        if "dashboard" in one["config"]["meta"]
    }
    read = {
        name: {relation for chart in dashboard.charts for relation in chart.dataset.relations}
        for name, dashboard in SPEC.dashboards.items()
    }
    assert told == read


def _relation(reference: str) -> str:
    return f"mart.{reference.removeprefix('ref(').strip(chr(39) + ')').removeprefix('mart_')}"


def comparable(rows: Rows) -> list[tuple[Any, ...]]:
    """Return rows as they can be compared: numbers as such, to the sixth digit; days as text."""
    return [tuple(map(_comparable, row)) for row in rows]


def _comparable(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return round(float(value), 6)
    return value.isoformat() if isinstance(value, date) else value


class Api:
    """Superset's API, as its admin."""

    def __init__(self, address: str, password: str) -> None:
        self.address = address
        self.token = ""
        words = {"username": "admin", "password": password, "provider": "db", "refresh": False}
        self.token = self.call("/api/v1/security/login", words)["access_token"]

    def call(self, path: str, words: dict[str, Any] | None = None) -> dict[str, Any]:
        """Get a path, or post words to it, and return the answer."""
        body = json.dumps(words).encode() if words else None
        headers = {"Content-Type": "application/json"} if words else {}  # without a body it is a bad request
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(self.address + path, body, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return dict(json.load(answer))

    def listed(self, kind: str) -> dict[str, int]:
        """Return the numbers of charts, datasets or dashboards by their uuid."""
        found = self.call(f"/api/v1/{kind}/?q=(page_size:100)")["result"]
        return {self.call(f"/api/v1/{kind}/{one['id']}")["result"]["uuid"]: one["id"] for one in found}


@pytest.fixture(scope="module")
def superset(demo: Settings) -> Iterator[Api]:
    """A real Superset on the demonstration's warehouse, with the bundle in it, asked by its API."""
    environment = Path(os.environ.get("QUARTERDAY_SUPERSET_ENV") or running.environment_of(SETTINGS))
    if not (environment / "bin" / "superset").exists():
        pytest.skip(f"needs Superset in {environment}: scripts/superset installs it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUARTERDAY_SUPERSET_ENV", str(environment))
        with running.running(demo, running.Login()) as one:
            yield Api(one.address, secret(demo, running.ADMIN_PASSWORD))


@pytest.mark.long
@pytest.mark.parametrize("chart", SPEC.charts.values(), ids=lambda chart: chart.name)
def test_superset_answers_every_chart_as_sql_does(chart: Chart, superset: Api, demo: Settings) -> None:
    uuids = {one["slice_name"]: uuid for uuid, one in of_kind("charts").items()}
    number = superset.listed("chart")[uuids[chart.title]]
    got = superset.call(f"/api/v1/chart/{number}/data/")["result"][0]
    columns, rows = ask(chart.same_as, demo)
    answered = [tuple(_of_api(row[name], kind) for name, kind in columns.items()) for row in got["data"]]
    assert got["colnames"] == list(columns)
    assert bool(rows) == (chart.name != "outcome_signals")  # no quarter of the demonstration is a signal
    assert Counter(comparable(answered)) == Counter(comparable(rows))


def _of_api(value: Any, kind: str) -> Any:
    """Return a value as the database gives it: the API tells days as milliseconds since 1970."""
    if kind == "date" and isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC).date()
    return value


@pytest.mark.long
def test_superset_has_the_dashboards_and_importing_again_doubles_nothing(superset: Api, demo: Settings) -> None:
    kinds = {"dashboard": "dashboards", "chart": "charts", "dataset": "datasets"}
    login = running.Login()
    for _ in range(2):
        assert {kind: set(superset.listed(kind)) for kind in kinds} == {
            kind: set(of_kind(name)) for kind, name in kinds.items()
        }
        running.import_bundle(demo, login)


@pytest.mark.long
def test_superset_keeps_no_password_of_the_warehouse(superset: Api, demo: Settings) -> None:
    kept = (running.home_of(demo) / "superset.db").read_bytes()
    assert secret(demo, "reader_password").encode() not in kept
    assert superset.call("/api/v1/database/")["count"] == 1
