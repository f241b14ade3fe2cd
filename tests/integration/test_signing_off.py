"""A restatement that a rule asks about waits for a named person; the others are released without it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest

from quarterday import loading, receipts, recovering, releasing
from quarterday.errors import OperatorError
from quarterday.restating import noting, signing_off
from quarterday.restating.accepting import accept_lines
from quarterday.restating.deciding import decide_by_hand, show_waiting
from quarterday.settings import Settings
from quarterday.unfinished import unfinished_keys
from quarterday.warehouse import connect
from tests.marts_support import (
    Figure,
    admit_figures,
    copy_of,
    deployed_template,
    module_warehouse,
    quarantine,
    quarters_of,
    release,
    release_quickly,
    rows,
    year,
)

__all__ = ["deployed_template", "module_warehouse"]

Q1, Q2 = quarters_of(2016)[:2]
RULES = """rule_id,form,measure_code,priority_code,asks_about,at_least,approvers,reason
SGN-001,first_time_entrants,*,*,relative_change_pct,10,jo sam,It moves by a tenth.
SGN-002,first_time_entrants,*,*,rating,,jo,Its rating changes.
SGN-003,first_time_entrants,*,*,accepted_lines,1,jo,Lines come in by exception.
"""
VALUE = "select value from mart.fct_measurement where period_key = '2016-17-Q1' and area_code = 'stoke_on_trent'"


@pytest.fixture(scope="module")
def released(module_warehouse: Settings) -> Settings:
    """A warehouse that shows 24 for the quarter, green against a baseline of 96 a year."""
    send(module_warehouse, "24", "2016-07-20")
    release(module_warehouse)
    return module_warehouse


@pytest.fixture
def ruled(released: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The same under two rules, for one test."""
    path = tmp_path / "rules.csv"
    path.write_text(RULES)
    yield from (replace(settings, named_rules=path) for settings in copy_of(released))


def send(settings: Settings, value: str, issued_on: str, quarter: str = "2016-17-Q1") -> int:
    figures = [Figure("first_time_entrants", "stoke_on_trent", Q1 if quarter.endswith("1") else Q2, value)]
    figures += [Figure("first_time_entrants", "stoke_on_trent", year(2015), "96")]
    return admit_figures(settings, "first_time_entrants", "yos_stoke", quarter, issued_on, figures)


def clearance(load_id: int, settings: Settings) -> str:
    [(found,)] = rows(settings, f"select ledger.clearance({load_id})", role="owner")
    return str(found)


def state(load_id: int, settings: Settings) -> tuple[str, str]:
    [found] = rows(settings, f"select state, detail from ledger.load_state where load_id = {load_id}", role="owner")
    return found


def test_what_a_rule_asks_about_is_held_and_the_rest_is_released(
    ruled: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    held = send(ruled, "30", "2016-10-20")
    other = send(ruled, "22", "2016-10-20", "2016-17-Q2")
    release_id = release_quickly(ruled)
    assert rows(ruled, f"select load_id from ledger.release_load where release_id = {release_id}", "owner") == [
        (other,)
    ]
    assert rows(ruled, VALUE) == [(Decimal(24),)]
    assert state(held, ruled) == ("held", "SGN-001, SGN-002 ask for the approval of jo")
    assert releasing.begin(ruled) is None, "a held return keeps no release open"
    show_waiting(ruled)
    shown = capsys.readouterr().out
    assert "Its rating changes." in shown and "+6 (+25.0%)" in shown and "May decide: jo" in shown
    for by, reason, message in (("sam", "seen", "'sam' may not sign off"), ("jo", " ", "Give a reason")):
        with pytest.raises(OperatorError, match=message):
            decide_by_hand(held, "approved", by, reason, ruled)
    assert decide_by_hand(held, "approved", "jo", "recounted", ruled) == "first_time_entrants|2016-17-Q1"
    assert state(held, ruled) == ("approved", "by jo: recounted")
    release_quickly(ruled)
    assert rows(ruled, VALUE) == [(Decimal(30),)]
    kept = "select decision, decided_by, reason, rules, digest = (select digest from ledger.assessment where load_id ="
    kept += f" {held} order by 1 limit 1) from ledger.sign_off"
    assert rows(ruled, kept, "owner") == [("approved", "jo", "recounted", ["SGN-001", "SGN-002"], True)]
    with connect(ruled, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(noting.REASONS, {"loads": [held]})
        assert cursor.fetchall() == [(held, "signed off: recounted")], "a note goes out, and does not say by whom"
    with pytest.raises(OperatorError, match=f"Load {held} is released: there is nothing to sign off"):
        decide_by_hand(held, "declined", "jo", "too late", ruled)


def test_what_is_declined_is_never_released(ruled: Settings) -> None:
    held = send(ruled, "30", "2016-10-20")
    assert releasing.begin(ruled) is None
    decide_by_hand(held, "declined", "jo", "a wrong sheet", ruled)
    assert (releasing.begin(ruled), clearance(held, ruled)) == (None, "declined")
    later = send(ruled, "24", "2016-10-21")  # says what readers were told
    assert release_quickly(ruled) and state(later, ruled)[0] == "released"
    assert releasing.begin(ruled) is None
    assert (clearance(held, ruled), state(held, ruled)[0]) == ("declined", "declined")
    loading.withdraw_load(held, "the partner sent another", ruled)


def test_changes_other_than_the_approved_ones_are_asked_again(ruled: Settings) -> None:
    held = send(ruled, "30", "2016-10-20")
    assert releasing.begin(ruled) is None
    with connect(ruled, "builder") as connection, connection.cursor() as cursor:
        shown = signing_off.assessment_of(held, cursor)
    small = send(ruled, "25", "2016-08-20")  # 4 %, and it changes the rating: jo is asked about it, too
    assert releasing.begin(ruled) is None
    decide_by_hand(small, "approved", "jo", "right", ruled)
    signing_off.decide(held, "approved", "jo", "right", ruled, digest=shown.digest)
    assert clearance(held, ruled) == "approved"
    with connect(ruled, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.load_event (load_id, event, detail) values (%s, 'withdrawn', 'for now')", (held,)
        )
    release_quickly(ruled)
    assert rows(ruled, VALUE) == [(Decimal(25),)]
    with connect(ruled, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("delete from ledger.load_event where load_id = %s and event = 'withdrawn'", (held,))
    assert releasing.begin(ruled) is None
    assert clearance(held, ruled) == "to sign off", "it was approved from 24 to 30, and now it is from 25"
    assert state(held, ruled)[0] == "held"


def test_publishing_refuses_what_nobody_approved_however_the_release_was_made(ruled: Settings) -> None:
    held = send(ruled, "30", "2016-10-20")
    assert releasing.begin(ruled) is None
    with connect(ruled, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.release (code_version, as_of) values ('by hand', now()) returning release_id"
        )
        [(release_id,)] = cursor.fetchall()
        cursor.execute("insert into ledger.release_load values (%s, %s)", (release_id, held))
        cursor.execute("update ledger.release set checked_loads = %s where release_id = %s", ([held], release_id))
    with pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState, match="may not be published: to sign off"):
        releasing.publish(release_id, ruled)
    assert rows(ruled, VALUE) == [(Decimal(24),)]


def test_a_restatement_that_no_rule_asks_about_is_released_and_noted(ruled: Settings) -> None:
    same = send(ruled, "24", "2016-10-20")
    assert release_quickly(ruled)
    found = rows(ruled, f"select restated_count, rules from ledger.assessment where load_id = {same}", "owner")
    assert found == [(0, [])]


def test_nobody_is_asked_twice_and_a_lost_question_is_asked_again(ruled: Settings) -> None:
    held = send(ruled, "30", "2016-10-20")
    assert releasing.begin(ruled) is None
    assert signing_off.keys_to_ask(ruled) == [f"first_time_entrants|2016-17-Q1|{held}"]
    with connect(ruled, "loader") as connection:
        assert unfinished_keys(connection, [held]) == ["first_time_entrants|2016-17-Q1"]
    asked = signing_off.ask_for(held, "run 1", ruled)
    assert asked is not None and asked.approvers == ("jo",) and "SGN-002" in asked.told
    assert signing_off.ask_for(held, "run 2", ruled) is None
    assert signing_off.ask_for(held, "run 1", ruled) == asked, "a run that was cut off asks again"
    assert signing_off.keys_to_ask(ruled) == []
    with connect(ruled, "loader") as connection:
        assert unfinished_keys(connection, [held]) == []
    decide_by_hand(held, "approved", "jo", "right", ruled)
    assert signing_off.ask_for(held, "run 1", ruled) is None
    with connect(ruled, "loader") as connection:
        assert unfinished_keys(connection, [held]) == ["first_time_entrants|2016-17-Q1"]


def test_wrong_rules_keep_what_restates_from_being_released(ruled: Settings) -> None:
    send(ruled, "30", "2016-10-20")
    assert ruled.named_rules is not None
    ruled.named_rules.write_text(RULES.replace("rating", "colour"))
    with pytest.raises(OperatorError, match="line 3, column asks_about: expected one of .*; found 'colour'"):
        releasing.begin(ruled)
    assert rows(ruled, VALUE) == [(Decimal(24),)]


def set_aside(load_id: int, line_number: int, settings: Settings) -> None:
    """Have one line of a load set aside for TST-101, as judging would."""
    quarantine(settings, load_id, line_number)
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """update ledger.verdict set verdict = 'admitted_with_quarantine', quarantined_line_count = 1
            where load_id = %s""",
            (load_id,),
        )


def test_lines_come_in_by_exception_once_a_named_person_approves(ruled: Settings) -> None:
    load_id = send(ruled, "22", "2016-10-20", "2016-17-Q2")
    set_aside(load_id, 2, ruled)
    for check_id, by, message in (("TST-102", "op", "for TST-102; lines were for TST-101"), ("TST-101", "", "--by")):
        with pytest.raises(OperatorError, match=message):
            accept_lines(load_id, [check_id], "the service confirmed it", by, ruled)
    accepted = accept_lines(load_id, ["TST-101"], "the service confirmed it", "op", ruled)
    assert (accepted.load_id, accepted.line_count, accepted.is_read_again) == (load_id, 1, False)
    with pytest.raises(OperatorError, match="asked for already"):
        accept_lines(load_id, ["TST-101"], "again", "op", ruled)
    assert releasing.begin(ruled) is None
    assert state(load_id, ruled) == ("held", "SGN-003 asks for the approval of jo")
    with connect(ruled, "loader") as connection:
        receipt = receipts.as_text(load_id, connection)
        assert "set aside; an exception is asked for" in receipt and "Lines taken in: 1 of 2" in receipt
    decide_by_hand(load_id, "approved", "jo", "seen the letter", ruled)
    release_quickly(ruled)
    assert rows(ruled, VALUE.replace("Q1", "Q2")) == [(Decimal(22),)]
    with connect(ruled, "loader") as connection:
        receipt = receipts.as_text(load_id, connection)
        assert "taken in by exception" in receipt and "Lines taken in: 2 of 2" in receipt
    assert "taken in by exception" in next(ruled.receipts.glob(f"receipt-{load_id}-*.html")).read_text()


def test_a_declined_exception_lapses_and_the_rest_of_the_return_goes_on(ruled: Settings) -> None:
    load_id = send(ruled, "22", "2016-07-21", "2016-17-Q2")
    set_aside(load_id, 2, ruled)
    accept_lines(load_id, ["TST-101"], "the service says so", "op", ruled)
    assert releasing.begin(ruled) is None
    decide_by_hand(load_id, "declined", "jo", "no letter", ruled)
    release_quickly(ruled)
    assert rows(ruled, VALUE.replace("Q1", "Q2")) == []
    assert state(load_id, ruled)[0] == "released"


def test_a_receipt_that_a_kill_kept_back_after_a_decision_is_written_by_the_next_sweep(
    ruled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = send(ruled, "22", "2016-10-20", "2016-17-Q2")
    set_aside(load_id, 2, ruled)
    accept_lines(load_id, ["TST-101"], "the service confirmed it", "op", ruled)
    assert releasing.begin(ruled) is None
    with connect(ruled, "loader") as connection:
        page = receipts.write_receipt(load_id, connection, ruled.receipts)
    monkeypatch.setattr(signing_off, "write_receipt", lambda *words: None)  # killed after its commit
    decide_by_hand(load_id, "approved", "jo", "seen the letter", ruled)
    assert "taken in by exception" not in page.read_text()
    with connect(ruled, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.sign_off set decided_at = decided_at - interval '2 minutes'")
    os.utime(page, (time.time() - 300, time.time() - 300))
    assert load_id in recovering.write_lost_receipts(ruled)
    assert "taken in by exception" in page.read_text()
    assert load_id not in recovering.write_lost_receipts(ruled)


def test_a_released_return_is_read_again_to_take_lines_in(ruled: Settings) -> None:
    load_id = send(ruled, "22", "2016-10-20", "2016-17-Q2")
    set_aside(load_id, 2, ruled)
    release_quickly(ruled)
    accepted = accept_lines(load_id, ["TST-101"], "the service confirmed it", "op", ruled)
    assert accepted.is_read_again and accepted.load_id != load_id
    told = f"load {load_id} again, with lines accepted that failed TST-101"
    assert state(accepted.load_id, ruled) == ("registered", told)
    with pytest.raises(OperatorError, match=f"read again already, as load {accepted.load_id}"):
        accept_lines(load_id, ["TST-101"], "once more", "op", ruled)
    assert ruled.named_rules is not None
    ruled.named_rules.write_text(RULES.splitlines()[0] + "\n")
    with pytest.raises(OperatorError, match="No rule in rules.csv says who approves"):
        accept_lines(load_id, ["TST-101"], "the service confirmed it", "op", ruled)
