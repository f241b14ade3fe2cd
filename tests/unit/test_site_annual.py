"""The annual report counts the year's rows and no other year's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from quarterday.opendata.tables import Row
from quarterday.site.annual import annual_values, year_of_report
from quarterday.site.outcomes import Outcomes
from quarterday.site.priorities import plans_of
from quarterday.site.reading import Told
from tests.unit.test_site_statements import COUNT, quarterly, row, told


def action(theme: str, rag: str, moved: str, quarter: str = "2016-17-Q4") -> Row:
    return row("actions", theme=theme, rag=rag, rag_movement=moved, period_key=quarter)


def sent_return(form: str, quarter: str, state: str) -> Row:
    partner = {"partner_code": "us", "partner_name": "Us", "due_on": date(2017, 4, 28), "version_count": 1}
    return row("returns", form=form, period_key=quarter, state=state, **partner)


def figure_of(year: str, value: int | None, rating: str | None, area: str = "pcc_area") -> Row:
    place = {"measure_code": "a", "area_code": area, "period_key": year, "baseline_period_key": "2015-16"}
    said = {"value": None if value is None else Decimal(value), "value_shorthand": "[x]" if value is None else None}
    return row("outcome_years", **place, **said, rag_computed=rating, baseline_value=Decimal(160), change=Decimal(-4))


YEARS = [figure_of("2015-16", 160, None), figure_of("2016-17", 156, "G"), figure_of("2017-18", 9, None)]
ACTIONS = [
    action("one", "G", "better"),
    action("one", "A", "worse"),
    action("two", "G", "same"),
    action("two", "R", "first", "2016-17-Q2"),
]
RETURNS = [
    sent_return("a_form", "2016-17-Q1", "released"),
    sent_return("a_form", "2016-17-Q2", "rejected"),
    sent_return("a_form", "2016-17-Q3", "late"),
    sent_return("a_form", "2016-17-Q4", "late"),
    sent_return("b_form", "2016-17-Q4", "due"),
    sent_return("a_form", "2017-18-Q1", "late"),
]


@pytest.fixture
def values() -> dict[str, Any]:
    """The annual report of 2016-17."""
    plan = {"plan_code": "plan", "plan_name": "Plan", "valid_from": date(2016, 4, 1), "valid_to": None}
    priority = plan | {"priority_code": "p", "priority_name": "P", "priority_order": 1}
    ours: Told = told(
        outcome_years=YEARS,
        actions=ACTIONS,
        returns=RETURNS,
        measures=[row("measures", **COUNT), row("measures", **COUNT | {"measure_code": "b", "measure_name": "B"})],
        outcomes=[row("outcomes", measure_code="b", area_code="pcc_area", period_key="2017-18-Q1")],
        priorities=[quarterly(key, return_in_count=1) for key in ("2016-17-Q2", "2016-17-Q1", "2017-18-Q1")],
        plan_priorities=[priority],
    )
    followed = [{"priority_code": "p", "outcome_order": 1, "outcome_label": "Less"} | {"measure_code": m} for m in "ab"]
    findings = [{"period_key": "2016-17-Q4"}, {"period_key": "2016-17-Q2"}]
    ours = replace(ours, more=ours.more | {"plan_outcomes": followed, "findings": findings, "corrections": []})
    days = {"period_start": date(2017, 4, 1), "period_end": date(2017, 6, 30)}
    for one in ours.rows["outcomes"]:
        one.update(days)
    everything = Outcomes(ours)
    outcomes = {code: everything.outcome(code) for code in everything.codes}
    assert year_of_report(ours) == "2016-17"  # not the newest with a figure: nothing of that is rated
    return annual_values("2016-17", ours, outcomes, plans_of(ours, outcomes))


def test_each_priority_has_its_outcomes_against_baseline_and_its_quarters_and_says_what_has_no_figure(
    values: dict[str, Any],
) -> None:
    [priority] = values["priorities"]
    [(label, found)] = priority.followed
    year = found.year
    assert (label, year.cell.text, year.baseline, year.change, year.rating) == (
        "Less", "156", "160 in 2015-16", "−4", "Green",
    )  # fmt: skip
    assert priority.without == ("B",)
    assert [one.key for one in priority.quarters] == ["2016-17-Q1", "2016-17-Q2"]
    assert values["ratings"] == [("Green", 1)]


def test_actions_are_those_of_the_years_newest_plan(values: dict[str, Any]) -> None:
    actions = values["actions"]
    assert actions.themes == (("one", (1, 1, 0, 0)), ("two", (1, 0, 0, 0))) and actions.total == (2, 1, 0, 0)
    assert (actions.better, actions.worse, actions.is_first, actions.finding_count) == (1, 1, False, 1)


def test_returns_are_counted_by_partner_and_the_late_ones_named(values: dict[str, Any]) -> None:
    [one] = values["senders"]
    assert (one.partner_name, one.came, one.rejected, one.late, one.not_yet) == ("Us", 1, 1, 2, 1)
    [late] = values["late"]
    assert late.quarters == ("Q3 (due 28 April 2017)", "Q4 (due 28 April 2017)")
    assert values["sums"] == {"came": 1, "rejected": 1, "late": 2}
