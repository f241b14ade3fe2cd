"""The commands ``quarterday reader ...``, who may log in and read, and ``relations``, what joins what there."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import typer

from quarterday.errors import OperatorError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from quarterday.readers import Reader
    from quarterday.settings import Settings
    from quarterday.showing import RowFormat

Name = Annotated[str, typer.Argument(help="The login's name, as powerbi; it logs in as quarterday_powerbi.")]
By = Annotated[str, typer.Option("--by", help="Who says so; else the user of this machine.", show_default=False)]

commands = typer.Typer(no_args_is_help=True, help="Who may log in and read: BI tools, and partners their own figures.")


def add_to(app: typer.Typer) -> None:
    """Give the application the commands."""
    app.add_typer(commands, name="reader")
    app.command()(relations)


@commands.command()
def add(
    name: Name,
    purpose: Annotated[
        Literal["bi"] | None, typer.Option("--for", help="A BI tool: all that is published.", show_default=False)
    ] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", "-p", help="A partner: its own figures alone.", show_default=False)
    ] = None,
    statement_timeout: Annotated[int, typer.Option(min=1, help="Seconds that a statement may take.")] = 300,
    idle_timeout: Annotated[int, typer.Option(min=1, help="Seconds that a transaction may stand idle.")] = 300,
    connections: Annotated[int, typer.Option(min=1, help="How many connections at once.")] = 16,
    by: By = "",
) -> None:
    """Make a login that reads. Its password is written to the secrets folder and shown nowhere.

    Examples:

    quarterday reader add powerbi --for bi

    quarterday reader add citizens --partner citizens_advice --connections 4
    """
    from quarterday import readers

    if (purpose is None) == (partner is None):
        raise OperatorError("Say whom the login is for: --for bi, or --partner CODE. Nothing was made.")
    limits = readers.Limits(statement_timeout, idle_timeout, connections)
    with _warehouse() as (cursor, settings):
        made = readers.add_reader(name, partner, limits, by or getpass.getuser(), cursor, settings)
    _tell(made, settings)


@commands.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False) -> None:
    """List the logins, whose figures they see, and what they may use.

    Example:  quarterday reader list
    """
    from quarterday import readers
    from quarterday.showing import show_rows

    with _warehouse() as (cursor, settings):
        found = readers.list_readers(cursor)
    rows = [
        (
            one.role,
            one.partner_code or "all that is published",
            one.limits.statement_seconds,
            one.limits.idle_seconds,
            one.limits.connections,
            f"{one.made_at:%Y-%m-%d} by {one.made_by}",
            settings.secrets / one.secret_name,
        )
        for one in found
    ]
    columns = ["login", "sees", "statement s", "idle s", "connections", "made", "password in"]
    show_rows(columns, rows, "json" if as_json else "table")


@commands.command()
def password(name: Name) -> None:
    """Give a login another password; whoever is connected stays.

    Example:  quarterday reader password powerbi
    """
    from quarterday import readers

    with _warehouse() as (cursor, settings):
        renewed = readers.renew_password(name, cursor, settings)
    _tell(renewed, settings)


@commands.command()
def drop(name: Name, by: By = "") -> None:
    """Take a login away. Who is connected with it reads nothing from then on.

    Example:  quarterday reader drop powerbi
    """
    from quarterday import readers

    with _warehouse() as (cursor, settings):
        dropped = readers.drop_reader(name, by or getpass.getuser(), cursor)
    readers.forget_password(dropped, settings)
    typer.echo(f"{dropped.role} is no more.")


def relations(
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
) -> None:
    """Print which column of which relation joins what, for BI tools that ask for the model.

    Example:  quarterday relations --csv > relations.csv
    """
    from dataclasses import asdict

    from quarterday.relations import read_relations
    from quarterday.settings import load_settings
    from quarterday.showing import show_rows

    if as_csv and as_json:
        raise OperatorError("Give --csv or --json, not both.")
    rows = [asdict(one) for one in read_relations(load_settings().dbt_project)]
    form: RowFormat = "csv" if as_csv else "json" if as_json else "table"
    show_rows(list(rows[0]), [list(row.values()) for row in rows], form)


@contextmanager
def _warehouse() -> Iterator[tuple[Cursor, Settings]]:
    from quarterday import warehouse
    from quarterday.settings import load_settings

    settings = load_settings()
    with warehouse.connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", (warehouse.MIGRATION_LOCK,))
        yield cursor, settings


def _tell(reader: Reader, settings: Settings) -> None:
    from quarterday.settings import server_address

    address = urlsplit(server_address(settings))
    sees = f"the figures of {reader.partner_code}" if reader.partner_code else "all that is published"
    typer.echo(f"Login      {reader.role}, which reads {sees}")
    typer.echo(f"Database   {address.path.lstrip('/')} at {address.hostname}, port {address.port or 5432}")
    typer.echo(f"Password   in {settings.secrets / reader.secret_name}")
