"""The embedded server: made, found again, stopped, and mended after a kill."""

from __future__ import annotations

import os
import signal
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from quarterday import server, services, warehouse
from quarterday.errors import OperatorError
from quarterday.settings import Settings, load_settings, secret


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a server of the test's own, stopped at the end."""
    home = tmp_path / "home"
    folders = {name: home / name for name in ("inbox", "archive", "receipts", "secrets")}
    settings = replace(load_settings(), home=home, server_url=None, **folders)
    yield settings
    server.stop(settings)


def wait_until_gone(process_id: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{process_id}/cmdline").exists() and Path(f"/proc/{process_id}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the server outlived its kill"
        time.sleep(0.05)


def ask(url: str, statement: str) -> object:
    with server.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        assert row
        return row[0]


def test_server_keeps_its_address_and_data_when_started_again(own: Settings) -> None:
    url = server.start(own)
    with server.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("create table kept as select 7 as answer")
    assert server.start(own) == url
    assert server.stop(own)
    assert not server.is_running(own)
    assert server.start(own) == url
    assert ask(url, "select answer from kept") == 7


def test_server_starts_again_when_it_was_killed(own: Settings) -> None:
    url = server.start(own)
    process_id = server.server_process(own)
    assert process_id
    os.kill(process_id, signal.SIGKILL)
    wait_until_gone(process_id)
    assert not server.is_running(own)
    assert server.start(own) == url
    assert ask(url, "select 1") == 1


def test_server_starts_again_when_it_still_seemed_to_run_just_after_it_was_killed(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.start(own)
    process_id = server.server_process(own)
    assert process_id
    os.kill(process_id, signal.SIGKILL)
    wait_until_gone(process_id)
    asked, is_running = iter([True, True]), server.is_running
    with monkeypatch.context() as dying:
        dying.setattr(server, "is_running", lambda settings: next(asked, None) or is_running(settings))
        assert server.start(own) == url
    assert ask(url, "select 1") == 1


def test_server_starts_when_its_old_number_belongs_to_another_process(own: Settings) -> None:
    server.start(own)
    pid_file = server.data_folder(own) / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop(own)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not server.is_running(own)
    assert ask(server.start(own), "select 1") == 1


def test_server_takes_another_port_when_its_own_is_taken(own: Settings) -> None:
    first = server.start(own)
    server.stop(own)
    port = server.read_runtime(own)["postgres_port"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        second = server.start(own)
    assert second != first
    assert ask(second, "select 1") == 1


def test_server_waits_for_its_port_when_what_was_killed_has_not_left_it_yet(own: Settings) -> None:
    kept = server.free_port(own, "postgres_port")
    leaving = socket.socket()
    leaving.bind(("127.0.0.1", kept))
    leaving.listen()
    timer = threading.Timer(0.3, leaving.close)
    timer.start()
    assert server.free_port(own, "postgres_port") == kept
    timer.join()


def test_port_is_none_that_an_outgoing_connection_may_be_given(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = (int(port) for port in server.OUTGOING_PORTS.read_text().split())
    assert not first <= server.free_port(own, "postgres_port") <= last
    monkeypatch.setattr(server, "LOWEST_PORT", 65_536)  # no room below: any free port will do
    assert server.free_port(own, "airflow_port") > 0


def test_half_made_data_folder_is_replaced_when_initdb_was_cut_off(own: Settings) -> None:
    (own.home / "postgres.new").mkdir(parents=True)
    (own.home / "postgres.new" / "PG_VERSION").write_text("18\n")
    assert ask(server.start(own), "select 1") == 1


def test_server_asks_for_the_password_and_listens_on_loopback_only(own: Settings) -> None:
    url = server.start(own)
    assert ask(url, "select current_setting('listen_addresses')") == "127.0.0.1"
    assert ask(url, "select current_setting('unix_socket_directories')") == ""
    password = (own.secrets / "owner_password").read_text()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url.replace(password, "wrong"))


def test_secrets_are_readable_by_their_owner_alone_when_made(own: Settings) -> None:
    server.start(own)
    for path in (own.home / "server.url", own.secrets / "owner_password", own.home / "logs" / "postgres.log"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_server_starts_in_a_home_that_is_closed_to_other_users(own: Settings) -> None:
    services.make_folders(own)
    assert ask(server.start(own), "select 1") == 1
    assert stat.S_IMODE(own.home.stat().st_mode) == 0o700
    assert server.stop(own)
    assert ask(server.start(own), "select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_server_starts_in_a_closed_home_when_root_has_no_capability_to_lend(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_has_capability", lambda number: False)
    for folder in [own.home.parent, *own.home.parent.parents]:
        if folder.is_relative_to(tempfile.gettempdir()) and folder != Path(tempfile.gettempdir()):
            folder.chmod(0o711)
    services.make_folders(own)
    assert ask(server.start(own), "select 1") == 1
    assert stat.S_IMODE(own.home.stat().st_mode) == 0o711


def test_no_password_stands_in_the_servers_log_when_a_role_is_let_in(own: Settings) -> None:
    url = server.start(own)
    with server.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("alter system set log_statement = 'ddl'")
        cursor.execute("select pg_reload_conf()")
        deadline = time.monotonic() + 10
        while ask(url, "select current_setting('log_statement')") != "ddl":
            assert time.monotonic() < deadline
    for _ in ("made", "kept"):
        password = server.make_login(own, "quarterday_airflow")
        warehouse.migrate(own)
        log = (own.home / "logs" / "postgres.log").read_text()
        roles = {"quarterday_airflow": password}
        roles |= {f"quarterday_{role}": secret(own, f"{role}_password") for role in ("loader", "builder", "reader")}
        for role, word in roles.items():
            assert f'role "{role}" login password \'SCRAM-SHA-256' in log
            assert word not in log
            login = urlsplit(url)._replace(netloc=f"{role}:{word}@127.0.0.1:{urlsplit(url).port}", path="/postgres")
            assert ask(login.geturl(), "select current_user") == role


def test_pages_are_checksummed_and_lines_go_to_the_disk_once(own: Settings) -> None:
    settings = "select current_setting('data_checksums') || ' ' || current_setting('wal_level')"
    assert ask(server.start(own), settings) == "on minimal"


def test_error_names_the_place_and_no_password_when_no_server_answers(own: Settings) -> None:
    with pytest.raises(OperatorError, match="No PostgreSQL at 127.0.0.1:1/quarterday") as caught:
        server.start(replace(own, server_url="postgresql://somebody:hidden@127.0.0.1:1/quarterday"))
    assert "hidden" not in str(caught.value)


def test_named_server_is_refused_when_its_role_may_make_nothing(settings: Settings) -> None:
    assert settings.server_url
    with server.connect(settings.server_url) as connection, connection.cursor() as cursor:
        cursor.execute("drop role if exists quarterday_test_weak")
        cursor.execute("create role quarterday_test_weak login password 'weak'")
    try:
        weak = urlsplit(settings.server_url)
        url = weak._replace(netloc=f"quarterday_test_weak:weak@{weak.hostname}:{weak.port}", path="/postgres").geturl()
        with pytest.raises(OperatorError, match="lacks createrole and createdb"):
            server.check_named_server(url)
    finally:
        with server.connect(settings.server_url) as connection, connection.cursor() as cursor:
            cursor.execute("drop role quarterday_test_weak")
