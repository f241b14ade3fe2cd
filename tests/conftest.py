"""One real PostgreSQL for the whole session, and a fresh warehouse for each test that asks for one.

``QUARTERDAY_TEST_DATABASE_URL`` names a server (16 or newer, with a role that may create roles and databases); without
it the embedded server is started in a folder of its own and stopped at the end.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2 import sql

from quarterday import server
from quarterday.settings import Settings, load_settings
from tests.parallel_plugin import is_shared_out

pytest_plugins = ("tests.long_plugin", "tests.parallel_plugin")

PROJECT = Path(__file__).parents[1]
SHARED = PROJECT.parent / "shared"
TEMPLATE = f"quarterday_test_template_{os.getpid()}"

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

_home = tempfile.TemporaryDirectory(prefix="quarterday-tests-", ignore_cleanup_errors=True)
# Tests restate freely: only those about signing off take rules, and name them.
_no_rules = Path(_home.name) / "no_sign_off_rules.csv"
_no_rules.write_text("rule_id,form,measure_code,priority_code,asks_about,at_least,approvers,reason\n")
os.environ.setdefault("QUARTERDAY_SIGN_OFF_RULES", str(_no_rules))
_started: list[Settings] = []
_numbers = itertools.count(1)


def session_settings() -> Settings:
    """Return settings whose state is below the session's own folder."""
    home = Path(_home.name)
    return replace(
        load_settings(),
        home=home,
        inbox=home / "inbox",
        archive=home / "archive",
        receipts=home / "receipts",
        secrets=home / "secrets",
        server_url=os.environ.get("QUARTERDAY_TEST_DATABASE_URL"),
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the embedded server unless a server is named; tests find it in the environment."""
    if session.config.option.collectonly or is_shared_out(session.config):
        return
    if os.environ.get("QUARTERDAY_TEST_DATABASE_URL"):
        return
    settings = session_settings()
    os.environ["QUARTERDAY_TEST_DATABASE_URL"] = server.start(settings)
    _started.append(settings)
    if not os.environ.get("QUARTERDAY_LONG_TESTS"):
        _do_not_wait_for_the_disk()


def _do_not_wait_for_the_disk() -> None:
    """Leave writing to the disk to the operating system, which no test turns off; the long tests run on what ships."""
    run_on_server(sql.SQL("alter system set fsync = off"))
    run_on_server(sql.SQL("select pg_reload_conf()"))


def pytest_sessionfinish() -> None:
    """Stop the server that this session started, and no other."""
    for settings in _started:
        server.stop(settings)


def own_server() -> Settings | None:
    """Return the settings of the server that this session started; None where one is named."""
    return _started[0] if _started else None


def database_named(name: str) -> str:
    """Return the test server's URL with another database."""
    return urlsplit(os.environ["QUARTERDAY_TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl()


def run_on_server(statement: sql.Composable) -> None:
    """Run one statement outside a transaction, such as create database."""
    connection = psycopg2.connect(os.environ["QUARTERDAY_TEST_DATABASE_URL"])
    connection.autocommit = True
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """A migrated, empty warehouse from which each test's own is copied."""
    from quarterday import warehouse

    run_on_server(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    warehouse.migrate(replace(session_settings(), server_url=database_named(TEMPLATE)))
    yield TEMPLATE
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(TEMPLATE)))


@pytest.fixture
def settings(template: str, tmp_path: Path) -> Iterator[Settings]:
    """A fresh warehouse with its own inbox, archive and receipts; secrets are the session's, roles the server's."""
    name = f"quarterday_test_{os.getpid()}_{next(_numbers)}"
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    for statement in (
        "grant connect, temporary on database {} to quarterday_loader, quarterday_builder",
        "grant connect on database {} to quarterday_reader",
    ):
        run_on_server(sql.SQL(statement).format(sql.Identifier(name)))
    yield replace(
        session_settings(),
        home=tmp_path / "home",
        inbox=tmp_path / "inbox",
        archive=tmp_path / "archive",
        receipts=tmp_path / "receipts",
        server_url=database_named(name),
    )
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the published figures and the partners' real files."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with the published figures and real partner files")
    return SHARED


@pytest.fixture(scope="session")
def demo(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse that has taken in and released both waves of the demo returns. Read it; do not change it."""
    from quarterday import warehouse
    from tests.marts_support import deploy_once
    from tests.path_support import expected_returns, release, send, take_in

    name = f"quarterday_test_demo_{os.getpid()}"
    home: Path = tmp_path_factory.mktemp("demo")
    deployed = deploy_once(template)
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(deployed)))
    settings = replace(
        session_settings(),
        home=home,
        inbox=home / "inbox",
        archive=home / "archive",
        receipts=home / "receipts",
        server_url=database_named(name),
    )
    warehouse.migrate(settings)  # the rights on a database are not copied with it
    for wave in (1, 2):
        send(expected_returns(wave), settings)
        take_in(settings)
        release(settings)
    yield settings
    for database in (name, deployed):
        run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))
