"""Writes the public tables as csv with CSVW metadata, as Parquet, and says what files a folder holds.

The same rows give the same bytes: rows are sorted by the table's key, numbers stand in their shortest form, and no file
holds the time at which it was made.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from quarterday.disclosing.figures import plain
from quarterday.opendata.tables import Column, Row, Table

METADATA = "csv-metadata.json"
MANIFEST = "release.json"
LICENCE = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
REFERENCES = {"measure_code": "measures", "area_code": "areas"}


@dataclass(frozen=True)
class Edition:
    """Which release the files are of: its number, when it was published, and why it was made."""

    release_id: int
    published_at: datetime
    reason: str
    publisher: str = "Office of the police and crime commissioner"

    @property
    def folder(self) -> str:
        """The place of the release below the folder of open data, for good."""
        return f"releases/{self.release_id:04d}"


def in_order(table: Table, rows: Sequence[Row]) -> list[Row]:
    """Return rows by the table's key; what is missing comes first."""
    return sorted(rows, key=lambda row: [(row[name] is not None, str(row[name] or "")) for name in table.key])


def written(value: Any) -> str:
    """Return a value as csv holds it: numbers in their shortest form, days as 2018-04-23, true and false."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def write_csv(table: Table, rows: Sequence[Row], path: Path) -> None:
    """Write a public table's rows as csv, UTF-8, in the order that they are given in."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.name for column in table.columns])
        writer.writerows([[written(row[column.name]) for column in table.columns] for row in rows])


def csvw_metadata(tables: Sequence[Table], edition: Edition) -> dict[str, Any]:
    """Return the W3C metadata of a folder's csv files: a table group."""
    names = {table.name for table in tables}
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": f"Release {edition.release_id} of {edition.published_at:%-d %B %Y}",
        "dc:identifier": edition.folder,
        "dc:issued": {"@value": edition.published_at.date().isoformat(), "@type": "xsd:date"},
        "dc:publisher": edition.publisher,
        "dc:license": {"@id": LICENCE},
        "tables": [_described(table, names) for table in tables],
    }


def _described(table: Table, names: set[str]) -> dict[str, Any]:
    keys = [
        {"columnReference": column, "reference": {"resource": f"{other}.csv", "columnReference": column}}
        for column, other in REFERENCES.items()
        if other in names and other != table.name and any(one.name == column for one in table.columns)
    ]
    schema: dict[str, Any] = {"columns": [_column(column, table) for column in table.columns]}
    schema["primaryKey"] = list(table.key)
    if keys:
        schema["foreignKeys"] = keys
    return {
        "url": f"{table.name}.csv",
        "dc:title": table.title,
        "dc:description": table.description,
        "dialect": {"lineTerminators": ["\r\n", "\n"]},
        "tableSchema": schema,
    }


def _column(column: Column, table: Table) -> dict[str, Any]:
    return {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.description,
        "datatype": column.datatype,
        "required": column.name in table.key and column.name not in _MAY_BE_EMPTY,
    }


# A key may hold what is not there: a return without a status.
_MAY_BE_EMPTY = {"status", "breakdown_code", "period_key", "partner_code", "area_code"}


def write_parquet(table: Table, rows: Sequence[Row], path: Path) -> None:
    """Write a public table's rows as Parquet; figures are decimals, exact to twelve places."""
    import pyarrow
    from pyarrow import parquet

    kinds = {
        "string": pyarrow.string(),
        "integer": pyarrow.int64(),
        "decimal": pyarrow.decimal128(38, 12),
        "boolean": pyarrow.bool_(),
        "date": pyarrow.date32(),
    }
    fields = [
        pyarrow.field(column.name, kinds[column.datatype], metadata={"description": column.description})
        for column in table.columns
    ]
    columns = [
        pyarrow.array([_exact(row[column.name]) for row in rows], type=kinds[column.datatype])
        for column in table.columns
    ]
    made = pyarrow.Table.from_arrays(columns, schema=pyarrow.schema(fields))
    parquet.write_table(made, path, compression="zstd", version="2.6")


def _exact(value: Any) -> Any:
    return value.quantize(Decimal(1).scaleb(-12)) if isinstance(value, Decimal) else value


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write an object as json that people can read, too."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return a file's hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
