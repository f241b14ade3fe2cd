"""Answers on the screen: the state of the services and of the returns, and the rows of a query."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import psycopg2
from rich.console import Console
from rich.table import Table

from quarterday import services
from quarterday.errors import OperatorError
from quarterday.settings import Settings, database_url

STATES = """
select form, state, count(*) as returns, max(state_at)::timestamp(0) as latest_utc
from ledger.load_state
group by form, state
order by form nulls first, min(state_at)
"""
RELEASES = """
select release_id, published_at::timestamp(0) as published_utc, load_count as returns, reason
from ledger.release
order by release_id desc
limit 5
"""


def show_status(settings: Settings) -> bool:
    """Print what runs, the returns by form and state, and the last releases; return whether all runs."""
    console = Console()
    running = services.status(settings)
    console.print(as_table("Services", ["service", "state"], _service_rows(running)))
    if running["postgres"]:
        for title, statement in (("Returns", STATES), ("Last releases", RELEASES)):
            columns, rows = fetch(statement, settings, "loader")
            console.print(as_table(title, columns, rows) if rows else f"{title}: none yet")
    if running["api-server"]:
        console.print(f"Airflow: {services.airflow_url(settings)}   passwords: {services.login_file(settings)}")
    return all(running.values())


def show_query(statement: str, settings: Settings, form: str) -> None:
    """Print the rows of a statement as a ``table``, ``csv`` or ``json``.

    Raises:
        OperatorError: The statement is wrong, or asks for what the reader may not see.
    """
    columns, rows = fetch(statement, settings, "reader")
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([columns, *rows])
    elif form == "json":
        json.dump([dict(zip(columns, row, strict=True)) for row in rows], sys.stdout, default=str, indent=1)
        print()
    else:
        console = Console()
        console.print(as_table(None, columns, rows))
        console.print(f"{len(rows)} row{'' if len(rows) == 1 else 's'}")


def fetch(statement: str, settings: Settings, role: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and rows of a statement, run read-only as a role.

    Raises:
        OperatorError: The statement fails; the message is the server's.
    """
    url = database_url(settings, role)
    try:
        connection = psycopg2.connect(url, options="-c default_transaction_read_only=on -c timezone=UTC")
    except psycopg2.OperationalError as error:
        raise OperatorError(f"The database does not answer: {str(error).strip()}. Run 'quarterday up'.") from None
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            if cursor.description is None:
                raise OperatorError("That statement gives no rows. Ask with select.")
            return [column.name for column in cursor.description], cursor.fetchall()
    except psycopg2.Error as error:
        raise OperatorError(f"The database refused: {(error.pgerror or str(error)).strip()}") from None
    finally:
        connection.close()


def as_table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return rows as a table; numbers stand to the right, a null is left blank."""
    kept = [list(row) for row in rows]
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for position, column in enumerate(columns):
        values = [row[position] for row in kept if row[position] is not None]
        is_number = bool(values) and all(_is_number(value) for value in values)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in kept:
        table.add_row(*("" if value is None else _plain(value) for value in row))
    return table


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _plain(value: Any) -> str:
    """Return a value as text that Rich takes as it is: a partner's square bracket is no mark-up."""
    return str(value).replace("[", r"\[")


def _service_rows(running: dict[str, bool]) -> list[tuple[str, str]]:
    return [(name, "running" if is_up else "stopped") for name, is_up in running.items()]
