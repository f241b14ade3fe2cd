"""The warehouse's own ground: roles, schemas, the ledger, and the landing tables and typed views of every form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib import resources

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from quarterday import generating, readers, server
from quarterday.calendar import FinancialQuarter, due_date, quarters_between
from quarterday.contracts import Contract, Form, load_forms
from quarterday.reference import write_reference
from quarterday.settings import Settings, database_url, secret

MIGRATION_LOCK = "quarterday.migrate"


@contextmanager
def connect(settings: Settings, role: str) -> Iterator[Connection]:
    """Open a connection as one of the warehouse's roles; commit at the end, roll back on an error, and close.

    Args:
        role: One of ``quarterday.settings.ROLES``.
    """
    connection = psycopg2.connect(database_url(settings, role), application_name=f"quarterday {role}")
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def migrate(settings: Settings) -> None:
    """Bring roles, schemas, ledger, landing tables, typed views, partners and due dates up to the code. Safe to repeat.

    One transaction: a migration that fails leaves the warehouse as it was.
    """
    forms = load_forms(settings.returns)
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", (MIGRATION_LOCK,))
        cursor.execute("set local client_min_messages = warning")
        for name, text in migration_files():
            cursor.execute(text)
            if name == "000_roles.sql":
                _set_passwords(cursor, settings)
        readers.make_roles(cursor, settings)
        generating.deploy(connection, forms)
        write_reference(forms, settings.returns, cursor)
        _expect_returns(cursor, forms)


def migration_files() -> list[tuple[str, str]]:
    """Return the SQL files in the order in which they are applied, as (name, text)."""
    folder = resources.files("quarterday") / "sql"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [(entry.name, entry.read_text()) for entry in files]


def _set_passwords(cursor: psycopg2.extensions.cursor, settings: Settings) -> None:
    for role in ("loader", "builder", "reader"):
        password = secret(settings, f"{role}_password")
        cursor.execute(server.login_statement(cursor.connection, "alter", f"quarterday_{role}", password))
    database = cursor.connection.get_dsn_parameters()["dbname"]
    for statement in (
        "revoke all on database {} from public",
        "grant connect, temporary on database {} to quarterday_loader, quarterday_builder",
        "grant connect on database {} to quarterday_reader",
    ):
        cursor.execute(sql.SQL(statement).format(sql.Identifier(database)))


def _expect_returns(cursor: psycopg2.extensions.cursor, forms: dict[str, Form]) -> None:
    """Write the returns that the contracts make due; a changed due date is brought up to the contract."""
    rows = [row for form in forms.values() for row in expected_returns(form)]
    if rows:
        values = b",".join(cursor.mogrify("(%s, %s, %s, %s)", row) for row in rows).decode()
        cursor.execute(
            f"""insert into ledger.expected_return (form, partner_code, reporting_quarter, due_on) values {values}
            on conflict (form, partner_code, reporting_quarter) do update set due_on = excluded.due_on
            where expected_return.due_on <> excluded.due_on"""
        )


def expected_returns(form: Form) -> list[tuple[str, str, str, date]]:
    """Return (form, partner, quarter, due date) for every quarter in which the contract wants a return.

    A contract without a start date, or with cadence ``as_at`` or ``irregular``, makes nothing due.
    """
    contract = form.contract
    return [
        (contract.form, partner, str(quarter), due_on(quarter, contract))
        for quarter in expected_quarters(contract, FinancialQuarter.of(datetime.now(UTC).date()))
        for partner in contract.partners
    ]


def expected_quarters(contract: Contract, until: FinancialQuarter) -> list[FinancialQuarter]:
    """Return the quarters for which a contract wants a return, those after ``until`` left out unless it ends later."""
    if contract.contract_start is None:
        return []
    last = FinancialQuarter.of(contract.contract_end) if contract.contract_end else until
    return list(_quarters_of(contract.cadence, FinancialQuarter.of(contract.contract_start), last))


def due_on(quarter: FinancialQuarter, contract: Contract) -> date:
    """Return the day a quarter's return is due: the working days of the contract after the quarter and its lag end."""
    return due_date(quarter.shift(contract.lag_quarters).end, contract.due_working_days)


def _quarters_of(cadence: str, first: FinancialQuarter, last: FinancialQuarter) -> Iterator[FinancialQuarter]:
    wanted = {"financial_quarter": {1, 2, 3, 4}, "financial_year": {4}, "season": {2}}.get(cadence, set())
    return (quarter for quarter in quarters_between(first, last) if quarter.number in wanted)
