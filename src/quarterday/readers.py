"""Logins for who reads: one per BI tool and per partner, listed in ``ledger.reader_login`` and made as roles here.

A BI login sees all that is published. A partner's login sees the rows of its own returns, which the database enforces
by row security (``095_readers.sql``, ``guard_rows`` in the dbt project); of what mixes partners it sees nothing.
Every session begins read only, at *repeatable read*, in ``mart`` then ``history``, with time limits; these are defaults
that a session may change. What it may select, whose rows, and how many connections there may be it can't change.
Passwords are in the secrets folder, a file each; the server is only ever given what proves one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from quarterday.errors import OperatorError
from quarterday.server import login_statement
from quarterday.settings import Settings, new_secret, secret

BI_GROUP, PARTNER_GROUP = "quarterday_reader", "quarterday_partner"
NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
RESERVED = frozenset({"owner", "loader", "builder", "reader", "partner", "airflow"})
DEFAULTS = (
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", "repeatable read"),
)


@dataclass(frozen=True)
class Limits:
    """What a login may use: seconds a statement may take, seconds a transaction may idle, connections at once."""

    statement_seconds: int = 300
    idle_seconds: int = 300
    connections: int = 16


@dataclass(frozen=True)
class Reader:
    """A login: ``partner_code`` is None for a BI tool."""

    name: str
    partner_code: str | None
    limits: Limits
    made_at: datetime
    made_by: str

    @property
    def role(self) -> str:
        """The name to log in with."""
        return f"quarterday_{self.name}"

    @property
    def secret_name(self) -> str:
        """The file in the secrets folder that holds the password."""
        return f"login_{self.name}_password"


def list_readers(cursor: Cursor) -> list[Reader]:
    """Return the logins that there are, by name."""
    cursor.execute(
        """select name, partner_code, statement_seconds, idle_seconds, connection_limit, made_at, made_by
        from ledger.reader_login where dropped_at is null order by name"""
    )
    return [
        Reader(name, partner, Limits(statement, idle, connections), made_at, made_by)
        for name, partner, statement, idle, connections, made_at, made_by in cursor.fetchall()
    ]


def add_reader(
    name: str, partner_code: str | None, limits: Limits, made_by: str, cursor: Cursor, settings: Settings
) -> Reader:
    """Make a login. Committed by the caller.

    Args:
        name: Small letters, digits and underscores; the login is ``quarterday_<name>``.
        partner_code: Whose figures it may see; None for a BI tool.
        limits: What it may use.
        made_by: Who says so.
        cursor: The owner's.
        settings: Where its password is kept.

    Raises:
        OperatorError: The name can't be used or is in use, or there is no such partner. Nothing was made.
    """
    _refuse_name(name, cursor)
    _refuse_partner(partner_code, cursor)
    cursor.execute(
        """insert into ledger.reader_login
            (name, partner_code, statement_seconds, idle_seconds, connection_limit, made_by)
        values (%s, %s, %s, %s, %s, %s)""",
        (name, partner_code, limits.statement_seconds, limits.idle_seconds, limits.connections, made_by),
    )
    reader = find_reader(name, cursor)
    # Whoever held the password of an earlier login of this name, whose file was left behind, doesn't hold this one's.
    new_secret(settings, reader.secret_name)
    make_role(reader, cursor, settings)
    return reader


def find_reader(name: str, cursor: Cursor) -> Reader:
    """Return a login by its name.

    Raises:
        OperatorError: There is none.
    """
    found = {reader.name: reader for reader in list_readers(cursor)}
    if name not in found:
        names = ", ".join(found) or "none yet"
        raise OperatorError(f"There is no login '{name}'. There are: {names}. To make one: quarterday reader add")
    return found[name]


def renew_password(name: str, cursor: Cursor, settings: Settings) -> Reader:
    """Give a login another password. Sessions that are open stay. Committed by the caller.

    The file is written first: whoever is cut off before the server has it runs ``quarterday migrate`` or this again.
    """
    reader = find_reader(name, cursor)
    password = new_secret(settings, reader.secret_name)
    cursor.execute(login_statement(cursor.connection, "alter", reader.role, password))
    return reader


def drop_reader(name: str, dropped_by: str, cursor: Cursor) -> Reader:
    """Take a login away; sessions that are open lose their rights with the next statement. Committed by the caller.

    Its password's file stays until then: :func:`forget_password` takes it away once the login is gone for good.
    """
    reader = find_reader(name, cursor)
    cursor.execute(
        """update ledger.reader_login set dropped_at = clock_timestamp(), dropped_by = %s
        where name = %s and dropped_at is null""",
        (dropped_by, name),
    )
    if _exists(reader.role, cursor):
        _leave_groups(reader, cursor)
        _run("revoke connect on database {database} from {role}", reader, cursor)
        _run("alter role {role} nologin password null", reader, cursor)
        _drop_role(reader, cursor)
    return reader


def forget_password(reader: Reader, settings: Settings) -> None:
    """Take away the file of a dropped login's password, after the commit; safe to repeat."""
    (settings.secrets / reader.secret_name).unlink(missing_ok=True)


def make_roles(cursor: Cursor, settings: Settings) -> None:
    """Bring the roles of all logins up to the list: of a warehouse that was restored elsewhere none is there."""
    for reader in list_readers(cursor):
        make_role(reader, cursor, settings)


def make_role(reader: Reader, cursor: Cursor, settings: Settings) -> None:
    """Make a login's role, or bring it up to the list. Not committed here."""
    verb = "alter" if _exists(reader.role, cursor) else "create"
    cursor.execute(login_statement(cursor.connection, verb, reader.role, secret(settings, reader.secret_name)))
    _leave_groups(reader, cursor)
    group = PARTNER_GROUP if reader.partner_code else BI_GROUP
    # Inherited, but not to be taken on by `set role`: what the group may do, it does as itself.
    _run("grant {group} to {role} with inherit true, set false", reader, cursor, group)
    _run("grant connect on database {database} to {role}", reader, cursor)
    _pass_over_policies(reader, cursor)
    limits = reader.limits
    _run(f"alter role {{role}} connection limit {limits.connections}", reader, cursor)
    for setting, value in (
        *DEFAULTS,
        ("statement_timeout", f"{limits.statement_seconds}s"),
        ("idle_in_transaction_session_timeout", f"{limits.idle_seconds}s"),
    ):
        _run(f"alter role {{role}} set {setting} = '{value}'", reader, cursor)
    _run("alter role {role} set search_path = mart, history", reader, cursor)


def _pass_over_policies(reader: Reader, cursor: Cursor) -> None:
    """A BI login sees all rows, and needs no policy to be asked where the owner may say so; a partner's always."""
    cursor.execute(
        """select owner.rolsuper or owner.rolbypassrls, reader.rolbypassrls
        from pg_roles as owner, pg_roles as reader where owner.rolname = current_user and reader.rolname = %s""",
        (reader.role,),
    )
    ((may, does),) = cursor.fetchall()
    if may and does != (reader.partner_code is None):
        _run("alter role {role} " + ("nobypassrls" if reader.partner_code else "bypassrls"), reader, cursor)


def _leave_groups(reader: Reader, cursor: Cursor) -> None:
    cursor.execute(
        "select groups.rolname from pg_auth_members join pg_roles as groups on groups.oid = roleid"
        " join pg_roles as members on members.oid = member where members.rolname = %s",
        (reader.role,),
    )
    for (group,) in cursor.fetchall():
        _run("revoke {group} from {role}", reader, cursor, group)


def _drop_role(reader: Reader, cursor: Cursor) -> None:
    """Drop the role, unless something of another database on the server is in its name: then it can't log in."""
    cursor.execute("savepoint dropping")
    try:
        _run("drop role {role}", reader, cursor)
    except psycopg2.errors.DependentObjectsStillExist:
        cursor.execute("rollback to savepoint dropping")


def _run(statement: str, reader: Reader, cursor: Cursor, group: str = BI_GROUP) -> None:
    cursor.execute(
        sql.SQL(statement).format(
            role=sql.Identifier(reader.role),
            group=sql.Identifier(group),
            database=sql.Identifier(cursor.connection.get_dsn_parameters()["dbname"]),
        )
    )


def _exists(role: str, cursor: Cursor) -> bool:
    cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
    return cursor.fetchone() is not None


def _refuse_name(name: str, cursor: Cursor) -> None:
    if not NAME.fullmatch(name) or name in RESERVED:
        raise OperatorError(
            f"'{name}' can't be the name of a login: expected 2 to 40 small letters, digits and underscores, beginning "
            f"with a letter, and none of {', '.join(sorted(RESERVED))}. Nothing was made."
        )
    if name in {reader.name for reader in list_readers(cursor)}:
        raise OperatorError(
            f"There is a login '{name}' already. For another password: quarterday reader password {name}"
        )
    cursor.execute("select rolcanlogin from pg_roles where rolname = %s", (f"quarterday_{name}",))
    if cursor.fetchone() == (True,):  # ours, dropped while another database knew it, can't log in
        raise OperatorError(
            f"The server has a role quarterday_{name} that this warehouse did not make. "
            "Nothing was made. Take another name."
        )


def _refuse_partner(partner_code: str | None, cursor: Cursor) -> None:
    if partner_code is None:
        return
    cursor.execute("select partner_code from ledger.partner order by partner_code")
    codes: Sequence[str] = [code for (code,) in cursor.fetchall()]
    if partner_code not in codes:
        raise OperatorError(f"There is no partner '{partner_code}'. Nothing was made. Partners: {', '.join(codes)}.")
