"""Writes ``bi/superset/bundle``: the dashboards as the files that Superset imports and exports, by ``make forms``.

Everything is told apart by a UUID made from its name, so that importing again replaces and never doubles.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from quarterday.settings import load_settings
from quarterday.superset.charts import chart_file
from quarterday.superset.naming import VERSION, named_uuid
from quarterday.superset.pages import dashboard_file
from quarterday.superset.spec import Dataset, Described, Marts, Spec, read_marts, read_spec

FOLDER = Path("bi", "superset")
BUNDLE = "bundle"
DATABASE = "Quarterday"
# Where the warehouse is, running.py says when it imports; a password stands in no file.
NOWHERE = "postgresql+psycopg2://quarterday_reader@127.0.0.1:5432/quarterday"


def write_bundle(spec: Spec, marts: Marts) -> dict[str, str]:
    """Return the text of every file of the bundle by its path in it."""
    files: dict[str, Mapping[str, Any]] = {
        # Superset asks for a time; what is in version control needs none.
        "metadata.yaml": {"version": VERSION, "type": "assets", "timestamp": "2000-01-01T00:00:00+00:00"},
        f"databases/{DATABASE}.yaml": _database(),
    }
    files |= {f"datasets/{DATABASE}/{one.name}.yaml": _dataset(one, marts) for one in spec.datasets.values()}
    files |= {f"charts/{chart.name}.yaml": chart_file(chart) for chart in spec.charts.values()}
    files |= {f"dashboards/{one.name}.yaml": dashboard_file(one, spec) for one in spec.dashboards.values()}
    return {path: _yaml(content) for path, content in files.items()}


def dataset_sql(dataset: Dataset) -> str | None:
    """Return the query of a dataset that joins; None for one that is a relation as it stands."""
    if not dataset.joins:
        return None
    own = _short(dataset.relation)
    columns = ",\n    ".join(f"{_short(relation)}.{name}" for name, relation in dataset.columns.items())
    joins = "\n".join(
        f"left join {relation} on {own}.{key} = {_short(relation)}.{key}" for relation, key in dataset.joins.items()
    )
    return f"select\n    {columns}\nfrom {dataset.relation}\n{joins}"


def _short(relation: str) -> str:
    return relation.partition(".")[2]


def _database() -> dict[str, Any]:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": NOWHERE,
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": {"allows_virtual_table_explore": True, "metadata_params": {}, "engine_params": {}},
        "uuid": named_uuid("database", DATABASE),
        "version": VERSION,
    }


def _dataset(dataset: Dataset, marts: Marts) -> dict[str, Any]:
    sql = dataset_sql(dataset)
    return {
        "table_name": dataset.name if sql else _short(dataset.relation),
        "main_dttm_col": None,
        "description": dataset.about,
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "catalog": None,
        "schema": "mart",
        "sql": sql,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": None,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "uuid": named_uuid("dataset", dataset.name),
        "metrics": [_metric(one.name, one.sql, one.shown) for one in dataset.metrics.values()],
        "columns": [_column(name, marts[relation][name]) for name, relation in dataset.columns.items()],
        "version": VERSION,
        "database_uuid": named_uuid("database", DATABASE),
    }


def _metric(name: str, sql: str, shown: str) -> dict[str, Any]:
    return {
        "metric_name": name,
        "verbose_name": shown,
        "metric_type": None,
        "expression": sql,
        "description": None,
        "d3format": None,
        "currency": None,
        "extra": None,
        "warning_text": None,
    }


def _column(name: str, described: Described) -> dict[str, Any]:
    return {
        "column_name": name,
        "verbose_name": name.replace("_", " ").capitalize(),
        "is_dttm": described.data_type.startswith(("date", "timestamp")),
        "is_active": True,
        "type": described.data_type.upper(),
        "advanced_data_type": None,
        "groupby": True,
        "filterable": True,
        "expression": None,
        "description": described.description,
        "python_date_format": None,
        "extra": None,
    }


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a block, so that people can read SQL in it."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(content: Mapping[str, Any]) -> str:
    return str(yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def main() -> None:
    """Write the bundle of the project, and take away files of what is no more."""
    settings = load_settings()
    folder = settings.project / FOLDER
    marts = read_marts(settings.dbt_project)
    files = write_bundle(read_spec(folder, marts), marts)
    for path in sorted((folder / BUNDLE).rglob("*.yaml")):
        if str(path.relative_to(folder / BUNDLE)) not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / BUNDLE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
