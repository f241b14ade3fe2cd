"""Late returns by a fixed clock: who is told when, once, and that neither history nor a long stop is a storm."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from quarterday.notifying.lateness import expect, note_lateness, still_waited_for
from quarterday.notifying.sending import send_notices, shown
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.mail_sink import mail_sink
from tests.path_support import rows_of

VICTIM_GATEWAY = "victim_gateway|citizens_advice|2017-18-Q3"
# 20 working days after 31 December 2017.
DUE = "due on 2018-01-29"


def at(day: str, hour: int = 9) -> datetime:
    """A moment of a day."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)


def run(statement: str, settings: Settings) -> None:
    """Change the ledger, as its owner."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def watched(settings: Settings) -> Settings:
    """A warehouse that has watched since the beginning of 2018 and waits for one return."""
    run("update ledger.notifying set watched_since = '2018-01-01'", settings)
    run(
        "delete from ledger.expected_return where (form, reporting_quarter) <> ('victim_gateway', '2017-18-Q3')",
        settings,
    )
    return settings


def take(verdict: str, settings: Settings) -> int:
    """Put a judged return of the Victim Gateway for the quarter into the ledger; return its load."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.load
            (file_sha256, file_name, file_bytes, archive_path, partner_code, form, edition, reporting_quarter)
            values (md5(%s) || md5(%s), 'a.xlsx', 1, '', 'citizens_advice', 'victim_gateway', '1', '2017-18-Q3')
            returning load_id""",
            (verdict, verdict),
        )
        (load_id,) = cursor.fetchone() or (0,)
        cursor.execute("insert into ledger.load_event (load_id, event) values (%s, 'registered')", (load_id,))
        if verdict:
            cursor.execute("insert into ledger.verdict values (%s, %s, 9, 0, 1, '1.0.0')", (load_id, verdict))
            cursor.execute(
                "insert into ledger.load_event (load_id, event) values (%s, %s)", (load_id, verdict.split("_")[0])
            )
    return int(load_id)


def test_reminder_late_and_escalation_are_told_once_each(watched: Settings) -> None:
    told = {day: note_lateness(watched, at(day)) for day in ("2018-01-19", "2018-01-22", "2018-01-23", "2018-01-29")}
    assert told["2018-01-22"] == [f"{VICTIM_GATEWAY} reminder, {DUE}"]
    assert [day for day, causes in told.items() if causes] == ["2018-01-22"]
    assert note_lateness(watched, at("2018-01-30", hour=7)) == []
    assert note_lateness(watched, at("2018-01-30")) == [f"{VICTIM_GATEWAY} late, {DUE}"]
    refused = take("rejected", watched)
    assert note_lateness(watched, at("2018-02-12")) == [f"{VICTIM_GATEWAY} escalation, {DUE}"]
    assert note_lateness(watched, at("2018-05-01")) == []
    found = {notice.kind: notice for notice in shown(9, watched)}
    partner = ("victim-gateway@citizens-advice.example",)
    assert found["reminder"].recipients == partner
    assert found["late"].recipients == (*partner, "data-engineering@opcc.example")
    assert found["escalation"].recipients == ("performance@opcc.example",)
    assert found["reminder"].subject == "Victim Gateway, 2017-18 Q3: due on 29 January 2018"
    assert found["late"].subject == "Victim Gateway, 2017-18 Q3: was due on 29 January 2018 and has not come"
    assert found["escalation"].subject == "Victim Gateway, 2017-18 Q3: 10 working days late"
    assert f"What it sent (receipt {refused}) could not be accepted." in str(found["escalation"].body)
    assert partner[0] in str(found["escalation"].body)


@pytest.mark.parametrize("verdict", ["", "admitted", "admitted_with_quarantine"])
def test_who_has_sent_is_not_reminded(watched: Settings, verdict: str) -> None:
    load_id = take(verdict, watched)
    assert note_lateness(watched, at("2018-03-01")) == []
    assert still_waited_for("victim_gateway", "2017-18-Q3", watched) == ([] if verdict else ["citizens_advice"])
    if verdict:
        run(f"insert into ledger.load_event (load_id, event) values ({load_id}, 'withdrawn')", watched)
        assert still_waited_for("victim_gateway", "2017-18-Q3", watched) == ["citizens_advice"]
        assert len(note_lateness(watched, at("2018-03-01"))) == 1


def test_returns_that_were_due_before_the_warehouse_watched_are_silent(settings: Settings) -> None:
    (found,) = rows_of("select count(*) as missing from ledger.missing_return", settings, "owner")
    assert found["missing"] > 300, "none of the demo's returns is in"
    assert note_lateness(settings) == []
    assert note_lateness(settings, datetime(2040, 1, 1, tzinfo=UTC)) == []


def test_after_a_long_stop_each_is_told_of_one_digest(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run("update ledger.notifying set watched_since = '2017-04-01'", settings)
    causes = note_lateness(settings, at("2018-08-20"))
    assert len(causes) > 60 and len(set(causes)) == len(causes)
    (late,) = rows_of(
        "select count(*) as n from ledger.missing_return where due_on between '2017-04-01' and '2018-08-19'",
        settings,
        "owner",
    )
    assert len([cause for cause in causes if " reminder, " not in cause]) == late["n"], (
        "one for each, whatever it passed"
    )
    with mail_sink() as sink:
        monkeypatch.setenv("QUARTERDAY_NOTIFY_MAIL", sink.url)
        send_notices(settings)
        office = [mail for mail in sink.mails if mail.to == ["performance@opcc.example"]]
        assert len(office) == 1 and office[0].subject.startswith(f"{sum(' escalation, ' in c for c in causes)} notices")
        sink.mails.clear()
        assert note_lateness(settings, at("2018-08-20")) == []
        assert (send_notices(settings, at_once=True).messages, sink.mails) == (0, [])


def test_a_return_with_a_lag_of_two_years_is_due_two_years_later(settings: Settings) -> None:
    run("update ledger.notifying set watched_since = '2016-01-01'", settings)
    run("delete from ledger.expected_return where form <> 'proven_reoffending'", settings)
    assert note_lateness(settings, at("2018-03-01")) == []
    (first, *_) = note_lateness(settings, at("2018-05-01"))
    assert first == "proven_reoffending|ministry_of_justice|2015-16-Q3 late, due on 2018-04-25"


def test_a_quarter_that_begins_after_the_last_migration_is_expected_when_its_run_begins(settings: Settings) -> None:
    run("delete from ledger.expected_return", settings)
    assert expect("victim_gateway", "2017-18-Q3", settings) == date(2018, 1, 29)
    assert expect("victim_gateway", "2017-18-Q3", settings) == date(2018, 1, 29)
    assert still_waited_for("victim_gateway", "2017-18-Q3", settings) == ["citizens_advice"]
    assert expect("victim_gateway", "2030-31-Q1", settings) is None, "the contract has ended"
    assert expect("budget_outturn", "2017-18-Q1", settings) is None, "once a year, after the fourth quarter"
    assert len(rows_of("select 1 from ledger.expected_return", settings, "owner")) == 1


def test_the_wait_ends_when_the_return_is_accepted(watched: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    from quarterday.expecting import AwaitReturns, ReturnsAccepted

    monkeypatch.setenv("QUARTERDAY_DATABASE_URL", watched.server_url or "")
    monkeypatch.setenv("QUARTERDAY_SECRETS", str(watched.secrets))
    task = AwaitReturns(task_id="await_returns")
    context = {"dag_run": SimpleNamespace(partition_key="victim_gateway|2017-18-Q3")}
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    path, made_of = deferred.value.trigger.serialize()
    assert path.endswith(ReturnsAccepted.__name__)

    async def wait() -> str:
        waiting = ReturnsAccepted(**{**made_of, "look_every": 0.05}).run()
        first = asyncio.ensure_future(anext(waiting))
        await asyncio.sleep(0.3)
        assert not first.done()
        await asyncio.to_thread(take, "admitted", watched)
        return str((await asyncio.wait_for(first, 20)).payload)

    assert asyncio.run(wait()) == task.execute(context) == "victim_gateway|2017-18-Q3"
