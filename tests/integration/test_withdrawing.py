"""A release that is taken back: what it superseded speaks again, and history keeps what was shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from quarterday import releasing
from quarterday.dbt import DbtFailed
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.withdrawing import withdraw_release
from tests.marts_support import (
    Figure,
    admit_figures,
    deployed_template,
    quarters_of,
    release_quickly,
    rows,
    warehouse,
    year,
)

__all__ = ["deployed_template", "warehouse"]

Q1 = quarters_of(2016)[0]
VALUE = "select value from mart.fct_measurement where period_key = '2016-17-Q1'"
OUTCOME = """select value from mart.fct_outcome
where measure_code = 'first_time_entrants' and area_code = 'stoke_on_trent' and period_key = '2016-17-Q1'"""
STATE = """select state, released_version_count from mart.fct_return
where form = 'first_time_entrants' and load_id is not null"""
IN_COUNT = "select sum(return_in_count) from mart.fct_priority"
# Every version of the quarter: its value, the release that brought it, whether it is known still and speaks now.
HISTORY = """select value, release_id, known_to is null, superseded_on is null from history.fct_measurement
where period_key = '2016-17-Q1' order by publication_id"""


def send(settings: Settings, value: str, issued_on: str) -> int:
    """Admit one return with one figure for the first quarter of 2016-17 and the baseline year."""
    figures = [Figure("first_time_entrants", "stoke_on_trent", Q1, value)]
    figures += [Figure("first_time_entrants", "stoke_on_trent", year(2015), "96")]
    return admit_figures(settings, "first_time_entrants", "yos_stoke", "2016-17-Q1", issued_on, figures)


def test_what_a_release_superseded_speaks_again_and_history_keeps_both(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    first = release_quickly(warehouse)
    restated = send(warehouse, "26", "2016-10-20")
    second = release_quickly(warehouse)
    assert rows(warehouse, VALUE) == rows(warehouse, OUTCOME) == [(Decimal(26),)]
    third = withdraw_release(second, "last year's workbook", warehouse, asked_by="jo")
    said = f"select reason, asked_by from ledger.release where release_id = {third}"
    assert rows(warehouse, said, "owner") == [("last year's workbook", "jo")]
    assert rows(warehouse, VALUE) == rows(warehouse, OUTCOME) == [(Decimal(24),)]
    assert rows(warehouse, STATE) == [("released", 1)]
    # As first shown; cut short when it was restated; the restatement; and the first one, speaking again.
    assert rows(warehouse, HISTORY) == [
        (Decimal(24), first, False, True),
        (Decimal(24), second, False, False),
        (Decimal(26), second, False, True),
        (Decimal(24), third, True, True),
    ]
    told = "select withdraws, reason, published_at is not null from ledger.release order by release_id desc limit 1"
    assert rows(warehouse, told, role="owner") == [(second, "last year's workbook", True)]
    event = f"select event from ledger.load_event where load_id = {restated} order by load_event_id desc limit 1"
    assert rows(warehouse, event, role="owner") == [("withdrawn",)]
    assert releasing.begin(warehouse) is None


def test_what_a_release_alone_had_said_is_no_longer_said(warehouse: Settings) -> None:
    send(warehouse, "24", "2016-07-20")
    first = release_quickly(warehouse)
    assert rows(warehouse, IN_COUNT) == [(1,)]
    taken_back_by = withdraw_release(first, "the wrong service", warehouse)
    assert rows(warehouse, VALUE) == rows(warehouse, OUTCOME) == []
    assert rows(warehouse, IN_COUNT) in ([(0,)], [(None,)])
    with pytest.raises(OperatorError, match=f"taken back already, by release {taken_back_by}"):
        withdraw_release(first, "again", warehouse)
    with pytest.raises(OperatorError, match=f"took release {first} back and can't be taken back itself"):
        withdraw_release(taken_back_by, "changed my mind", warehouse)
    with pytest.raises(OperatorError, match="There is no release 99"):
        withdraw_release(99, "no such", warehouse)


def test_a_withdrawal_that_was_cut_off_is_finished_and_no_return_joins_it(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(warehouse, "24", "2016-07-20")
    first = release_quickly(warehouse)

    def cut_off(*_: object) -> int:
        raise DbtFailed("build", [], "cut off")

    with monkeypatch.context() as broken, pytest.raises(DbtFailed):
        broken.setattr(releasing, "build_facts", cut_off)
        withdraw_release(first, "the wrong service", warehouse)
    assert rows(warehouse, VALUE) == [(Decimal(24),)]
    send(warehouse, "25", "2016-08-20")
    opened = releasing.begin(warehouse)
    assert opened == first + 1
    assert rows(warehouse, f"select * from ledger.release_load where release_id = {opened}", role="owner") == []
    with pytest.raises(OperatorError, match=f"took release {first} back"):
        withdraw_release(opened, "no", warehouse)
    assert withdraw_release(first, "the wrong service", warehouse) == opened
    assert rows(warehouse, VALUE) == []
    later = releasing.begin(warehouse)
    assert later is not None
    with pytest.raises(OperatorError, match=f"Release {later} is not published, so there is nothing to take back"):
        withdraw_release(later, "too early", warehouse)
    assert release_quickly(warehouse) == later
    assert rows(warehouse, VALUE) == [(Decimal(25),)]
