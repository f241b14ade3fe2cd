"""What the annual report of a financial year says: a panel's questions, each answered from what the pages show too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quarterday.site import wording
from quarterday.site.outcome_views import Outcome, Part, Restated, Year
from quarterday.site.overview import Return, returns_of
from quarterday.site.priorities import Plan, Priority, Quarterly
from quarterday.site.reading import Told

LATE, REJECTED, NOT_YET = "Late", "Rejected", ("Due", "Not due yet")
# What the action plan calls each letter, in the order of the report.
ACTED = {"G": "implemented", "A": "being implemented", "R": "not implemented", "W": "superseded"}


@dataclass(frozen=True)
class YearOf:
    """An outcome in an area in the year."""

    outcome: Outcome
    part: Part
    year: Year


@dataclass(frozen=True)
class PriorityYear:
    """A priority in the year: its quarters, the oldest first, its outcomes with a figure, and those without."""

    priority: Priority
    quarters: tuple[Quarterly, ...]
    followed: tuple[tuple[str, YearOf], ...]
    without: tuple[str, ...]

    @property
    def money(self) -> tuple[tuple[str, str], ...]:
        """The year's money, as far as anything is told of it; it is the same on each quarter."""
        told = self.quarters[-1].money
        named = (("Awarded", told.awarded), ("Budget", told.budget), ("Spent", told.outturn))
        return tuple((name, said) for name, said in named if said)


@dataclass(frozen=True)
class Actions:
    """The action plan as it stood in the newest quarter of the year: by theme how many are what, and how they moved."""

    quarter: str
    themes: tuple[tuple[str, tuple[int, ...]], ...]
    better: int
    worse: int
    is_first: bool
    finding_count: int

    @property
    def total(self) -> tuple[int, ...]:
        """All themes together, in the order of ``ACTED``."""
        return tuple(sum(counts) for counts in zip(*(counts for _, counts in self.themes), strict=True))


@dataclass(frozen=True)
class LateForm:
    """A partner's form that is late in some quarters of the year."""

    form: str
    partner_name: str
    quarters: tuple[str, ...]


@dataclass(frozen=True)
class Sender:
    """A partner's returns of the year: how many are in, stand rejected, are late, or are not owed yet."""

    partner_name: str
    came: int
    rejected: int
    late: int
    not_yet: int


def year_of_report(told: Told) -> str | None:
    """Return the newest financial year in which an outcome is rated; the newest with a figure where none is."""
    rows = told.rows["outcome_years"]
    rated = [row["period_key"] for row in rows if row["rag_computed"]]
    return max(rated or [row["period_key"] for row in rows if row["value"] is not None], default=None)


def annual_values(year: str, told: Told, outcomes: Mapping[str, Outcome], plans: Sequence[Plan]) -> dict[str, Any]:
    """Return what the annual report of a financial year shows."""
    years = [found for outcome in outcomes.values() for found in _years_of(outcome, year)]
    codes = {one.outcome.code for one in years}
    returns = returns_of(told).get(year, [])
    senders = _senders(returns)
    return {
        "year": year,
        "years": years,
        "ratings": _ratings(years),
        "charted": [one for code, one in outcomes.items() if code in codes and one.is_highlight],
        "priorities": [found for plan in plans for one in plan.priorities if (found := _priority(one, year))],
        "actions": _actions(told, year),
        "acted": list(ACTED.values()),
        "senders": senders,
        "late": _late(returns),
        "sums": {state: sum(getattr(one, state) for one in senders) for state in ("came", "rejected", "late")},
        "restated": list(_restated(year, outcomes)),
        "corrections": [row for row in told.more["corrections"] if (row["period_key"] or "").startswith(year)],
        "left_out": told.left_out,
        "meanings": list(wording.MEANINGS.items()),
    }


def _years_of(outcome: Outcome, year: str) -> Iterator[YearOf]:
    for part in outcome.parts:
        for one in part.years:
            if one.name == year and (one.cell.text != "[x]" or one.to_date):
                yield YearOf(outcome, part, one)


def _ratings(years: Sequence[YearOf]) -> list[tuple[str, int]]:
    """Return how many outcomes are rated what in the area that speaks for each."""
    counts = Counter(one.year.rating for one in years if one.part == one.outcome.headline)
    return [(word, counts[word]) for word in ("Green", "Amber", "Red") if counts[word]]


def _priority(priority: Priority, year: str) -> PriorityYear | None:
    """Return a priority in the year; None where nothing is told of it then."""
    quarters = tuple(sorted((one for one in priority.quarters if one.key.startswith(year)), key=lambda one: one.key))
    if not quarters:
        return None
    told: list[tuple[str, YearOf]] = []
    without: list[str] = []
    for followed in priority.outcomes:
        for measure in followed.measures:
            found = [one for one in _years_of(measure, year) if one.part == measure.headline]
            told += [(followed.label, one) for one in found]
            without += [] if found else [measure.name]
    return PriorityYear(priority, quarters, tuple(told), tuple(dict.fromkeys(without)))


def _actions(told: Told, year: str) -> Actions | None:
    keys = {row["period_key"] for row in told.rows["actions"] if row["period_key"].startswith(year)}
    if not keys:
        return None
    newest = max(keys)
    rows = [row for row in told.rows["actions"] if row["period_key"] == newest]
    counts = Counter((row["theme"], row["rag"]) for row in rows)
    themes = dict.fromkeys(row["theme"] for row in rows)
    moved = Counter(row["rag_movement"] for row in rows)
    return Actions(
        wording.quarter(newest),
        tuple((theme, tuple(counts[theme, letter] for letter in ACTED)) for theme in themes),
        moved["better"],
        moved["worse"],
        moved["first"] == len(rows),
        sum(row["period_key"] == newest for row in told.more["findings"]),
    )


def _senders(returns: Sequence[Return]) -> list[Sender]:
    """Return each partner's returns of the year, by name."""
    by_name: dict[str, list[Return]] = {}
    for one in returns:
        by_name.setdefault(one.partner_name, []).append(one)
    return [_sender(name, by_name[name]) for name in sorted(by_name)]


def _sender(name: str, returns: Sequence[Return]) -> Sender:
    states = Counter(one.state for one in returns)
    late, rejected, not_yet = states[LATE], states[REJECTED], sum(states[state] for state in NOT_YET)
    return Sender(name, len(returns) - late - rejected - not_yet, rejected, late, not_yet)


def _late(returns: Sequence[Return]) -> list[LateForm]:
    """Return which forms are late in which quarters."""
    quarters: dict[tuple[str, str], list[str]] = {}
    for one in returns:
        if one.state == LATE:
            quarters.setdefault((one.form, one.partner_name), []).append(f"{one.quarter[-2:]} (due {one.due_on})")
    return [LateForm(form, name, tuple(found)) for (form, name), found in sorted(quarters.items())]


def _restated(year: str, outcomes: Mapping[str, Outcome]) -> Iterator[tuple[str, Restated]]:
    """Give the figures of the year that releases told in different ways, each with its words."""
    for outcome in outcomes.values():
        for part in outcome.parts:
            for one in part.restated:
                if one.name.startswith(year):
                    yield f"{outcome.name}, {part.area_name}, {one.name}", one
        for one in outcome.restated_as_sent:
            if one.name.startswith(year):
                yield f"{outcome.name}: {one.name}", one
