"""What joins what in ``mart`` and ``history``, read from the dbt project, for BI tools and for documents.

A dimension is a mart whose grain, as its test says, is one column: that column is its key. Whatever relation has a
column of that name joins it, as does one whose column ends in it (``baseline_period_key`` joins ``dim_period``). A name
means one thing everywhere, so nothing of this is written twice; a test holds each relation to the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDERS = {"marts": "mart", "history": "history"}
# What speaks of more than the dimension holds: every area ('*'), measures and periods that are only printed, and places
# in Wales, or in a warehouse that has no list of statistical areas.
MORE_THAN_THE_DIMENSION = {
    ("mart.dim_series_break", "area_code"),
    ("mart.fct_published_figure", "measure_code"),
    ("mart.fct_published_figure", "period_key"),
    ("mart.fct_recorded_crime", "lsoa_code"),
    ("history.fct_recorded_crime", "lsoa_code"),
}


@dataclass(frozen=True)
class Relation:
    """Many rows of ``from_relation`` to one of ``to_relation``; where the column is null there is none."""

    from_relation: str
    from_column: str
    to_relation: str
    to_column: str


def read_relations(dbt_project: Path) -> list[Relation]:
    """Return every relation of the marts and the history, by names."""
    described = dict(_described(dbt_project))
    keys = {key: name for name, model in described.items() if (key := _key(name, model))}
    return sorted(
        (
            Relation(name, column["name"], to_relation, key)
            for name, model in described.items()
            for column in model["columns"]
            for key, to_relation in keys.items()
            if to_relation != name
            and _joins(column["name"], key)
            and (name, column["name"]) not in MORE_THAN_THE_DIMENSION
        ),
        key=lambda one: (one.from_relation, one.from_column),
    )


def _described(dbt_project: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for folder, schema in FOLDERS.items():
        for path in sorted((dbt_project / "models" / folder).glob("*.yml")):
            for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
                yield f"{schema}.{model['name'].removeprefix(f'{schema}_')}", model


def _key(name: str, model: dict[str, Any]) -> str | None:
    """Return the one column that tells a dimension's rows apart; None for what is no dimension."""
    if not name.startswith(("mart.dim_", "mart.fct_published_figure")):
        return None
    grains = [
        test["unique_combination"]["arguments"]["columns"]
        for test in model["data_tests"]
        if isinstance(test, dict) and "unique_combination" in test
    ]
    return str(grains[0][0]) if len(grains) == 1 and len(grains[0]) == 1 else None


def _joins(column: str, key: str) -> bool:
    return column == key or column.endswith(f"_{key}")
