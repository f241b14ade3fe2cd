"""An operator's day on the real scheduler: twelve returns, and what board, terminal and mails say of each.

One is late, two are rejected, one has a line set aside, one is restated, one arrives twice, and one kills its worker.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from psycopg2 import sql

from quarterday import server, services
from quarterday.calendar import FinancialQuarter, due_date
from quarterday.ledger import LOAD_LOCK
from quarterday.notifying.composing import day_shown, quarter_shown
from quarterday.notifying.sending import send_notices
from quarterday.notifying.stages import LONDON, Terms, stage_on
from quarterday.operating.board import Asked, read_board
from quarterday.settings import Settings, database_url
from quarterday.supervising import service_processes
from quarterday.warehouse import connect
from tests.conftest import PROJECT, database_named, run_on_server, session_settings
from tests.mail_sink import MailSink, mail_sink
from tests.path_support import expected_returns, rows_of, send
from tests.scheduler import test_real_scheduler as real
from tests.scheduler.test_real_scheduler import finish_work, wait_until

pytestmark = [pytest.mark.scheduler, pytest.mark.long]

# A morning is ten returns of ten quarters.
PATIENCE_SECONDS = 900.0
KILLER = "custody-visiting-2016-17.csv"
TWICE = "Business Crime Advisor 2016-17 Q4.csv"
RESTATING = "victim-gateway-2017-18-Q3-corrected.xlsx"
MORNING = [
    "FTE return 2016-17 Q4 Staffordshire.xlsx",
    "stoke_yos_fte_2016-17-Q4.csv",
    "victim-gateway-2017-18-Q3.xlsx",
    "rj-hub_2017-18-Q3.csv",
    "rj-hub_2017-18-Q4.csv",
    "victim-gateway-2020-21-Q2.xlsx",
    "Business Crime Advisor 2020-21 Q2.csv",
    TWICE,
    "princes-trust-2016-17-Q4.ods",
    "modern-slavery_2016-17-Q4.csv",
]


@dataclass(frozen=True)
class LateReturn:
    """A return of the newest quarter that is over, whose due day was the last that makes it late by now."""

    quarter: str
    working_days: int
    due: date

    @classmethod
    def now(cls) -> LateReturn:
        """Return the one that is late at the moment, by the clock on the wall."""
        quarter = FinancialQuarter.of(datetime.now(LONDON).date()).previous()
        terms = Terms(reminder=5, escalation=10)
        late = [
            cls(str(quarter), number, due)
            for number in range(100)
            if stage_on(datetime.now(LONDON), due := due_date(quarter.end, number), terms) == "late"
        ]
        if not late:
            pytest.skip(
                "the quarter ended less than a working day ago: nothing of it can be late yet", allow_module_level=True
            )
        return late[-1]


LATE = LateReturn.now()
# What the board has to say: the state of each form, partner and quarter that was due or came.
WANTED = {
    "business_crime_advisor|chamber_of_commerce|2016-17-Q4": "released",
    "business_crime_advisor|chamber_of_commerce|2020-21-Q2": "quarantined",
    "custody_visiting|icv_scheme|2016-17-Q4": "released",
    f"da_workplace|chamber_of_commerce|{LATE.quarter}": "late",
    "first_time_entrants|yos_staffordshire|2016-17-Q4": "released",
    "first_time_entrants|yos_stoke|2016-17-Q4": "released",
    "modern_slavery_support|modern_slavery_partnership|2016-17-Q4": "released",
    "princes_trust|princes_trust|2016-17-Q4": "released",
    "restorative_justice_hub|rj_hub|2017-18-Q3": "released",
    "restorative_justice_hub|rj_hub|2017-18-Q4": "rejected",
    "victim_gateway|citizens_advice|2017-18-Q3": "restated",
    "victim_gateway|citizens_advice|2020-21-Q2": "rejected",
}
TO_PARTNERS = [
    ("business-crime@chamber.example", "Business Crime Advisor, 2020-21 Q2: 1 line set aside"),
    ("hub@rj-hub.example", "Restorative Justice Hub, 2017-18 Q4: we could not accept your return"),
    ("victim-gateway@citizens-advice.example", "Victim Gateway, 2020-21 Q2: we could not accept your return"),
    (
        "workplace-champions@chamber.example",
        f"DA Workplace, {quarter_shown(LATE.quarter)}: was due on {day_shown(LATE.due)} and has not come",
    ),
]


def rows_named(*files: str) -> list[dict[str, str]]:
    """The rows of the demo's list for some files, in the files' order."""
    known = {row["file"]: row for row in expected_returns()}
    return [known[file] for file in files]


@pytest.fixture(scope="module")
def sink() -> Iterator[MailSink]:
    """The mail server of the day."""
    with mail_sink() as running:
        os.environ["QUARTERDAY_NOTIFY_MAIL"] = running.url
        yield running
        del os.environ["QUARTERDAY_NOTIFY_MAIL"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, sink: MailSink) -> Iterator[Settings]:
    """An installation in which one form may set half of its lines aside, and only the day's returns are due."""
    home: Path = tmp_path_factory.mktemp("day")
    for folder in ("dags", "returns", "expectations", "dbt_project"):
        shutil.copytree(PROJECT / folder, home / "project" / folder)
    limit, due = "property: quarantineLimit\n    value: ", "property: dueWorkingDays\n    value: "
    end = "  - property: contractEnd\n    value: '2023-09-30'\n"
    change(home / "project" / "returns" / "business_crime_advisor", {f"{limit}0": f"{limit}0.5"})
    change(home / "project" / "returns" / "da_workplace", {f"{due}20": f"{due}{LATE.working_days}", end: ""})
    name = f"quarterday_test_day_{os.getpid()}"
    settings = replace(
        session_settings(),
        project=home / "project",
        home=home / "home",
        inbox=home / "inbox",
        archive=home / "archive",
        receipts=home / "receipts",
        server_url=database_named(name),
    )
    real.PATIENCE_SECONDS = PATIENCE_SECONDS
    try:
        services.up(settings)
        expect_only_the_day(settings)
        yield settings
    finally:
        services.down(settings)
        for database in (name, f"{name}_airflow"):
            run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def change(form: Path, replaced: dict[str, str]) -> None:
    """Change the contract of a form."""
    path = form / "contract.odcs.yaml"
    text = path.read_text()
    for old, new in replaced.items():
        assert text.count(old) == 1, f"{path.parent.name} has no {old!r}"
        text = text.replace(old, new)
    path.write_text(text)


def expect_only_the_day(settings: Settings) -> None:
    """Leave due what the day is about, and watch the newest quarter alone: who is late with older ones is history."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """delete from ledger.expected_return
            where form || '|' || partner_code || '|' || reporting_quarter <> all(%s)""",
            (list(WANTED),),
        )
        cursor.execute("update ledger.notifying set watched_since = %s", (LATE.due,))


def kill_who_lands_the_first(settings: Settings) -> None:
    """Kill the process of the task that lands load 1: kept waiting for the load's lock, it is found by its port."""
    services.client(settings).trigger("inbox__sweep")
    own = service_processes(services.run_folder(settings), "scheduler")
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        ports = rows_of(
            """select client_port from pg_stat_activity
            where application_name = 'quarterday loader' and wait_event = 'advisory'""",
            settings,
            "owner",
        )
        for row in ports:
            own = service_processes(services.run_folder(settings), "scheduler")
            for process in own:
                used = {line.laddr.port for line in psutil.Process(process).net_connections("tcp") if line.laddr}
                if row["client_port"] in used:
                    os.kill(process, signal.SIGKILL)
                    return
        time.sleep(0.2)
    pytest.fail(f"no task waited for the load's lock in {deadline:.0f} s; the scheduler's processes: {own}")


def test_board_terminal_and_mails_tell_of_the_day_as_it_was(running: Settings, sink: MailSink) -> None:
    held = psycopg2.connect(database_url(running, "owner"))
    held.cursor().execute("select pg_advisory_xact_lock(hashtext(%s), 1)", (LOAD_LOCK,))
    send(rows_named(KILLER), running)
    kill_who_lands_the_first(running)
    held.close()
    finish_work(running)
    send(rows_named(*MORNING), running)
    finish_work(running)
    send(rows_named(TWICE, RESTATING), running)
    finish_work(running)
    let_deadline_pass("returns__expect_da_workplace", running)
    wait_until(lambda: "late" in kinds_of_notices(running), "the missed deadline to tell of what is late", running)
    send_notices(running, at_once=True)
    wait_until(lambda: unsent(running) == [], "every notice to be sent", running)

    assert cells(running) == WANTED
    assert told_in_the_terminal(running) == WANTED
    twice = "select count(*) as n from ledger.arrival where was_known"
    assert rows_of(twice, running, "owner") == [{"n": 1}]
    tries = """select try_number, state from ledger.task_run
    where task_id = 'land_return' and partition_key like 'custody_visiting|%' order by try_number"""
    assert rows_of(tries, running, "owner")[-1] == {"try_number": 2, "state": "success"}
    assert services.client(running).runs(states=("failed",)) == []
    assert_mails(running, sink)


def assert_mails(settings: Settings, sink: MailSink) -> None:
    """Partners were told what is theirs, once; the office of each release and of the restatement; nobody else."""
    to_partners = sorted(
        (mail.to[0], mail.subject.partition(" (receipt")[0]) for mail in sink.mails if "performance" not in mail.to[0]
    )
    assert to_partners == TO_PARTNERS
    (released,) = rows_of("select count(*) as n from ledger.release", settings, "owner")
    assert kinds_of_notices(settings) == {
        "late": 1,
        "quarantined": 1,
        "rejected": 2,
        "released": released["n"],
        "restated": 1,
    }
    told = " ".join(mail.subject + mail.html for mail in sink.mails if "performance@opcc.example" in mail.to)
    for number in range(1, released["n"] + 1):
        assert f"Release {number} is published" in told
    assert told.count("restates published figures") >= 1


def let_deadline_pass(dag_id: str, settings: Settings) -> None:
    """Move the deadlines of a DAG's runs in Airflow's own database to this moment: days are not waited for."""
    url = services.metadata_url(settings).replace("postgresql+psycopg2", "postgresql")
    of_runs = "dagrun_id in (select id from dag_run where dag_id = %s)"

    def count(statement: str) -> int:
        with server.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(statement, (dag_id,))
            return cursor.rowcount

    wait_until(
        lambda: count(f"select from deadline where {of_runs}") > 0, f"{dag_id} to have a run with a deadline", settings
    )
    assert count(f"update deadline set deadline_time = now() where {of_runs}") == 1, "the escalation alone is to come"


def kinds_of_notices(settings: Settings) -> dict[str, int]:
    """How many notices there are of each kind."""
    rows = rows_of("select kind, count(*) as n from ledger.notice group by kind", settings, "owner")
    return {row["kind"]: row["n"] for row in rows}


def unsent(settings: Settings) -> list[dict[str, Any]]:
    """The notices that no channel has taken yet."""
    return rows_of("select cause, error from ledger.notice where sent_at is null", settings, "owner")


def cells(settings: Settings) -> dict[str, str]:
    """What the board says, by form, partner and quarter."""
    with connect(settings, "loader") as connection:
        board = read_board(Asked(), connection, with_empty=False)
    return {f"{cell.form}|{cell.partner_code}|{cell.reporting_quarter}": cell.state for cell in board.cells}


def told_in_the_terminal(settings: Settings) -> dict[str, str]:
    """What ``quarterday status --json`` says of the same."""
    command = [sys.executable, "-m", "quarterday.cli", "status", "--json"]
    environment = {**os.environ, **services.airflow_environment(settings)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    board = json.loads(done.stdout)["board"]
    return {
        f"{cell['form']}|{cell['partner_code']}|{cell['reporting_quarter']}": cell["state"] for cell in board["returns"]
    }
