"""One day of returns in a warehouse of its own, from the inbox on: something in every state that the board knows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from quarterday import inbox, releasing
from quarterday.calendar import FinancialQuarter
from quarterday.ledger import note_event
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.conftest import PROJECT
from tests.marts_support import copy_of
from tests.path_support import DEMO, put_into_inbox, take_in

GATEWAY = "victim-gateway-2017-18-Q3.xlsx"
RESTATING = "victim-gateway-2017-18-Q3-corrected.xlsx"
REJECTED = "rj-hub_2017-18-Q4.csv"
SET_ASIDE = "Business Crime Advisor 2020-21 Q2.csv"
ADMITTED = "Business Crime Advisor 2017-18 Q3.csv"
HELD = "stoke_yos_fte_2017-18-Q3.csv"
RECEIVED = "victim-gateway-2016-17-Q4.xlsx"
RELEASED = "rj-hub_2017-18-Q3.csv"
FAILED = "victim-gateway-2020-21-Q1.xlsx"
UNKNOWN = "figures.csv"
SENDERS = {
    "victim": "citizens_advice",
    "rj-hub": "rj_hub",
    "Business": "chamber_of_commerce",
    "stoke": "yos_stoke",
}
# Reading all fifty forms at each step would take longer than the day.
FORMS = ("victim_gateway", "restorative_justice_hub", "business_crime_advisor", "first_time_entrants")
TODAY = datetime.now(UTC).date()


def place(tmp: Path, settings: Settings) -> Settings:
    """Return settings with folders of their own and a project whose advisor may have half of its lines set aside."""
    project = tmp / "project"
    project.mkdir()
    for entry in PROJECT.iterdir():
        if entry.name not in ("returns", ".git", ".venv"):
            (project / entry.name).symlink_to(entry)
    for name in FORMS:
        shutil.copytree(PROJECT / "returns" / name, project / "returns" / name)
    for file in (PROJECT / "returns").glob("*.csv"):
        shutil.copy(file, project / "returns")
    contract = project / "returns" / "business_crime_advisor" / "contract.odcs.yaml"
    text = contract.read_text()
    contract.write_text(re.sub(r"(property: quarantineLimit\s+value: )0\b", r"\g<1>0.5", text))
    assert contract.read_text() != text
    folders = {name: tmp / name for name in ("home", "inbox", "archive", "receipts")}
    return replace(settings, project=project, **folders)


def warehouse_of_its_own(settings: Settings, tmp: Path) -> Iterator[Settings]:
    """Give a copy of a warehouse in which the day has passed."""
    for copied in copy_of(settings):
        own = place(tmp, copied)
        pass_the_day(own)
        yield own


def pass_the_day(settings: Settings) -> None:
    """Take in the day's files, and leave each return where it belongs."""
    arrive([GATEWAY, RELEASED], settings)
    take_in(settings)
    publish(settings)
    arrive([RESTATING, REJECTED, SET_ASIDE, ADMITTED, HELD], settings)
    put_into_inbox(DEMO / "returns" / "rj_hub" / RELEASED, "rj_hub", settings, UNKNOWN)
    take_in(settings)
    publish(settings, RESTATING)
    arrive([RECEIVED, FAILED, GATEWAY], settings)  # the last comes for the second time
    inbox.sweep(settings)
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        note_event(load_of(HELD, settings), "held", "SGN-001 asks for the approval of jo", connection)
        cursor.execute(
            """insert into ledger.task_run (
                dag_id, task_id, run_id, try_number, partition_key, state, started_at, ended_at, seconds, message,
                code_version
            ) values ('returns__load', 'land_return', 'scheduled__7', 3, %s, 'failed', now(), clock_timestamp(), 1.5,
                'OSError: No space left on device', 'test')""",
            ("victim_gateway|2020-21-Q1",),
        )
        cursor.executemany(
            """insert into ledger.expected_return (form, partner_code, reporting_quarter, due_on)
            values (%s, %s, %s, %s)
            on conflict (form, partner_code, reporting_quarter) do update set due_on = excluded.due_on""",
            owed_now(),
        )


def owed_now() -> list[tuple[str, str, str, date]]:
    """Return what is owed around today: not due, due and late; and figures that appear two years later."""
    now = FinancialQuarter.of(TODAY)
    return [
        ("new_era", "new_era", str(now), TODAY + timedelta(days=60)),
        ("new_era", "new_era", str(now.previous()), TODAY),
        ("new_era", "new_era", str(now.previous().previous()), TODAY - timedelta(days=1)),
        ("proven_reoffending", "ministry_of_justice", str(now.previous()), TODAY + timedelta(days=800)),
    ]


def arrive(files: Sequence[str], settings: Settings) -> None:
    """Leave demo returns in their partners' inbox folders."""
    for name in files:
        partner = next(code for start, code in SENDERS.items() if name.startswith(start))
        put_into_inbox(DEMO / "returns" / partner / name, partner, settings)


def publish(settings: Settings, *files: str) -> int:
    """Publish what is admitted, or some files' loads, without building facts of them."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        loads = [load_of(name, settings) for name in files] or releasing.pending_loads(cursor)
        cursor.execute("insert into ledger.release (code_version, as_of) values ('test', now()) returning release_id")
        (release_id,) = cursor.fetchone() or (0,)
        cursor.executemany(
            "insert into ledger.release_load (release_id, load_id) values (%s, %s)",
            [(release_id, load_id) for load_id in loads],
        )
        cursor.execute(
            "update ledger.release set checked_loads = %s where release_id = %s", (sorted(loads), release_id)
        )
        cursor.execute(
            """insert into ledger.assessment
            (load_id, against_release_id, digest, restated_count, rules, approvers, told)
            select load_id, (select max(release_id) from ledger.release where published_at is not null),
                repeat('0', 64), 0, '{}', '{}', '' from ledger.release_load where release_id = %s""",
            (release_id,),
        )
        cursor.execute(
            """insert into ledger.dbt_run (release_id, node_id, status, seconds, row_count)
            values (%s, 'model.quarterday.fct_measurement', 'success', 1.25, 18)""",
            (release_id,),
        )
    releasing.publish(int(release_id), settings)
    return int(release_id)


def load_of(file_name: str, settings: Settings) -> int:
    """Return the load of a file."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute("select max(load_id) from ledger.load where file_name = %s", (file_name,))
        (load_id,) = cursor.fetchone() or (0,)
    return int(load_id)
