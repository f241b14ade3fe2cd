"""Two of a kind at the same moment, in two processes: each test's name says what comes of it.

What has to meet at one moment is stopped there: by a call that waits (``Actor``), or by a lock on a table that the
other needs. No release is built here unless it says so; what is published is what was noted as checked.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from quarterday import delivering, inbox, loading, releasing, services
from quarterday.checking.facts import Examined
from quarterday.checking.suites import SuiteRun
from quarterday.settings import Settings, database_url
from quarterday.withdrawing import withdraw_release
from tests.concurrency.actors import FRESH, PATIENCE_SECONDS, Actor, Outcome, at_once
from tests.marts_support import Figure, admit_figures, deployed_template, quarters_of, rows, warehouse, year
from tests.path_support import put_into_inbox, take_in

__all__ = ["deployed_template", "warehouse"]

FORM, PARTNER, QUARTER = "first_time_entrants", "yos_stoke", "2016-17-Q4"
NOTHING_RAN = SuiteRun(0, 0, None, 0.0, 0.0)
NAME = "stoke_yos_fte_2016-17-Q4.csv"
ROUNDS = 3


def write_return(folder: Path, issued: str = "28/04/2017", last: int = 41, name: str = NAME) -> Path:
    """Write a return of the youth offending service of Stoke."""
    lines = [f"Issued {issued}", "When,Young people new to the system", "2015/16 Baseline,96"]
    lines += [f"2016/17 Q{number},{value}" for number, value in enumerate((24, 38, 36, last), start=1)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def ledger(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    """Return what stands in the ledger, or in landing."""
    return rows(settings, statement, role="owner")


def values(outcomes: list[Outcome]) -> list[Any]:
    """Return what the processes returned, when none of them failed."""
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return [outcome.value for outcome in outcomes]


def events(settings: Settings) -> list[str]:
    """Return what happened to loads, in order."""
    return [event for (event,) in ledger(settings, "select event from ledger.load_event order by load_event_id")]


@contextmanager
def table_held(settings: Settings, table: str) -> Iterator[None]:
    """Let nobody write to a table until the block ends; it can be read."""
    connection = psycopg2.connect(database_url(settings, "owner"))
    try:
        connection.cursor().execute(f"lock table {table} in share mode")
        yield
    finally:
        connection.close()


@pytest.fixture(scope="module", autouse=True)
def heavy_modules() -> None:
    """Import once what each process would have to import, as the scheduler does for its tasks."""
    for name in ("great_expectations", "great_expectations.expectations", "openpyxl"):
        importlib.import_module(name)


# --- The inbox and the loads ---


def test_one_file_under_two_sweeps_is_one_load_that_arrived_once(settings: Settings, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        put_into_inbox(write_return(tmp_path, last=number), PARTNER, settings)
        swept = values(at_once(*[partial(inbox.sweep, settings)] * 2))
        assert sorted(len(each.registered) for each in swept) == [0, 1]
        assert [each.failures for each in swept] == [{}, {}]
    assert ledger(settings, "select count(*), count(distinct file_sha256) from ledger.load") == [(ROUNDS, ROUNDS)]
    assert ledger(settings, "select count(*), count(*) filter (where was_known) from ledger.arrival") == [(ROUNDS, 0)]


@pytest.mark.parametrize("point", ["quarterday.inbox:known_load", "quarterday.inbox:insert_load"])
def test_a_sweep_waits_for_one_that_has_a_file_in_hand(settings: Settings, tmp_path: Path, point: str) -> None:
    put_into_inbox(write_return(tmp_path), PARTNER, settings)
    first = Actor(partial(inbox.sweep, settings), stops_before=point).start()
    second = Actor(partial(inbox.sweep, settings)).start()
    assert second.is_at_work()
    assert [len(each.registered) for each in values([first.end(), second.end()])] == [1, 0]
    assert ledger(settings, "select count(*) from ledger.arrival") == [(1,)]


def test_the_same_bytes_under_two_names_in_two_sweeps_are_one_load_that_arrived_twice(
    settings: Settings, tmp_path: Path
) -> None:
    file = write_return(tmp_path)
    for name in (NAME, "stoke_yos_fte_2016-17-Q4 final.csv"):
        put_into_inbox(file, PARTNER, settings, name)
    swept = values(at_once(*[partial(inbox.sweep, settings)] * 2))
    assert {load_id for each in swept for load_id in each.registered} == {1}
    assert ledger(settings, "select was_known from ledger.arrival order by 1") == [(False,), (True,)]
    kept = [path for path in settings.archive.rglob("*") if path.is_file()]
    assert len(kept) == 2 and len({path.stat().st_ino for path in kept}) == 1


def test_one_return_taken_in_by_two_processes_is_landed_and_judged_once(settings: Settings, tmp_path: Path) -> None:
    """Also where one has landed it and stops, and the other goes all the way: it finds the verdict and adds nothing."""
    for number, point in enumerate((None, "quarterday.loading:judge_load"), start=1):
        put_into_inbox(write_return(tmp_path, last=number), PARTNER, settings)
        if point is None:
            values(at_once(*[partial(take_in, settings)] * 2))
        else:
            slow = Actor(partial(take_in, settings), stops_before=point).start()
            quick = Actor(partial(loading.land_pending, FORM, QUARTER, settings)).start()
            judged = Actor(partial(loading.judge_pending, FORM, QUARTER, settings)).start()
            values([slow.end(), quick.end(), judged.end()])
    told = "select load_id, count(*) from landing.first_time_entrants group by 1 order by 1"
    assert ledger(settings, told) == [(number, 5) for number in (1, 2)]
    assert ledger(settings, "select load_id, verdict from ledger.verdict order by 1") == [
        (number, "admitted") for number in (1, 2)
    ]
    assert events(settings).count("registered") == events(settings).count("admitted") == 2
    assert [len(list(settings.receipts.glob(f"receipt-{number}-*.html"))) for number in (1, 2)] == [1, 1]
    assert list(settings.receipts.glob("*.partial")) == []


@pytest.mark.parametrize("issued", [("28/04/2017", "12/05/2017"), ("12/05/2017", "28/04/2017")])
def test_of_two_versions_taken_in_at_once_the_one_issued_later_speaks(
    settings: Settings, tmp_path: Path, issued: tuple[str, str]
) -> None:
    """Whichever is registered first: both are admitted, one release has both, the older one stands in history."""
    for day, name in zip(issued, (NAME, NAME.replace("stoke", "Stoke")), strict=True):
        put_into_inbox(write_return(tmp_path, day, int(day[:2]), name), PARTNER, settings)
    values(at_once(*[partial(take_in, settings)] * 2))
    assert ledger(settings, "select verdict, count(*) from ledger.verdict group by 1") == [("admitted", 2)]
    release_id = releasing.begin(settings)
    planned = ledger(
        settings,
        f"""select issued_on::text, is_current
        from ledger.plan_publication({release_id}) join ledger.load using (load_id)
        where period = '[2017-01-01,2017-04-01)' order by 1""",
    )
    assert planned == [("2017-04-28", False), ("2017-05-12", True)]


# --- quarterday load ---


class AirflowAtHand:
    """Stands for Airflow: takes in what is in the inbox, in the process that asks."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def unhealthy_components(self) -> list[str]:
        """Return none."""
        return []

    def trigger(self, dag_id: str) -> str:
        """Do what the DAGs do."""
        take_in(self.settings)
        return f"run of {dag_id}"


def test_two_load_commands_at_once_each_tell_the_verdict(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one file: one load, of which both tell. Of two files: a load each."""
    monkeypatch.setattr(services, "client", AirflowAtHand)
    other = write_return(tmp_path, last=40, name=NAME.replace("Q4", "Q3"))
    for files in ([write_return(tmp_path)] * 2, [write_return(tmp_path / "new", last=42), other]):
        told = values(at_once(*(partial(delivering.deliver, file, PARTNER, settings, print_nothing) for file in files)))
        assert [verdict for verdict, _ in told] == ["admitted", "admitted"]
        assert all(file.name in receipt for file, (_, receipt) in zip(files, told, strict=True))
    assert ledger(settings, "select load_id from ledger.verdict order by 1") == [(1,), (2,), (3,)]


def print_nothing(_: str) -> None:
    """Tell nobody."""


def test_a_load_command_goes_on_when_a_sweep_takes_the_file_of_the_same_name(
    settings: Settings, tmp_path: Path
) -> None:
    file = write_return(tmp_path)
    put = partial(delivering.put_into_inbox, file, PARTNER, settings)
    put()
    again = Actor(put, stops_before="quarterday.delivering:sha256_of").start()
    assert len(inbox.sweep(settings).registered) == 1
    assert values([again.end()]) == [delivering.sha256_of(file)]
    assert len(inbox.sweep(settings).registered) == 1
    assert ledger(settings, "select was_known from ledger.arrival order by 1") == [(False,), (True,)]


# --- Releases ---


def send(settings: Settings, value: str, issued_on: str) -> int:
    """Admit one return with one figure for the first quarter of 2016-17 and the baseline year."""
    figures = [Figure(FORM, "stoke_on_trent", quarters_of(2016)[0], value)]
    figures += [Figure(FORM, "stoke_on_trent", year(2015), "96")]
    return admit_figures(settings, FORM, PARTNER, "2016-17-Q1", issued_on, figures)


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases that are not built; what is in one when it is checked is noted, as the check does."""
    monkeypatch.setattr(releasing, "build_facts", lambda release_id, settings: 0)
    monkeypatch.setattr(releasing.facts, "examine_facts", lambda release_id, *_: Examined(release_id, (), NOTHING_RAN))
    monkeypatch.setattr(releasing.noting, "draft_note", lambda *_: None)


def release(settings: Settings) -> int | None:
    """Do what quarter__release does."""
    release_id = releasing.begin(settings)
    if release_id is not None:
        releasing.build_facts(release_id, settings)
        releasing.check_facts(release_id, settings)
        releasing.publish(release_id, settings)
    return release_id


def published(settings: Settings) -> list[tuple[Any, ...]]:
    """Return every release that is published, with its loads."""
    return ledger(
        settings,
        """select release_id, array_agg(load_id order by load_id), min(load_count) from ledger.release
        join ledger.release_load using (release_id) where published_at is not null group by 1 order by 1""",
    )


def current(settings: Settings) -> list[int]:
    """Return which loads speak."""
    found = ledger(
        settings, "select distinct load_id from ledger.publication where upper_inf(known) and upper_inf(issued)"
    )
    return sorted(load_id for (load_id,) in found)


@pytest.mark.usefixtures("unbuilt")
def test_two_releases_at_once_are_one_that_is_published_once(warehouse: Settings) -> None:
    for number in range(1, ROUNDS + 1):
        load_id = send(warehouse, str(number), f"2016-07-2{number}")
        assert set(values(at_once(*[partial(release, warehouse)] * 2))) <= {number, None}
        assert published(warehouse)[-1] == (number, [load_id], 1)
    assert events(warehouse).count("released") == ROUNDS


@pytest.mark.usefixtures("unbuilt")
def test_a_return_that_comes_while_a_release_is_published_is_in_the_next_one(warehouse: Settings) -> None:
    """The release that asks for it waits for the publication; it does not join what is being published."""
    first = send(warehouse, "24", "2016-07-20")
    release_id = releasing.begin(warehouse)
    assert release_id is not None
    releasing.check_facts(release_id, warehouse)
    with table_held(warehouse, "ledger.load_event"):
        publishing = Actor(partial(releasing.publish, release_id, warehouse)).start()
        assert publishing.is_at_work()
        second = admit_while_held(warehouse)
        opening = Actor(partial(releasing.begin, warehouse)).start()
        assert opening.is_at_work()
    assert values([publishing.end(), opening.end()]) == [2, release_id + 1]
    assert published(warehouse) == [(release_id, [first], 1)]
    in_next = f"select load_id from ledger.release_load where release_id = {release_id + 1}"
    assert ledger(warehouse, in_next) == [(second,)]


def admit_while_held(settings: Settings) -> int:
    """Admit a return but for its events, which nobody can write now."""
    with psycopg2.connect(database_url(settings, "owner")) as connection, connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.load (file_sha256, file_name, file_bytes, archive_path, partner_code, form,
                reporting_quarter, issued_on)
            values (repeat('a', 64), 'return', 1, 'return', %s, %s, '2016-17-Q2', '2016-10-20') returning load_id""",
            (PARTNER, FORM),
        )
        (load_id,) = cursor.fetchone() or (0,)
        cursor.execute("insert into ledger.verdict values (%s, 'admitted', 0, 0, 0)", (load_id,))
    return int(load_id)


@pytest.mark.usefixtures("unbuilt")
def test_a_return_admitted_between_check_and_publication_is_in_the_next_release(warehouse: Settings) -> None:
    """Where another release has taken it in meanwhile, the first is refused and the second publishes both."""
    first = send(warehouse, "24", "2016-07-20")
    slow = Actor(partial(release, warehouse), stops_before="quarterday.releasing:publish").start()
    second = send(warehouse, "25", "2016-08-20")
    assert values([slow.end()]) == [1]
    assert published(warehouse) == [(1, [first], 1)]
    slow = Actor(partial(release, warehouse), stops_before="quarterday.releasing:publish").start()
    third = send(warehouse, "26", "2016-09-20")
    opened = releasing.begin(warehouse)
    refused = slow.end().error or ""
    assert refused.startswith("ObjectNotInPrerequisiteState: release 2 is not what was checked")
    assert current(warehouse) == [first]
    assert release(warehouse) == opened == 2
    assert published(warehouse) == [(1, [first], 1), (2, [second, third], 2)]
    assert current(warehouse) == [third]


@pytest.mark.usefixtures("unbuilt")
def test_a_check_that_ends_after_another_run_has_published_changes_nothing(warehouse: Settings) -> None:
    load_id = send(warehouse, "24", "2016-07-20")
    slow = Actor(partial(release, warehouse), stops_before="quarterday.checking.facts:examine_facts").start()
    assert release(warehouse) == 1
    with psycopg2.connect(database_url(warehouse, "owner")) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.correction_note values (1, 'scheduled revision', 'kept', 'kept', repeat('a', 64))"
        )
    assert values([slow.end()]) == [1]
    assert ledger(warehouse, "select markdown, checked_loads from ledger.correction_note, ledger.release") == [
        ("kept", [load_id])
    ]


@pytest.mark.usefixtures("unbuilt")
def test_a_load_withdrawn_while_its_release_is_published_is_refused_as_released(warehouse: Settings) -> None:
    load_id = send(warehouse, "24", "2016-07-20")
    release_id = releasing.begin(warehouse)
    assert release_id is not None
    releasing.check_facts(release_id, warehouse)
    with table_held(warehouse, "ledger.publication"):
        publishing = Actor(partial(releasing.publish, release_id, warehouse)).start()
        assert publishing.is_at_work()
        withdrawing = Actor(partial(loading.withdraw_load, load_id, "wrong", warehouse)).start()
        assert withdrawing.is_at_work()
    assert values([publishing.end()]) == [2]
    assert "is released: only an admitted load that is not released" in (withdrawing.end().error or "")
    assert events(warehouse)[-1] == "released"


@pytest.mark.usefixtures("unbuilt")
def test_a_load_withdrawn_between_check_and_publication_is_not_published(warehouse: Settings) -> None:
    """The publication is refused; the next release has the others."""
    wrong, right = send(warehouse, "24", "2016-07-20"), send(warehouse, "25", "2016-08-20")
    slow = Actor(partial(release, warehouse), stops_before="quarterday.releasing:publish").start()
    loading.withdraw_load(wrong, "the wrong workbook", warehouse)
    assert (slow.end().error or "").startswith("ObjectNotInPrerequisiteState: release 1 is not what was checked")
    assert published(warehouse) == []
    assert release(warehouse) == 1
    assert published(warehouse) == [(1, [right], 1)]
    assert events(warehouse)[-2:] == ["withdrawn", "released"]


@pytest.mark.usefixtures("unbuilt")
def test_a_release_is_not_withdrawn_while_another_is_open_and_no_return_joins_a_withdrawal(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    assert release(warehouse) == 1
    second = send(warehouse, "25", "2016-08-20")
    slow = Actor(partial(release, warehouse), stops_before="quarterday.releasing:publish").start()
    refused = Actor(partial(withdraw_release, 1, "wrong", warehouse)).start().end()
    assert "Release 2 is open" in (refused.error or "")
    assert values([slow.end()]) == [2]
    withdrawing = Actor(partial(withdraw_release, 1, "wrong", warehouse), "quarterday.releasing:publish").start()
    third = send(warehouse, "26", "2016-09-20")
    # Whoever releases now finishes the withdrawal; the return waits for the next one.
    assert values([Actor(partial(release, warehouse)).start().end(), withdrawing.end()]) == [3, 3]
    assert current(warehouse) == [second]
    assert release(warehouse) == 4
    assert current(warehouse) == [third]


@pytest.mark.usefixtures("unbuilt")
def test_two_withdrawals_of_one_release_are_one_and_of_two_releases_one_is_refused(warehouse: Settings) -> None:
    for number in (1, 2, 3):
        send(warehouse, str(number), f"2016-07-2{number}")
        assert release(warehouse) == number
    same = at_once(*[partial(withdraw_release, 3, "wrong", warehouse)] * 2)
    told = sorted(str(outcome.value or outcome.error) for outcome in same)
    assert told[0] == "4" and (told[1] == "4" or "taken back already, by release 4" in told[1])
    stopped = Actor(partial(withdraw_release, 2, "wrong", warehouse), "quarterday.releasing:publish").start()
    assert "Release 5 is open" in (Actor(partial(withdraw_release, 1, "wrong", warehouse)).start().end().error or "")
    assert values([stopped.end()]) == [5]
    assert current(warehouse) == [1]
    assert events(warehouse).count("withdrawn") == 2


@pytest.mark.usefixtures("unbuilt")
def test_what_was_issued_on_the_same_day_speaks_again_when_the_later_one_is_taken_back(warehouse: Settings) -> None:
    """As with a return that was read again with corrections: it has the day of issue of the one that it corrects."""
    for value, day in (("24", "2016-07-20"), ("25", "2016-08-20"), ("26", "2016-08-20")):
        send(warehouse, value, day)
        release(warehouse)
    withdraw_release(3, "corrected wrongly", warehouse)
    assert current(warehouse) == [2]
    withdraw_release(2, "and that, too", warehouse)
    assert current(warehouse) == [1]


# --- Built by dbt ---

TOLD = """select value from mart.fct_measurement where period_key = '2016-17-Q1'
union all
select value from mart.fct_outcome
where period_key = '2016-17-Q1' and measure_code = 'first_time_entrants' and area_code = 'stoke_on_trent'"""


@pytest.mark.long
@pytest.mark.parametrize(
    "point", [None, *(f"quarterday.releasing:{step}" for step in ("build_facts", "check_facts", "publish"))]
)
def test_two_releases_built_at_once_are_one(warehouse: Settings, point: str | None) -> None:
    """Both from the start, or the one stopped before a step while the other goes all the way."""
    load_id = send(warehouse, "24", "2016-07-20")
    if point is None:
        outcomes = at_once(*[partial(release, warehouse)] * 2, context=FRESH)
    else:
        slow = Actor(partial(release, warehouse), stops_before=point, context=FRESH).start()
        quick = Actor(partial(release, warehouse), context=FRESH).start().end()
        outcomes = [quick, slow.end()]
    assert set(values(outcomes)) <= {1, None}
    assert published(warehouse) == [(1, [load_id], 1)]
    assert rows(warehouse, TOLD) == [(24,), (24,)]
    assert ledger(warehouse, "select count(*), count(distinct line_number) from core.fct_measurement") == [(2, 2)]


@pytest.mark.long
def test_a_return_that_joins_while_its_release_is_built_is_built_before_it_is_published(warehouse: Settings) -> None:
    """Taken in by a second release while dbt builds the first: one release publishes both, whole."""
    first = send(warehouse, "24", "2016-07-20")
    building = Actor(partial(release, warehouse), context=FRESH).start()
    wait_for_dbt(warehouse)
    second = send(warehouse, "25", "2016-08-20")
    other = Actor(partial(release, warehouse), context=FRESH).start()
    assert values([building.end(), other.end()]) == [1, 1]
    assert published(warehouse) == [(1, [first, second], 2)]
    assert rows(warehouse, TOLD) == [(25,), (25,)]


def wait_for_dbt(settings: Settings) -> None:
    """Wait until dbt writes a fact."""
    asked = """select count(*) from pg_stat_activity
        where application_name = 'quarterday dbt' and datname = current_database()"""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while ledger(settings, asked) == [(0,)]:
        assert time.monotonic() < deadline, f"dbt did not begin in {os.getpid()}"
        time.sleep(0.05)
