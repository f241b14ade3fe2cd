"""What is said of each plan's priorities: ratings, money and returns by quarter, and the outcomes that they aim at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from quarterday.opendata.tables import Row
from quarterday.site import wording
from quarterday.site.outcome_views import Outcome
from quarterday.site.reading import Told

# Something came in a quarter of which any of these is told. Money is of the year and stands on each of its quarters,
# also on those to come, and so says of no quarter that anything came.
CAME = (
    "outcome_red_count",
    "outcome_amber_count",
    "outcome_green_count",
    "action_red_count",
    "action_amber_count",
    "action_green_count",
    "action_white_count",
    "return_in_count",
    "rag_rolled_up_shorthand",  # ratings that are left out are there
)
TOLD_OF = (*CAME, "award_year_gbp", "award_missing_count", "budget_year_gbp", "outturn_year_gbp")


@dataclass(frozen=True)
class Ratings:
    """How many are rated what; None where it is left out to protect people."""

    red: int | None
    amber: int | None
    green: int | None
    other: int | None

    @property
    def is_hidden(self) -> bool:
        """Say whether the counts are left out."""
        return self.green is None

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to rate."""
        return not any((self.red, self.amber, self.green, self.other))


@dataclass(frozen=True)
class Money:
    """Pounds of a year, written, with what is missing in the sum."""

    awarded: str
    budget: str
    outturn: str


@dataclass(frozen=True)
class Quarterly:
    """A priority in a quarter; ``has_come`` where a rating, an action or a return is told of it."""

    key: str
    name: str
    outcomes: Ratings
    actions: Ratings
    money: Money
    returns_due: int
    returns_in: int
    returns_late: int
    has_come: bool


@dataclass(frozen=True)
class Followed:
    """An outcome of a plan with the measures that it is followed by."""

    label: str
    measures: tuple[Outcome, ...]


@dataclass(frozen=True)
class Priority:
    """A priority of a plan: its quarters, the newest first, and its outcomes."""

    code: str
    name: str
    plan_name: str
    plan_years: str
    quarters: tuple[Quarterly, ...]
    outcomes: tuple[Followed, ...]

    @property
    def path(self) -> str:
        """The page's path in the site."""
        return f"priorities/{self.code.replace('.', '-').replace('_', '-')}.html"

    @property
    def latest(self) -> Quarterly | None:
        """The newest quarter in which anything came; None where nothing did."""
        return next((quarter for quarter in self.quarters if quarter.has_come), None)


@dataclass(frozen=True)
class Plan:
    """A police and crime plan with its priorities."""

    code: str
    name: str
    years: str
    priorities: tuple[Priority, ...]


def plans_of(told: Told, outcomes: Mapping[str, Outcome]) -> list[Plan]:
    """Return the plans of which anything is told, the newest first."""
    by_plan: dict[str, list[Row]] = {}
    for row in told.more["plan_priorities"]:
        by_plan.setdefault(row["plan_code"], []).append(row)
    plans = [_plan(rows, told, outcomes) for rows in by_plan.values()]
    return [plan for plan in reversed(plans) if any(one.quarters or one.outcomes for one in plan.priorities)]


def _plan(rows: Sequence[Row], told: Told, outcomes: Mapping[str, Outcome]) -> Plan:
    first = rows[0]
    until = wording.day(first["valid_to"]) if first["valid_to"] else "now"
    years = f"{wording.day(first['valid_from'])} to {until}"
    return Plan(
        first["plan_code"],
        first["plan_name"],
        years,
        tuple(_priority(row, years, told, outcomes) for row in rows),
    )


def _priority(row: Row, years: str, told: Told, outcomes: Mapping[str, Outcome]) -> Priority:
    code = row["priority_code"]
    facts = [
        one for one in told.rows["priorities"] if one["priority_code"] == code and any(one[name] for name in TOLD_OF)
    ]
    facts.sort(key=lambda one: one["period_key"], reverse=True)
    followed = tuple(_followed(code, told, outcomes))
    return Priority(code, row["priority_name"], row["plan_name"], years, tuple(map(_quarterly, facts)), followed)


def _followed(priority: str, told: Told, outcomes: Mapping[str, Outcome]) -> Iterator[Followed]:
    labels: dict[tuple[int, str], list[Outcome]] = {}
    for row in told.more["plan_outcomes"]:
        if row["priority_code"] == priority and row["measure_code"] in outcomes:
            one = outcomes[row["measure_code"]]
            found = labels.setdefault((row["outcome_order"], row["outcome_label"]), [])
            if one not in found:
                found.append(one)
    for (_, label), measures in sorted(labels.items()):
        yield Followed(label, tuple(sorted(measures, key=lambda one: (one.headline is None, one.name))))


def _quarterly(row: Row) -> Quarterly:
    rated = [row[f"outcome_{name}_count"] for name in ("red", "amber", "green", "unrated")]
    acted = [row[f"action_{name}_count"] for name in ("red", "amber", "green", "white")]
    return Quarterly(
        row["period_key"],
        wording.quarter(row["period_key"]),
        Ratings(*rated),
        Ratings(*acted),
        Money(
            _pounds(row["award_year_gbp"], row["award_missing_count"], "award"),
            _pounds(row["budget_year_gbp"]),
            _pounds(row["outturn_year_gbp"], row["outturn_missing_count"], "budget line"),
        ),
        row["return_due_count"] or 0,
        row["return_in_count"] or 0,
        row["return_late_count"] or 0,
        any(row[name] for name in CAME),
    )


def _pounds(value: Decimal | None, missing: int | None = 0, of: str = "") -> str:
    """Return a sum of money, and of how many parts it has no amount: a sum without them is not the whole."""
    said = "" if value is None else wording.amount(Decimal(value), "gbp")
    if not missing:
        return said
    parts = f"{missing} {of}{'' if missing == 1 else 's'}"
    return f"{said}, without {parts} of unknown amount" if said else f"unknown for {parts}"
