"""The public tables: which columns they have, what these mean, and what the database is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

Row = dict[str, Any]
Rows = dict[str, list[Row]]
CONFIDENTIAL = "[c]"
# How a missing figure is written; the Government Analysis Function's shorthand.
SHORTHAND = {"c": CONFIDENTIAL, "low": "[low]", "z": "[z]", "w": "[w]"}
NOT_AVAILABLE = "[x]"


@dataclass(frozen=True)
class Column:
    """A public column: its name, CSVW datatype and meaning."""

    name: str
    datatype: str
    description: str


@dataclass(frozen=True)
class Table:
    """A public table. Each of its ``figures`` has a column ``<figure>_shorthand`` behind it."""

    name: str
    title: str
    description: str
    key: tuple[str, ...]
    figures: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def query(self) -> str:
        """The select on the marts that gives its rows, with more columns than are published."""
        return (resources.files("quarterday.opendata") / "sql" / f"{self.name}.sql").read_text(encoding="utf-8")


@cache
def public_tables() -> Mapping[str, Table]:
    """Return the public tables by name, in their order."""
    text = (resources.files("quarterday.opendata") / "tables.yml").read_text(encoding="utf-8")
    return {name: _table(name, entry) for name, entry in yaml.safe_load(text).items()}


def _table(name: str, entry: dict[str, Any]) -> Table:
    columns = []
    for column, (datatype, description) in entry["columns"].items():
        columns.append(Column(column, datatype, description))
        if column in entry["figures"]:
            meaning = f"Why {column} is empty: [c] confidential, [x] not available, [z] not applicable, [low], [w] none"
            columns.append(Column(f"{column}_shorthand", "string", meaning))
    return Table(
        name, entry["title"], entry["description"], tuple(entry["key"]), tuple(entry["figures"]), tuple(columns)
    )


def public_row(table: Table, row: Row) -> Row:
    """Return a row as it is published: its columns alone, each figure with its shorthand."""
    shown = {column.name: row.get(column.name) for column in table.columns}
    for figure in table.figures:
        shown[f"{figure}_shorthand"] = row.get(f"{figure}_shorthand") or _shorthand(table, figure, row)
    return shown


def _shorthand(table: Table, figure: str, row: Row) -> str | None:
    """Return why a figure is not there; None where it is, or where there need not be one."""
    if row[figure] is not None or figure != "value":
        return None
    return SHORTHAND.get(row.get("value_flag") or "", _of_state(row.get("lag_state")))


def _of_state(state: str | None) -> str:
    states = {"not_commissioned": "[z]", "nil": "[w]", "suppressed": CONFIDENTIAL}
    return states.get(state or "", NOT_AVAILABLE)
