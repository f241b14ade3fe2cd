"""Logins of BI tools and partners: what each may see, and that nothing a session does gives it more.

On a copy of the demo's warehouse, with a login for each partner. What is looked at comes from the
catalogue, so that a relation added later is looked at too.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
import yaml
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from typer.testing import CliRunner

from quarterday import cli, readers
from quarterday.errors import OperatorError
from quarterday.settings import Settings, database_url, secret
from quarterday.warehouse import connect, migrate
from tests.conftest import PROJECT, run_on_server
from tests.integration.test_reader import WRITES
from tests.marts_support import copy_of

RULES = ("own", "all", "none")
VISIBLE = """
    select nspname || '.' || relname
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'v', 'm', 'p', 'f') and nspname !~ '^pg_' and nspname <> 'information_schema'
        and has_schema_privilege(current_user, nspname, 'usage') and has_any_column_privilege(pg_class.oid, 'select')
    order by 1"""
# A view that nobody can delete from says so first.
REFUSED = (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ObjectNotInPrerequisiteState)
# What dim_measure says of figures, it says of those that the reader sees.
OF_FIGURES = {"mart.dim_measure": ("first_day", "last_day")}


@dataclass(frozen=True)
class Logins:
    """A warehouse with a login for each partner that something is expected from, and one for a BI tool."""

    settings: Settings
    partners: tuple[str, ...]

    def open(self, name: str) -> Connection:
        """Return a session of a login."""
        password = secret(self.settings, f"login_{name}_password")
        connection = psycopg2.connect(self.settings.server_url, user=f"quarterday_{name}", password=password)
        connection.autocommit = True
        return connection


@pytest.fixture(scope="module")
def logins(demo: Settings) -> Iterator[Logins]:
    for settings in copy_of(demo, "logins"):
        database = sql.Identifier((settings.server_url or "").rpartition("/")[2])
        run_on_server(
            sql.SQL("revoke all on database {} from public").format(database)
        )  # rights are not copied with it
        with connect(settings, "owner") as connection, connection.cursor() as cursor:
            cursor.execute("select partner_code from ledger.load union select partner_code from ledger.expected_return")
            partners = tuple(sorted(code for (code,) in cursor.fetchall()))
            readers.add_reader("tool", None, readers.Limits(7, 8, 3), "a test", cursor, settings)
            for partner in partners:
                readers.add_reader(partner, partner, readers.Limits(), "a test", cursor, settings)
        yield Logins(settings, partners)
        with connect(settings, "owner") as connection, connection.cursor() as cursor:
            for name in ("tool", *partners):
                readers.drop_reader(name, "a test", cursor)


def ask(connection: Connection, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()


@functools.cache
def rules() -> dict[str, str]:
    """Return what partners may see of each relation of mart and history, as the dbt project says."""
    found = {}
    for folder, schema in (("marts", "mart"), ("history", "history")):
        for path in sorted((PROJECT / "dbt_project" / "models" / folder).glob("*.yml")):
            for model in yaml.safe_load(path.read_text())["models"]:
                name = model["name"].removeprefix("mart_").removeprefix("history_")
                found[f"{schema}.{name}"] = model.get("config", {}).get("meta", {}).get("partners_see")
    return found


def content(connection: Connection, relation: str) -> Counter[str]:
    """Return the rows of a relation, as texts."""
    left_out = "".join(f" - '{name}'" for name in OF_FIGURES.get(relation, ()))
    return Counter(row for (row,) in ask(connection, f"select (to_jsonb(one){left_out})::text from {relation} as one"))


def test_what_a_partner_may_see_is_said_of_every_relation_and_of_what_it_is_made_of() -> None:
    said = rules()
    assert {name: rule for name, rule in said.items() if rule not in RULES} == {}
    assert set(said.values()) == set(RULES)


def test_partners_see_what_is_said_and_a_bi_login_sees_all(logins: Logins) -> None:
    with closing(logins.open("tool")) as tool, closing(logins.open(logins.partners[0])) as partner:
        everything = {name for (name,) in ask(tool, VISIBLE)}
        assert everything >= set(rules())
        assert {name for (name,) in ask(partner, VISIBLE)} == {name for name, rule in rules().items() if rule != "none"}
        for name in sorted(everything - {name for name, rule in rules().items() if rule != "none"}):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                ask(partner, f"select * from {name} limit 1")


def test_each_row_of_a_partner_is_seen_by_its_login_alone(logins: Logins) -> None:
    """Of every relation that partners see their own rows of, their rows together are all rows, each once."""
    parts: dict[str, Counter[str]] = {}
    seen_by: dict[str, int] = Counter()
    for partner in logins.partners:
        with closing(logins.open(partner)) as connection:
            own = {load for (load,) in ask(connection, "select load_id from history.fct_measurement")}
            for (relation,) in ask(connection, VISIBLE):
                if rules()[relation] == "own":
                    found = content(connection, relation)
                    parts[relation] = parts.get(relation, Counter()) + found
                    seen_by[relation] += bool(found)
            senders = dict(rows_of(logins.settings, "select load_id, partner_code from ledger.load"))
            assert {senders[load] for load in own} <= {partner}
    with closing(logins.open("tool")) as tool:
        assert {relation: part - content(tool, relation) for relation, part in parts.items() if part} == {
            relation: Counter() for relation, part in parts.items() if part
        }
        assert {relation: content(tool, relation) - part for relation, part in parts.items()} == {
            relation: Counter() for relation in parts
        }
    assert seen_by["mart.fct_measurement"] > 1
    assert seen_by["mart.fct_return"] > 1


def rows_of(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    with connect(settings, "owner") as connection:
        return ask(connection, statement)


def test_what_all_see_says_nothing_of_another_partners_figures(logins: Logins) -> None:
    with closing(logins.open("tool")) as tool:
        whole = {relation: content(tool, relation) for relation, rule in rules().items() if rule == "all"}
    for partner in {logins.partners[0], logins.partners[-1], sender_of_measurements(logins)}:
        with closing(logins.open(partner)) as connection:
            assert {relation: content(connection, relation) - rows for relation, rows in whole.items()} == {
                relation: Counter() for relation in whole
            }
            others = """select measure_code from mart.dim_measure where first_day is not null
                and measure_code not in (select measure_code from mart.fct_measurement)"""
            assert ask(connection, others) == []
            periods = """select period_key from mart.dim_period where period_type not in
                ('financial_quarter', 'financial_year')
                and period_key not in (select period_key from history.fct_measurement)
                and (period_start, period_end) not in
                    (select period_start, period_end from history.fct_recorded_crime)
                and (period_start, period_end) not in
                    (select period_start, period_end from history.fct_action_status)"""
            assert ask(connection, periods) == []


@pytest.fixture
def gossip(logins: Logins) -> Iterator[str]:
    """A function that tells every text it is asked about, as cheap to the planner as can be."""
    with connect(logins.settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """create function public.gossip(text) returns boolean language plpgsql cost 0.0000001 as $$
            begin raise notice 'heard %', $1; return true; end $$;
            create function public.gossips(text, text) returns boolean language plpgsql cost 0.0000001 as $$
            begin raise notice 'heard %', $1; return true; end $$;
            create operator public.<~~> (function = public.gossips, leftarg = text, rightarg = text)"""
        )
    yield "public.gossip"
    with connect(logins.settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("drop operator public.<~~> (text, text)")
        cursor.execute("drop function public.gossips(text, text)")
        cursor.execute("drop function public.gossip(text)")


@pytest.mark.parametrize("asked", ["public.gossip(partner_code)", "partner_code operator(public.<~~>) 'x'"])
@pytest.mark.parametrize("relation", ["mart.fct_measurement", "mart.fct_return", "history.fct_measurement"])
def test_a_function_that_tells_what_it_is_asked_about_hears_nothing_of_others(
    logins: Logins, gossip: str, relation: str, asked: str
) -> None:
    def heard(login: str) -> set[str]:
        with closing(logins.open(login)) as connection:
            ask(connection, f"select count(*) from {relation} where {asked}")
            return {notice.partition("heard ")[2].strip() for notice in connection.notices}

    partner = sender_of_measurements(logins)
    assert heard(partner) == {partner}
    assert len(heard("tool")) > 1


def sender_of_measurements(logins: Logins) -> str:
    statement = "select partner_code from mart.fct_measurement group by 1 order by count(*) desc, 1 limit 1"
    with closing(logins.open("tool")) as tool:
        ((partner,),) = ask(tool, statement)
    return str(partner)


def test_an_error_that_a_row_would_raise_is_not_raised_by_anothers(logins: Logins) -> None:
    partner = sender_of_measurements(logins)
    with closing(logins.open("tool")) as tool, closing(logins.open(partner)) as connection:
        ((number,),) = ask(
            tool,
            """select max(value) from mart.fct_measurement where partner_code <> %s and value is not null
            and value not in (select value from mart.fct_measurement where partner_code = %s and value is not null)""",
            *(partner, partner),
        )
        divided = "select count(*) from mart.fct_measurement where 1 / (value - %s) > 0"
        with pytest.raises(psycopg2.errors.DivisionByZero):
            ask(tool, divided, number)
        assert ask(connection, divided, number)


ESCAPES = (
    "set role quarterday_reader",
    "set role quarterday_partner",
    "set role quarterday_builder",
    "set role quarterday_tool",
    "set session authorization quarterday_tool",
    "set session authorization quarterday_builder",
    "set session_replication_role = replica",
    "set row_security = off; select count(*) from mart.fct_measurement",
    "alter role current_user bypassrls",
    "grant quarterday_reader to current_user",
    "alter table core.fct_measurement disable row level security",
    "select * from core.fct_measurement",
    "select * from ledger.load",
    "select * from ledger.reader_login",
    "select ledger.partner_of_session()",
    "create function public.mine() returns int language sql as 'select 1'",
    "create view mart.mine as select 1",
    "select * from pg_authid",
    "copy (select 1) to '/tmp/mine'",
    "select pg_read_file('/etc/hostname')",
    *WRITES,
)


@pytest.mark.parametrize("statement", ESCAPES)
def test_a_partners_session_takes_no_more_than_it_was_given(logins: Logins, statement: str) -> None:
    with closing(logins.open(logins.partners[0])) as connection:
        ask(connection, "set default_transaction_read_only = off; set statement_timeout = 0; select 1")
        with pytest.raises(REFUSED):
            ask(connection, statement)


def test_no_setting_of_a_session_changes_whose_rows_it_sees(logins: Logins) -> None:
    partner = sender_of_measurements(logins)
    with closing(logins.open(partner)) as connection:
        before = ask(connection, "select count(*) from mart.fct_measurement")
        ((names,),) = ask(connection, "select array_agg(name) from pg_settings where context = 'user'")
        assert "search_path" in names
        for setting, value in (
            ("search_path", "public, history, mart"),
            ("application_name", "quarterday_tool"),
            ("quarterday.partner", "somebody"),
            ("enable_seqscan", "off"),
            ("plan_cache_mode", "force_generic_plan"),
        ):
            ask(connection, "select set_config(%s, %s, false)", setting, value)
            assert ask(connection, "select count(*) from mart.fct_measurement") == before
    assert before[0][0] > 0


@pytest.mark.parametrize("statement", WRITES)
def test_a_bi_login_writes_nothing(logins: Logins, statement: str) -> None:
    with closing(logins.open("tool")) as connection:
        ask(connection, "set default_transaction_read_only = off; select 1")
        with pytest.raises(REFUSED):
            ask(connection, statement)


def test_a_login_begins_read_only_with_its_limits_and_no_more_connections(logins: Logins) -> None:
    names = ("transaction_read_only", "transaction_isolation", "statement_timeout")
    names += ("idle_in_transaction_session_timeout", "search_path")
    shown = ("on", "repeatable read", "7s", "8s", "mart, history")
    with closing(logins.open("tool")) as one, closing(logins.open("tool")), closing(logins.open("tool")):
        assert tuple(ask(one, f"show {name}")[0][0] for name in names) == shown
        assert ask(one, "select count(*) > 0 from fct_outcome") == [(True,)]
        with pytest.raises(psycopg2.OperationalError, match="too many connections"):
            logins.open("tool")


def test_the_reader_reads_as_before(logins: Logins) -> None:
    statement = "select count(*), count(distinct partner_code) from mart.fct_measurement"
    as_reader = psycopg2.connect(database_url(logins.settings, "reader"))
    with closing(as_reader) as connection, closing(logins.open("tool")) as tool:
        assert ask(connection, statement) == ask(tool, statement)


def test_migrating_again_leaves_logins_as_they_are_and_makes_one_that_is_gone(logins: Logins) -> None:
    partner = sender_of_measurements(logins)
    with closing(logins.open(partner)) as connection:
        before = ask(connection, "select count(*) from mart.fct_measurement")
    database = sql.Identifier((logins.settings.server_url or "").rpartition("/")[2])
    role = sql.Identifier(f"quarterday_{partner}")
    run_on_server(sql.SQL("revoke connect on database {} from {}").format(database, role))
    run_on_server(sql.SQL("drop role {}").format(role))
    migrate(logins.settings)
    with closing(logins.open(partner)) as connection:
        assert ask(connection, "select count(*) from mart.fct_measurement") == before


def test_the_command_makes_lists_renews_and_drops_and_shows_no_password(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDAY_HOME", str(logins.settings.home))
    monkeypatch.setenv("QUARTERDAY_SECRETS", str(logins.settings.secrets))
    monkeypatch.setenv("QUARTERDAY_DATABASE_URL", str(logins.settings.server_url))
    told = ""

    def run(*words: str) -> str:
        nonlocal told
        done = CliRunner().invoke(cli.app, ["reader", *words])
        assert done.exit_code == 0, (done.output, done.exception)
        told += done.output
        return done.output

    assert "quarterday_sheets" in run("add", "sheets", "--for", "bi", "--connections", "2", "--by", "an operator")
    first = secret(logins.settings, "login_sheets_password")
    open_session = logins.open("sheets")
    assert "quarterday_sheets" in run("list", "--json")
    run("password", "sheets")
    second = secret(logins.settings, "login_sheets_password")
    assert first != second
    logins.open("sheets").close()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(logins.settings.server_url, user="quarterday_sheets", password=first)
    run("drop", "sheets")
    assert "quarterday_sheets" not in run("list", "--json")
    with closing(open_session), pytest.raises(psycopg2.Error):
        ask(open_session, "select count(*) from mart.fct_measurement")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(logins.settings.server_url, user="quarterday_sheets", password=second)
    assert first not in told
    assert second not in told
    assert not (logins.settings.secrets / "login_sheets_password").exists()


def test_a_login_that_is_not_dropped_after_all_keeps_its_password_and_a_new_one_of_the_name_gets_another(
    logins: Logins,
) -> None:
    partner = logins.partners[0]
    password = secret(logins.settings, f"login_{partner}_password")
    with (
        pytest.raises(KeyboardInterrupt),
        connect(logins.settings, "owner") as connection,
        connection.cursor() as cursor,
    ):
        readers.drop_reader(partner, "a test", cursor)
        raise KeyboardInterrupt  # cut off before the commit
    logins.open(partner).close()
    assert secret(logins.settings, f"login_{partner}_password") == password
    with connect(logins.settings, "owner") as connection, connection.cursor() as cursor:
        readers.drop_reader(partner, "a test", cursor)  # and cut off before the file is taken away
        readers.add_reader(partner, partner, readers.Limits(), "a test", cursor, logins.settings)
    assert secret(logins.settings, f"login_{partner}_password") != password
    logins.open(partner).close()


@pytest.mark.parametrize(
    ("name", "partner", "words"),
    [
        ("reader", None, "can't be the name"),
        ("Power BI", None, "can't be the name"),
        ("tool", None, "already"),
        ("other", "nobody", "no partner 'nobody'"),
    ],
)
def test_a_login_that_cannot_be_is_refused(logins: Logins, name: str, partner: str | None, words: str) -> None:
    settings = logins.settings
    with (
        connect(settings, "owner") as connection,
        connection.cursor() as cursor,
        pytest.raises(OperatorError, match=words),
    ):
        readers.add_reader(name, partner, readers.Limits(), "a test", cursor, settings)
