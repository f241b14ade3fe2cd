"""When a return that has not come is reminded of, late, and long late: working days of England, mornings in London.

Airflow reads this with its DAGs, so it imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from quarterday.calendar import working_days_after

if TYPE_CHECKING:
    from quarterday.contracts import Contract

LONDON = ZoneInfo("Europe/London")
# The hour of the day, in London, from which on a stage is told of.
HOUR = 8
REMINDER, LATE, ESCALATION = STAGES = ("reminder", "late", "escalation")


@dataclass(frozen=True)
class Terms:
    """What a contract says of time: working days before the due day of the reminder, and after it of the escalation."""

    reminder: int
    escalation: int

    @classmethod
    def of(cls, contract: Contract) -> Terms:
        """Return the terms of a contract."""
        return cls(contract.reminder_working_days, contract.escalation_working_days)


def day_of(stage: str, due: date, terms: Terms) -> date:
    """Return the first day on which a stage is reached by a return that was due on a day."""
    if stage == REMINDER:
        return working_days_after(due, -terms.reminder)
    return working_days_after(due, terms.escalation if stage == ESCALATION else 1)


def moment_of(stage: str, due: date, terms: Terms) -> datetime:
    """Return the moment, in the morning in London, at which a stage is told of."""
    day = day_of(stage, due, terms)
    return datetime(day.year, day.month, day.day, HOUR, tzinfo=LONDON)


def stage_on(moment: datetime, due: date, terms: Terms) -> str | None:
    """Return the last stage that a return which has not come has reached; None before the reminder."""
    return next((stage for stage in reversed(STAGES) if moment >= moment_of(stage, due, terms)), None)
