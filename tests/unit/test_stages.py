"""Reminder, late and escalation, in working days of England and mornings of London."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from quarterday.calendar import working_days_after, working_days_between
from quarterday.notifying.stages import STAGES, Terms, day_of, moment_of, stage_on

TERMS = Terms(reminder=5, escalation=10)
# 2026: Good Friday is on 3 April, Easter Monday on 6 April, the early May bank holiday on 4 May.
DUE = date(2026, 4, 30)


@pytest.mark.parametrize(
    ("due", "reminder", "late", "escalation"),
    [
        (DUE, date(2026, 4, 23), date(2026, 5, 1), date(2026, 5, 15)),
        (date(2026, 4, 8), date(2026, 3, 30), date(2026, 4, 9), date(2026, 4, 22)),
        (date(2026, 5, 1), date(2026, 4, 24), date(2026, 5, 5), date(2026, 5, 18)),
        (date(2026, 12, 24), date(2026, 12, 17), date(2026, 12, 29), date(2027, 1, 12)),
    ],
)
def test_stages_count_working_days_and_leave_out_bank_holidays(
    due: date, reminder: date, late: date, escalation: date
) -> None:
    assert [day_of(stage, due, TERMS) for stage in STAGES] == [reminder, late, escalation]


def test_a_stage_is_reached_in_the_morning_in_london() -> None:
    assert moment_of("late", DUE, TERMS).astimezone(UTC) == datetime(2026, 5, 1, 7, tzinfo=UTC)
    assert moment_of("late", date(2026, 1, 28), TERMS).astimezone(UTC) == datetime(2026, 1, 29, 8, tzinfo=UTC)


def test_only_the_last_stage_that_is_reached_counts() -> None:
    reached = {stage: moment_of(stage, DUE, TERMS) for stage in STAGES}
    instant = timedelta(seconds=1)
    assert stage_on(reached["reminder"] - instant, DUE, TERMS) is None
    assert stage_on(reached["reminder"], DUE, TERMS) == "reminder"
    assert stage_on(reached["late"] - instant, DUE, TERMS) == "reminder"
    assert stage_on(reached["late"], DUE, TERMS) == "late"
    assert stage_on(reached["escalation"], DUE, TERMS) == "escalation"


def test_working_days_there_and_back_are_the_same_number() -> None:
    for days in (1, 5, 20, 80):
        later = working_days_after(DUE, days)
        assert working_days_between(DUE, later) == days
        assert working_days_after(later, -days) == DUE
    assert working_days_between(DUE, DUE) == working_days_between(DUE, date(2026, 4, 1)) == 0
