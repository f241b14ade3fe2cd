"""For tests of checks: a small form of each family, lines put straight into landing, and what the ledger then says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg2
import pytest
import yaml
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from quarterday import generating
from quarterday.contracts import Form, load_form
from tests.conftest import database_named, run_on_server

VISITS = [
    {"name": "visit_number", "businessName": "Visit", "logicalType": "integer", "required": True, "key": 1},
    {"name": "visited_on", "businessName": "Date of visit", "logicalType": "date", "required": True},
    {"name": "visitor", "businessName": "Visitor", "logicalType": "string", "required": True, "personal": True},
    {"name": "detainees", "businessName": "Detainees seen", "logicalType": "integer", "minimum": 0, "maximum": 40},
    {"name": "station", "businessName": "Station", "logicalType": "string", "values": ["Burton", "Cannock"]},
    {"name": "report", "businessName": "Report", "logicalType": "string", "pattern": "^R[0-9]{3}$"},
    {"name": "was_told", "businessName": "Announced", "logicalType": "boolean"},
]
GOOD_VISIT = {
    "visit_number": "1",
    "visited_on": "2017-10-04",
    "visitor": "A. Person",
    "detainees": "3",
    "station": "Burton",
    "report": "R001",
    "was_told": "no",
}
CALLS = [
    {"name": "measure_code", "businessName": "Measure", "logicalType": "string", "required": True, "values": ["calls"]},
    {"name": "breakdown_code", "businessName": "Kind", "logicalType": "string", "values": ["all", "urgent"]},
    {"name": "area_code", "businessName": "Area", "logicalType": "string", "required": True, "values": ["pcc_area"]},
    {"name": "value", "businessName": "Value", "logicalType": "number", "required": True, "minimum": 0, "maximum": 900},
]
GOOD_CALL = {
    "sheet": "Q3",
    "column_number": 2,
    "column_name": "Calls | Urgent",
    "measure_label": "Calls",
    "measure_code": "calls",
    "breakdown_label": "Urgent",
    "breakdown_code": "urgent",
    "area_label": "Force",
    "area_code": "pcc_area",
    "period_label": "Q3 2017/18",
    "period_type": "financial_quarter",
    "period_start": "2017-10-01",
    "period_end": "2017-12-31",
    "value": "12",
}


@pytest.fixture(scope="session")
def scratch_url(template: str) -> Iterator[str]:
    """A migrated warehouse in which nothing is ever committed, so that many tests can share it."""
    name = f"{template}_scratch"
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    yield database_named(name)
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def connection(scratch_url: str) -> Iterator[Connection]:
    """An open transaction of the owner, rolled back at the end."""
    opened = psycopg2.connect(scratch_url)
    yield opened
    opened.close()


def make_register(folder: Path, connection: Connection, limit: float = 0) -> Form:
    """Write and deploy the register form ``visits`` (prefix VIS)."""
    layout = {"columns": {column["businessName"]: column["name"] for column in VISITS}}
    return _make("visits", "register", "VIS", VISITS, layout, limit, folder, connection)


def make_indicator(folder: Path, connection: Connection, limit: float = 0) -> Form:
    """Write and deploy the indicator form ``calls`` (prefix CAL)."""
    layout = {
        "columns": {"Measure": "measure", "Area": "area", "Period": "period"},
        "wide": [{"heading": "Urgent", "breakdown": "urgent"}],
    }
    return _make("calls", "indicator", "CAL", CALLS, layout, limit, folder, connection)


def new_load(form: Form, connection: Connection, quarter: str = "2017-18-Q3", issued: str = "2018-01-20") -> int:
    """Register a load of a form; return its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.load (file_sha256, file_name, file_bytes, archive_path, partner_code, form, edition,
            reporting_quarter, issued_on) values (%s, %s, 1, 'x', %s, %s, '1', %s, %s) returning load_id""",
            (token_hex(32), f"{form.name}.csv", form.contract.partners[0], form.name, quarter, issued),
        )
        return int(cursor.fetchone()[0])


def land(form: Form, lines: list[Mapping[str, Any]], connection: Connection, **load: str) -> int:
    """Register a load and land its lines, numbered from 2 unless they say otherwise; return the load's id."""
    load_id = new_load(form, connection, **load)
    names = generating.landing_columns(form)
    rows = [
        (load_id, *({"line_number": place, **line}.get(name) for name in names)) for place, line in enumerate(lines, 2)
    ]
    columns = ", ".join(f'"{name}"' for name in ("load_id", *names))
    with connection.cursor() as cursor:
        if rows:
            execute_values(cursor, f'insert into landing."{form.name}" ({columns}) values %s', rows)
    return load_id


def rows_of(table: str, load_id: int, connection: Connection) -> list[dict[str, Any]]:
    """Return a load's rows of a ledger table as dicts, in order of all columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"select * from ledger.{table} where load_id = %s order by 1, 2, 3, 4", (load_id,))
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _make(
    name: str,
    family: str,
    prefix: str,
    columns: list[dict[str, Any]],
    layout: dict[str, Any],
    limit: float,
    folder: Path,
    connection: Connection,
) -> Form:
    place = folder / "returns" / name
    place.mkdir(parents=True)
    (place / "contract.odcs.yaml").write_text(yaml.safe_dump(_contract(name, family, prefix, columns, limit)))
    (place / "layout.yml").write_text(yaml.safe_dump(_layout(name, layout)))
    form = load_form(place)
    generating.deploy(connection, {name: form})
    return form


def _contract(name: str, family: str, prefix: str, columns: list[dict[str, Any]], limit: float) -> dict[str, Any]:
    custom = {
        "family": family,
        "checkPrefix": prefix,
        "partners": ["icv_scheme"],
        "cadence": "financial_quarter",
        "dueWorkingDays": 20,
        "contractStart": "2015-04-01",
        "quarantineLimit": limit,
    }
    table = {
        "name": name,
        "description": "Grain: one line each.",
        "properties": [_property(column) for column in columns],
    }
    properties = [{"property": key, "value": value} for key, value in custom.items()]
    return {"name": name, "version": "1.2.0", "schema": [table], "customProperties": properties}


def _property(column: dict[str, Any]) -> dict[str, Any]:
    kept = {key: column[key] for key in ("name", "businessName", "logicalType", "required") if key in column}
    if "key" in column:
        kept |= {"primaryKey": True, "primaryKeyPosition": column["key"]}
    if "values" in column:
        kept["quality"] = [{"metric": "invalidValues", "arguments": {"validValues": column["values"]}}]
    if "personal" in column:
        kept["customProperties"] = [{"property": "personal", "value": True}]
    options = {key: column[key] for key in ("minimum", "maximum", "pattern") if key in column}
    return kept | ({"logicalTypeOptions": options} if options else {})


def _layout(name: str, edition: dict[str, Any]) -> dict[str, Any]:
    return {
        "file_names": [f"{name}*.csv"],
        "example": f"{name}-2017-18-Q3.csv",
        "quarter": {"from": "file_name", "pattern": r"(?P<quarter>\d{4}-\d{2}-Q[1-4])"},
        "marks": {"n/a": "x"},
        "editions": [{"name": "1", **edition}],
    }
