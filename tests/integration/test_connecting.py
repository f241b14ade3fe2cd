"""A newcomer's connection, as README and how-to say it: psql and ODBC get the outcomes table, and write nothing."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from quarterday import showing
from quarterday.settings import Settings, database_url, secret

PROJECT = Path(__file__).parents[2]
HOW_TO = PROJECT / "docs" / "how-to"
DRIVER = "PostgreSQL Unicode"
OUTCOMES = "select * from mart.rpt_outcome_against_baseline order by measure_code, area_code, column_sort, column_type"
KINDS = {"text": str, "numeric": Decimal, "integer": int, "bigint": int, "boolean": bool, "date": date}


def as_reader(statement: str, settings: Settings) -> list[tuple[Any, ...]]:
    """Return the rows that the reader gets by the library that we use ourselves."""
    connection = psycopg2.connect(database_url(settings, "reader"))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def blocks_of(document: Path, language: str) -> list[str]:
    """Return the blocks of a document in a language, as they stand there."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def test_the_readmes_psql_commands_get_the_outcomes_table(demo: Settings, tmp_path: Path) -> None:
    """They are run as they stand, in a checkout's folder, with the place that ``quarterday status`` prints."""
    if shutil.which("psql") is None:
        pytest.skip("needs psql (Debian's postgresql-client)")
    [commands] = [block for block in blocks_of(PROJECT / "README.md", "sh") if "psql" in block]
    assert commands in blocks_of(HOW_TO / "connect-psql.md", "sh")
    place = dict(showing._addresses(demo, {"postgres": True, "api-server": False}))["BI tools"].partition("   ")[0]
    said = "host=127.0.0.1 port=PORT dbname=quarterday user=quarterday_reader"
    assert said in commands and [word.partition("=")[0] for word in place.split()] == ["host", "port", "dbname", "user"]
    (tmp_path / ".quarterday").mkdir()
    (tmp_path / ".quarterday" / "secrets").symlink_to(demo.secrets)
    (tmp_path / "psqlrc").write_text("\\set QUIET on\n\\pset format csv\n\\pset pager off\n")
    got = subprocess.run(
        ["sh", "-c", commands.replace(said, place)],
        env={"PATH": os.environ["PATH"], "PSQLRC": str(tmp_path / "psqlrc")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = list(csv.reader(io.StringIO(got.stdout)))
    statement = re.findall(r'--command "([^"]+)"', commands)[0]
    expected = [[_as_csv(value) for value in row] for row in as_reader(statement, demo)]
    assert sorted(rows[1:]) == sorted(expected)  # the README's own query has no order
    assert len(rows) > 20


def _as_csv(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)


@pytest.fixture(scope="module")
def written(demo: Settings) -> str:
    """The connection string that docs/how-to/connect-odbc.md gives, with the place and password of this warehouse."""
    pyodbc = pytest.importorskip("pyodbc", reason="needs pyodbc, and unixODBC, which it stands on")
    if DRIVER not in pyodbc.drivers():
        pytest.skip(f"needs the ODBC driver '{DRIVER}' (Debian's unixodbc and odbc-postgresql)")
    line = re.search(r"^DRIVER=.*$", (HOW_TO / "connect-odbc.md").read_text(), re.MULTILINE)
    assert line, "docs/how-to/connect-odbc.md has no connection string"
    address = urlsplit(database_url(demo, "reader"))
    string = line[0]
    for said, meant in (
        ("SERVER=127.0.0.1", f"SERVER={address.hostname}"),
        ("PORT=PORT", f"PORT={address.port}"),
        ("DATABASE=quarterday", f"DATABASE={address.path.lstrip('/')}"),
        ("PWD=PASSWORD", f"PWD={secret(demo, 'reader_password')}"),
    ):
        assert said in string
        string = string.replace(said, meant)
    return string


@pytest.fixture(scope="module")
def odbc(written: str) -> Iterator[Any]:
    """A connection as it is written."""
    import pyodbc

    connection = pyodbc.connect(written, autocommit=True)
    yield connection
    connection.close()


def test_odbc_gets_the_outcomes_table(odbc: Any, demo: Settings) -> None:
    [statement] = blocks_of(HOW_TO / "connect-odbc.md", "sql")
    assert OUTCOMES.startswith(statement.strip())
    rows = [tuple(row) for row in odbc.cursor().execute(OUTCOMES).fetchall()]
    assert len(rows) > 20
    assert rows == as_reader(OUTCOMES, demo)


@pytest.mark.parametrize("relation", ["rpt_outcome_against_baseline", "fct_outcome", "fct_return", "dim_period"])
def test_odbc_gives_every_column_its_type(odbc: Any, demo: Settings, relation: str) -> None:
    statement = f"""select column_name, data_type from information_schema.columns
        where table_schema = 'mart' and table_name = '{relation}' order by ordinal_position"""
    promised = {name: KINDS.get(kind) for name, kind in as_reader(statement, demo)}
    assert promised
    told = {column[0]: column[1] for column in odbc.cursor().execute(f"select * from mart.{relation}").description}
    assert {name: told[name] for name, kind in promised.items() if kind} == {
        name: kind for name, kind in promised.items() if kind
    }


def test_odbc_lists_relations_and_columns_for_tools_to_choose_from(odbc: Any) -> None:
    import pyodbc

    listed = {(row.table_schem, row.table_name) for row in odbc.cursor().tables(schema="mart")}
    assert ("mart", "rpt_outcome_against_baseline") in listed
    columns = {row.column_name: row.data_type for row in odbc.cursor().columns(table="fct_outcome", schema="mart")}
    # The type of value in the database is a domain that refuses sums; tools are told that it is a number.
    assert columns["value"] == columns["additive_value"] == pyodbc.SQL_NUMERIC
    assert columns["available_on"] == pyodbc.SQL_TYPE_DATE
    assert columns["is_target_met"] == pyodbc.SQL_BIT
    assert columns["lag_state"] == pyodbc.SQL_WVARCHAR  # a text, no memo


def test_odbc_finds_names_without_a_schema_in_mart(odbc: Any) -> None:
    assert odbc.cursor().execute("select count(*) from dim_area").fetchval() > 0


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("create table mart.mine (x int)", "permission denied for schema mart"),
        ("delete from core.areas", "permission denied for schema core"),
        ("insert into ledger.load (load_id) values (1)", "permission denied for schema ledger"),
    ],
)
def test_odbc_writes_nothing_though_driver_and_session_would(written: str, statement: str, answer: str) -> None:
    import pyodbc

    connection = pyodbc.connect(written.replace("ReadOnly=1", "ReadOnly=0"), autocommit=True)
    try:
        cursor = connection.cursor()
        cursor.execute("set default_transaction_read_only = off")
        with pytest.raises(pyodbc.Error, match=answer):
            cursor.execute(statement)
    finally:
        connection.close()


def test_odbc_as_written_does_not_even_ask_to_write(odbc: Any) -> None:
    import pyodbc

    with pytest.raises(pyodbc.Error, match="readonly"):
        odbc.cursor().execute("create table mart.mine (x int)")


def test_odbc_is_refused_the_sum_of_values(odbc: Any) -> None:
    import pyodbc

    with pytest.raises(pyodbc.Error, match="These figures were not added up"):
        odbc.cursor().execute("select sum(value) from mart.fct_outcome").fetchall()
