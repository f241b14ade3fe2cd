"""The reader's rights, which hold whatever a session sets: its settings are only defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from quarterday import warehouse
from quarterday.settings import Settings, database_url
from tests.conftest import database_named, run_on_server, session_settings

WRITES = (
    "select lo_create(0)",
    "select lo_creat(-1)",
    "select lo_from_bytea(0, 'filling'::bytea)",
    "select lo_put(1, 0, 'filling'::bytea)",
    "select lowrite(0, 'filling'::bytea)",
    "select lo_unlink(1)",
    "select lo_import('/etc/hostname')",
    "select pg_logical_emit_message(false, 'filling', 'the log of changes')",
    "create temporary table mine (x int)",
    "create table mart.mine (x int)",
    "create table public.mine (x int)",
    "create schema mine",
    "delete from mart.dim_period",
    "insert into ledger.load (load_id) values (1)",
    "copy (select 1) to program 'cat'",
)


@pytest.fixture(scope="module")
def bold(template: str) -> Iterator[Connection]:
    """A session of the reader that has set away its defaults."""
    name = sql.Identifier(f"{template}_reader")
    run_on_server(sql.SQL("create database {} template {}").format(name, sql.Identifier(template)))
    settings: Settings = replace(session_settings(), server_url=database_named(f"{template}_reader"))
    warehouse.migrate(settings)  # rights on a database are not copied with it
    with warehouse.connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("create table core.periods as select 1 as period_key")
        cursor.execute("create view mart.dim_period as select * from core.periods")
        cursor.execute("grant select on mart.dim_period to quarterday_reader")
    connection = psycopg2.connect(database_url(settings, "reader"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("set default_transaction_read_only = off")
        cursor.execute("set statement_timeout = 0")
    yield connection
    connection.close()
    run_on_server(sql.SQL("drop database {} with (force)").format(name))


@pytest.mark.parametrize("statement", WRITES)
def test_the_reader_writes_nothing_when_its_session_is_no_longer_read_only(bold: Connection, statement: str) -> None:
    with bold.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)


def test_the_reader_still_reads_when_its_session_is_no_longer_read_only(bold: Connection) -> None:
    with bold.cursor() as cursor:
        cursor.execute("show transaction_read_only")
        assert cursor.fetchone() == ("off",)
        cursor.execute("select * from mart.dim_period")
        assert cursor.fetchall() == [(1,)]
