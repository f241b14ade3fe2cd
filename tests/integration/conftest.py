"""The demo returns, taken in once for all the tests that only read what came of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2 import sql

from quarterday import releasing
from quarterday.settings import Settings
from tests.conftest import database_named, run_on_server, session_settings
from tests.path_support import expected_returns, release, send, take_in


@pytest.fixture(scope="session")
def demo(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse that has taken in and released both waves of the demo returns. Read it; do not change it."""
    name = f"quarterday_test_demo_{os.getpid()}"
    home: Path = tmp_path_factory.mktemp("demo")
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    settings = replace(
        session_settings(),
        home=home,
        inbox=home / "inbox",
        archive=home / "archive",
        receipts=home / "receipts",
        server_url=database_named(name),
    )
    releasing.deploy_marts(settings)
    for wave in (1, 2):
        send(expected_returns(wave), settings)
        take_in(settings)
        release(settings)
    yield settings
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
