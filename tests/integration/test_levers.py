"""A paused form loses nothing and loads nothing; a range of quarters is run again, and only what is not done."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from quarterday import inbox, levers, loading, releasing
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from tests.path_support import DEMO, expected_returns, put_into_inbox, rows_of, take_in

GOOD = next(row for row in expected_returns(1) if row["form"] == "restorative_justice_hub")
OTHER = next(row for row in expected_returns(1) if row["form"] == "custody_visiting")
FORM, QUARTER = GOOD["form"], GOOD["reporting_quarter"]
KEY = f"{FORM}|{QUARTER}"


class Runs:
    """Stands for Airflow: keeps what it is asked to run."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def trigger(self, dag_id: str, partition_key: str) -> str:
        assert dag_id == "returns__load"
        self.keys.append(partition_key)
        return f"manual__{len(self.keys)}"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    asked = Runs()
    monkeypatch.setattr(levers, "_airflow", lambda settings: asked)
    return asked


def put(settings: Settings, rows: Sequence[dict[str, str]] = (GOOD,)) -> None:
    for row in rows:
        put_into_inbox(DEMO / "returns" / row["partner_code"] / row["file"], row["partner_code"], settings)


def states(settings: Settings) -> dict[str, str]:
    found = rows_of("select form, state from ledger.load_state", settings, "loader")
    return {row["form"]: row["state"] for row in found}


def test_a_paused_form_is_received_and_archived_and_nothing_more(settings: Settings, runs: Runs) -> None:
    assert levers.pause(FORM, "ada", "corrected workbooks come on Monday", settings) == 0
    put(settings, (GOOD, OTHER))
    swept = inbox.sweep(settings)
    assert len(swept.registered) == 2 and swept.keys == [f"{OTHER['form']}|{OTHER['reporting_quarter']}"]
    for form, quarter in ((FORM, QUARTER), (OTHER["form"], OTHER["reporting_quarter"])):
        loading.land_pending(form, quarter, settings)
        loading.judge_pending(form, quarter, settings)
    assert states(settings) == {FORM: "paused", OTHER["form"]: "admitted"}
    (load,) = rows_of(f"select archive_path from ledger.load where form = '{FORM}'", settings, "loader")
    assert (settings.archive / load["archive_path"]).read_bytes() == (
        DEMO / "returns" / GOOD["partner_code"] / GOOD["file"]
    ).read_bytes()
    # The release does not wait for what is paused.
    assert releasing.begin(settings, wait_for_arriving=True) is not None
    assert levers.resume(FORM, "ada", settings) == [KEY]
    assert levers.wake([KEY], settings) and runs.keys == [KEY]
    loading.land_pending(FORM, QUARTER, settings)
    loading.judge_pending(FORM, QUARTER, settings)
    assert states(settings)[FORM] == "admitted"


def test_a_return_that_was_landed_waits_for_its_verdict(settings: Settings, runs: Runs) -> None:
    put(settings)
    inbox.sweep(settings)
    loading.land_pending(FORM, QUARTER, settings)
    assert levers.pause(FORM, "ada", "the contract changes", settings) == 1
    assert loading.judge_pending(FORM, QUARTER, settings) == {}
    levers.resume(FORM, "ada", settings)
    assert list(loading.judge_pending(FORM, QUARTER, settings).values()) == ["admitted"]
    with pytest.raises(OperatorError, match="not paused"):
        levers.resume(FORM, "ada", settings)


def test_a_pause_says_who_and_why_and_holds_off_runs(settings: Settings, runs: Runs) -> None:
    put(settings)
    inbox.sweep(settings)
    with pytest.raises(OperatorError, match="who pauses"):
        levers.pause(FORM, "ada", " ", settings)
    levers.pause(FORM, "ada", "corrected workbooks", settings)
    for again in (
        lambda: levers.pause(FORM, "bob", "me too", settings),
        lambda: levers.rerun(FORM, QUARTER, settings),
    ):
        with pytest.raises(OperatorError, match="paused by ada since .*: corrected workbooks"):
            again()
    assert runs.keys == []


def test_a_backfill_runs_what_is_not_done_in_its_range(settings: Settings, runs: Runs) -> None:
    put(settings)
    inbox.sweep(settings)
    (told,) = levers.backfill(FORM, QUARTER, QUARTER, settings, is_dry=True)
    assert (told.states, told.run_id, runs.keys) == ({"registered": 1}, None, [])
    assert levers.backfill(FORM, "2010-11-Q1", "2011-12-Q4", settings) == []
    (told,) = levers.backfill(FORM, "2010-11-Q1", QUARTER, settings)
    assert (told.run_id, runs.keys) == ("manual__1", [KEY])
    take_in(settings)
    loading.land_pending(FORM, QUARTER, settings)
    loading.judge_pending(FORM, QUARTER, settings)
    (load,) = rows_of("select load_id from ledger.load", settings, "loader")
    loading.withdraw_load(load["load_id"], "not wanted", settings)
    levers.backfill(FORM, QUARTER, QUARTER, settings)
    assert runs.keys == [KEY], "what is withdrawn is done"
    assert levers.rerun(FORM, QUARTER, settings).run_id == "manual__2"


def test_what_cannot_be_run_is_told(settings: Settings, runs: Runs) -> None:
    for call, words in (
        (lambda: levers.rerun("victim_gatewai", QUARTER, settings), "Did you mean"),
        (lambda: levers.rerun(FORM, "2017-18", settings), "no financial quarter"),
        (lambda: levers.rerun(FORM, QUARTER, settings), "ever received"),
        (lambda: levers.backfill(FORM, "2017-18-Q2", "2017-18-Q1", settings), "earlier quarter first"),
    ):
        with pytest.raises(OperatorError, match=words):
            call()
    assert runs.keys == []


def test_airflow_that_is_down_is_told(settings: Settings) -> None:
    put(settings)
    inbox.sweep(settings)
    with pytest.raises(OperatorError, match="quarterday up"):
        levers.rerun(FORM, QUARTER, settings)
    assert levers.wake([KEY], settings) is False
