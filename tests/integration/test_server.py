"""The embedded server: made, found again, stopped, and mended after a kill."""

from __future__ import annotations

import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from quarterday import server
from quarterday.errors import OperatorError
from quarterday.settings import Settings, load_settings


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a server of the test's own, stopped at the end."""
    home = tmp_path / "home"
    settings = replace(load_settings(), home=home, secrets=home / "secrets", server_url=None)
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


def test_pages_are_checksummed(own: Settings) -> None:
    assert ask(server.start(own), "select current_setting('data_checksums')") == "on"


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
