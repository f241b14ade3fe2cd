"""Settings come from the environment, secrets from files that their owner alone can read."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from quarterday.errors import OperatorError
from quarterday.settings import Settings, database_url, load_settings, secret, server_address


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("INBOX", "ARCHIVE", "RECEIPTS", "SECRETS", "DATABASE_URL", "PROJECT"):
        monkeypatch.delenv(f"QUARTERDAY_{name}", raising=False)
    monkeypatch.setenv("QUARTERDAY_HOME", str(tmp_path / "state"))
    return load_settings()


def test_all_state_lives_below_the_home_when_only_the_home_is_named(here: Settings) -> None:
    assert {path.parent for path in (here.inbox, here.archive, here.receipts, here.secrets)} == {here.home}


def test_a_secret_is_made_once_and_only_its_owner_reads_it(here: Settings) -> None:
    first = secret(here, "reader_password")
    path = here.secrets / "reader_password"
    assert secret(here, "reader_password") == first
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(here.secrets.stat().st_mode) == 0o700


def test_two_secrets_differ(here: Settings) -> None:
    assert secret(here, "reader_password") != secret(here, "loader_password")


def test_no_secret_is_left_when_its_writing_is_cut_off(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill can come at any moment: the name must not stand in the folder before the bytes are on the disk."""
    seen: list[list[str]] = []
    sync = os.fsync

    def look(descriptor: int) -> None:
        sync(descriptor)
        seen.append([entry.name for entry in here.secrets.iterdir() if not entry.name.startswith(".")])

    monkeypatch.setattr(os, "fsync", look)
    value = secret(here, "reader_password")
    assert seen == [[]]
    assert [entry.name for entry in here.secrets.iterdir()] == ["reader_password"]
    assert (here.secrets / "reader_password").read_text() == value


def test_all_get_the_same_secret_when_they_ask_at_once(here: Settings) -> None:
    names = [f"secret_{number}" for number in range(40)]

    def ask(_: int) -> list[str]:
        return [secret(here, name) for name in names]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert all(answer == answers[0] for answer in answers)


def test_an_empty_secret_is_refused_and_named(here: Settings) -> None:
    here.secrets.mkdir(parents=True)
    (here.secrets / "reader_password").touch()
    with pytest.raises(OperatorError, match="reader_password is empty"):
        secret(here, "reader_password")


def test_no_server_is_said_so_when_none_was_started(here: Settings) -> None:
    with pytest.raises(OperatorError, match="quarterday up"):
        server_address(here)


def test_a_role_has_its_own_login_on_the_named_server(here: Settings) -> None:
    named = replace(here, server_url="postgresql://owner:pw@db.example:6543/warehouse?sslmode=require")
    url = database_url(named, "reader")
    password = secret(here, "reader_password")
    assert url == f"postgresql://quarterday_reader:{password}@db.example:6543/warehouse?sslmode=require"


def test_the_owner_password_comes_from_its_file_when_the_url_has_none(here: Settings) -> None:
    password = secret(here, "owner_password")
    named = replace(here, server_url="postgresql://quarterday_owner@db:5432/quarterday")
    assert server_address(named) == f"postgresql://quarterday_owner:{password}@db:5432/quarterday"


def test_a_password_in_the_url_counts_before_the_file(here: Settings) -> None:
    secret(here, "owner_password")
    named = replace(here, server_url="postgresql://me:mine@db/quarterday")
    assert server_address(named) == "postgresql://me:mine@db/quarterday"
