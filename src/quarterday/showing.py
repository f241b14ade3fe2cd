"""Answers on the screen: the state of the services and of the returns, and the rows of a query."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import psycopg2
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table

from quarterday import services
from quarterday.errors import OperatorError
from quarterday.settings import Settings, database_url, server_address

if TYPE_CHECKING:
    from quarterday.operating.board import Asked

WHOLE_WORD = 16
RowFormat = Literal["table", "csv", "json"]
RELEASES = """
select release_id, published_at::timestamp(0) as published_utc, load_count as returns, reason
from ledger.release
order by release_id desc
limit 5
"""


def show_status(asked: Asked, settings: Settings) -> bool:
    """Print what runs, where the returns stand, and the last releases; return whether all runs.

    Of returns that are asked for each is printed, and nothing else.
    """
    from quarterday.operating.telling import show_board

    console = Console()
    running = services.status(settings)
    if asked.is_anything:
        show_board(asked, settings)
        return all(running.values())
    console.print(as_table("Services", ["service", "state"], _service_rows(running)))
    if running["postgres"]:
        console.print()
        show_board(asked, settings)
        columns, rows = fetch(RELEASES, settings, "loader")
        console.print()
        console.print(as_table("Last releases", columns, rows) if rows else "Last releases: none yet")
    console.print()
    for name, place in _addresses(settings, running):
        console.print(f"{name:10} {place}", markup=False, highlight=False, soft_wrap=True)
    return all(running.values())


def print_status(asked: Asked, settings: Settings) -> bool:
    """Print the same as one JSON object; return whether all runs."""
    from quarterday.operating.telling import board_as_json

    running = services.status(settings)
    told: dict[str, Any] = {"services": running}
    if running["postgres"]:
        columns, rows = fetch(RELEASES, settings, "loader")
        told |= {"board": board_as_json(asked, settings)}
        told |= {"releases": [dict(zip(columns, row, strict=True)) for row in rows]}
    json.dump(told, sys.stdout, default=in_json, indent=1)
    print()
    return all(running.values())


def _addresses(settings: Settings, running: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """Give where what runs can be reached, and the files with the passwords."""
    if running["api-server"]:
        yield "Airflow", f"{services.airflow_url(settings)}   logins: {services.login_file(settings)}"
    if running["postgres"]:
        parts = urlsplit(server_address(settings))
        place = f"host={parts.hostname} port={parts.port or 5432} dbname={parts.path.lstrip('/')}"
        yield "BI tools", f"{place} user=quarterday_reader   password: {settings.secrets / 'reader_password'}"


def show_query(statement: str, settings: Settings, form: RowFormat) -> None:
    """Print the rows of a statement.

    Raises:
        OperatorError: The statement is wrong, or asks for what the reader may not see.
    """
    show_rows(*fetch(statement, settings, "reader"), form)


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], form: RowFormat) -> None:
    """Print rows under their columns' names."""
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([columns, *rows])
    elif form == "json":
        json.dump([dict(zip(columns, row, strict=True)) for row in rows], sys.stdout, default=in_json, indent=1)
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
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="bold",
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for position, column in enumerate(columns):
        values = [row[position] for row in kept if row[position] is not None]
        is_number = bool(values) and all(_is_number(value) for value in values)
        # Columns of single words keep their width; those of several give way on a narrow screen.
        word = _longest_word([column, *values])
        is_word = word == max(len(str(value)) for value in [column, *values])
        align: JustifyMethod = "right" if is_number else "left"
        table.add_column(column, justify=align, overflow="fold", min_width=word, no_wrap=is_word)
    for row in kept:
        table.add_row(*("" if value is None else _plain(value) for value in row))
    return table


def in_json(value: Any) -> Any:
    """Return a value as JSON has it: numbers as numbers, all else that JSON doesn't know as text."""
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _longest_word(values: Iterable[Any]) -> int:
    """Return the length of the longest word that a narrow screen shall not break; longer ones, as paths, it may."""
    return max((len(word) for value in values for word in str(value).split() if len(word) <= WHOLE_WORD), default=1)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _plain(value: Any) -> str:
    """Return a value as text that Rich takes as it is: a partner's square bracket is no mark-up."""
    return str(value).replace("[", r"\[")


def _service_rows(running: dict[str, bool]) -> list[tuple[str, str]]:
    return [(name, "running" if is_up else "stopped") for name, is_up in running.items()]
