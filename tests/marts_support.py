"""A warehouse with the dbt project deployed, and short ways to put admitted returns into it, release and read them.

Test files import the fixtures ``warehouse`` and ``module_warehouse``; the deployed template is made once for all.
"""

from __future__ import annotations

import fcntl
import functools
import os
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extras import execute_values

from quarterday import backing_up, parsed, releasing
from quarterday.checking.correcting import apply_corrections
from quarterday.contracts import load_forms
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.conftest import database_named, run_on_server, session_settings
from tests.parallel_plugin import folder_of_all

DEPLOYED = f"quarterday_test_deployed_{os.getpid()}"
PARSED = "dbt_project.pickle"
_home = tempfile.TemporaryDirectory(prefix="quarterday-dbt-tests-", ignore_cleanup_errors=True)


@pytest.fixture(scope="session")
def deployed_template(template: str) -> Iterator[str]:
    """A migrated warehouse with facts, marts and history deployed and empty."""
    yield deploy_once(template)
    run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(DEPLOYED)))


@pytest.fixture(scope="module")
def module_warehouse(deployed_template: str) -> Iterator[Settings]:
    """A deployed, empty warehouse that the tests of one file share."""
    yield from _copy(deployed_template, "module")


@pytest.fixture
def warehouse(deployed_template: str) -> Iterator[Settings]:
    """A deployed, empty warehouse of the test's own."""
    yield from _copy(deployed_template, "own")


def settings_of(database: str) -> Settings:
    """Return settings of a test database.

    The databases of one name share a home: dbt parses the project again whenever the name of its database changes.
    """
    return replace(session_settings(), home=Path(_home.name) / database, server_url=database_named(database))


@functools.cache
def deploy_once(template: str) -> str:
    """Make the deployed warehouse that others are copied from, once a process, and return its name.

    Of processes that share the tests one deploys, which takes half a minute, and the others restore its backup.
    """
    folder = folder_of_all()
    if folder is None:
        _deploy(template)
        return DEPLOYED
    with (folder / "deployed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits for the backup
        settings = replace(settings_of(DEPLOYED), named_backups=folder)
        if made := backing_up.backups_of(settings):
            backing_up.restore(made[0], settings)
            parsed._kept.update(pickle.loads((folder / PARSED).read_bytes()))
        else:
            _deploy(template)
            (folder / PARSED).write_bytes(pickle.dumps(parsed._kept))
            backing_up.back_up(settings)
    return DEPLOYED


def _deploy(template: str) -> None:
    _make_database(DEPLOYED, template)
    releasing.deploy_marts(settings_of(DEPLOYED))


def copy_of(settings: Settings, kind: str = "copy") -> Iterator[Settings]:
    """Give a warehouse of the test's own that begins as another of this session stands."""
    assert settings.server_url is not None
    yield from _copy(settings.server_url.rpartition("/")[2], kind)


def _copy(template: str, kind: str) -> Iterator[Settings]:
    name = f"quarterday_test_marts_{kind}_{os.getpid()}"
    _make_database(name, template)
    yield settings_of(name)
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _make_database(name: str, template: str) -> None:
    for statement in (
        "create database {name} template {template}",
        "grant connect, temporary on database {name} to quarterday_loader, quarterday_builder",
        "grant connect on database {name} to quarterday_reader",
    ):
        run_on_server(sql.SQL(statement).format(name=sql.Identifier(name), template=sql.Identifier(template)))


@dataclass(frozen=True)
class Figure:
    """One number of an indicator return, as it lands."""

    measure: str
    area: str
    period: tuple[str, str, str]
    value: str
    status: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    breakdown: str | None = None


def quarter(start: str, end: str) -> tuple[str, str, str]:
    """Return a financial quarter as a landed period."""
    return ("financial_quarter", start, end)


def year(first: int) -> tuple[str, str, str]:
    """Return the financial year that begins in April of ``first``."""
    return ("financial_year", f"{first}-04-01", f"{first + 1}-03-31")


def quarters_of(first: int) -> list[tuple[str, str, str]]:
    """Return the four quarters of the financial year that begins in April of ``first``."""
    return [
        quarter(f"{first}-04-01", f"{first}-06-30"),
        quarter(f"{first}-07-01", f"{first}-09-30"),
        quarter(f"{first}-10-01", f"{first}-12-31"),
        quarter(f"{first + 1}-01-01", f"{first + 1}-03-31"),
    ]


def admit_figures(
    settings: Settings, form: str, partner: str, reporting_quarter: str, issued_on: str, figures: Sequence[Figure]
) -> int:
    """Land an indicator return and admit it; returns its load."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        load_id = _register(cursor, form, partner, reporting_quarter, issued_on)
        rows = [
            (
                form,
                load_id,
                "Sheet1",
                number,
                3,
                "Number",
                figure.measure,
                figure.breakdown,
                figure.area,
                *figure.period,
            )
            + (figure.value, figure.numerator, figure.denominator, figure.status)
            for number, figure in enumerate(figures, start=2)
        ]
        execute_values(
            cursor,
            f"""insert into landing.{form} (form, load_id, sheet, line_number, column_number, column_name, measure_code,
            breakdown_code, area_code, period_type, period_start, period_end, value, numerator, denominator, status)
            values %s""",
            rows,
        )
        _admit(cursor, load_id, len(rows), sorted({figure.period for figure in figures}))
    return load_id


def admit_register(
    settings: Settings,
    form: str,
    partner: str,
    reporting_quarter: str,
    issued_on: str,
    lines: Sequence[dict[str, Any]],
    period: tuple[str, str, str],
) -> int:
    """Land a register return and admit it; returns its load."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        load_id = _register(cursor, form, partner, reporting_quarter, issued_on)
        columns = list(lines[0])
        execute_values(
            cursor,
            f"insert into landing.{form} (load_id, sheet, line_number, {', '.join(columns)}) values %s",
            [(load_id, "Sheet1", number, *line.values()) for number, line in enumerate(lines, start=2)],
        )
        apply_corrections(load_id, load_forms(settings.returns)[form], connection)
        _admit(cursor, load_id, len(lines), [period])
    return load_id


def register_unjudged(settings: Settings, form: str, partner: str, reporting_quarter: str) -> int:
    """Register a return that has no verdict yet; returns its load."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        return _register(cursor, form, partner, reporting_quarter, "2016-07-20")


def quarantine(settings: Settings, load_id: int, line_number: int) -> None:
    """Set one line of a load aside."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.line_issue (load_id, check_id, action, sheet, line_number, expected, remedy)
            values (%s, 'TST-101', 'quarantine_line', 'Sheet1', %s, 'another value', 'Send it again.')""",
            (load_id, line_number),
        )


def release(settings: Settings) -> int:
    """Open, build, check and publish a release of what is admitted; returns its id."""
    release_id = releasing.begin(settings, "test")
    assert release_id is not None
    releasing.build_facts(release_id, settings)
    releasing.check_facts(release_id, settings)
    releasing.publish(release_id, settings)
    return release_id


def release_quickly(settings: Settings) -> int:
    """Release what is admitted, without dbt and the checks: facts are the rows of the views that dbt reads."""
    release_id = releasing.begin(settings, "test")
    assert release_id is not None
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        for name in ("fct_measurement", "fct_outcome", "fct_outcome_year", "fct_priority", "fct_figure_check"):
            cursor.execute(
                """select string_agg(quote_ident(attname), ', ') from pg_attribute
                where attrelid = %s::regclass and attnum > 0 and not attisdropped""",
                (f"core.{name}",),
            )
            [(columns,)] = cursor.fetchall()
            cursor.execute(f"insert into core.{name} ({columns}) select {columns} from core.int_{name}")
        cursor.execute(
            """update ledger.release set checked_loads = (
                select coalesce(array_agg(load_id order by load_id), '{}')
                from ledger.release_load where release_id = %s
            ) where release_id = %s""",
            (release_id, release_id),
        )
    releasing.publish(release_id, settings)
    return release_id


def rows(settings: Settings, statement: str, role: str = "reader") -> list[tuple[Any, ...]]:
    """Return what a role reads."""
    with connect(settings, role) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def _register(
    cursor: psycopg2.extensions.cursor, form: str, partner: str, reporting_quarter: str, issued_on: str
) -> int:
    cursor.execute(
        """insert into ledger.load
        (file_sha256, file_name, file_bytes, archive_path, partner_code, form, reporting_quarter, issued_on)
        values (encode(sha256(random()::text::bytea), 'hex'), 'return', 1, 'return', %s, %s, %s, %s)
        returning load_id""",
        (partner, form, reporting_quarter, date.fromisoformat(issued_on)),
    )
    (load_id,) = cursor.fetchone() or (0,)
    cursor.execute("insert into ledger.load_event (load_id, event) values (%s, 'registered')", (load_id,))
    return int(load_id)


def _admit(
    cursor: psycopg2.extensions.cursor, load_id: int, line_count: int, periods: Sequence[tuple[str, str, str]]
) -> None:
    execute_values(
        cursor,
        "insert into ledger.load_period (load_id, period_type, period_start, period_end) values %s",
        [(load_id, *period) for period in periods],
    )
    cursor.execute(
        """insert into ledger.verdict (load_id, verdict, line_count, quarantined_line_count, issue_count)
        values (%s, 'admitted', %s, 0, 0)""",
        (load_id, line_count),
    )
    cursor.execute("insert into ledger.load_event (load_id, event) values (%s, 'admitted')", (load_id,))
