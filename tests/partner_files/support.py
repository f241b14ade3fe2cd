"""Real files from inbox to verdict, in a warehouse of their own, and what came of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from psycopg2 import sql

from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.conftest import database_named, run_on_server, session_settings
from tests.path_support import put_into_inbox, take_in


@contextmanager
def warehouse(name: str, template: str, home: Path) -> Iterator[Settings]:
    """A migrated warehouse with its own inbox, dropped at the end."""
    database = f"quarterday_test_{os.getpid()}_{name}"
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(database), sql.Identifier(template)))
    yield replace(
        session_settings(),
        home=home,
        inbox=home / "inbox",
        archive=home / "archive",
        receipts=home / "receipts",
        server_url=database_named(database),
    )
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))


def send_files(files: Mapping[Path, str], settings: Settings) -> None:
    """Send each file as its partner and take all in, in the order given."""
    for path, partner in files.items():
        put_into_inbox(path, partner, settings)
        take_in(settings)


def asked(query: str, settings: Settings) -> list[tuple[Any, ...]]:
    """Return a query's rows as tuples, asked as the loader."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def answer(query: str, settings: Settings) -> Any:
    """Return the one value that a query gives."""
    ((value,),) = asked(query, settings)
    return value


def verdicts(settings: Settings) -> dict[str, tuple[str, int, int]]:
    """Return verdict, lines and lines set aside by file name."""
    rows = asked("select file_name, verdict, line_count, quarantined_line_count from ledger.load_state", settings)
    return {name: (verdict, lines, aside) for name, verdict, lines, aside in rows}


def issues(settings: Settings) -> list[tuple[Any, ...]]:
    """Return what was found, in order: check, action, sheet, line, column, found."""
    return asked(
        """select check_id, action, sheet, line_number, column_name, found from ledger.line_issue
        order by check_id, sheet, line_number""",
        settings,
    )
