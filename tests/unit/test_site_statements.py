"""What the site's pages state is no more than the rows behind it say."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from quarterday.opendata.tables import Row, public_tables
from quarterday.opendata.writing import Edition
from quarterday.site import drawing, remarks, wording
from quarterday.site.outcomes import Outcomes
from quarterday.site.overview import compared_areas
from quarterday.site.priorities import Quarterly, plans_of
from quarterday.site.reading import Told
from quarterday.site.restated import Restatements
from tests.conftest import PROJECT

FIRST, SECOND, THIRD = (Edition(number, datetime(2017, number, 1, tzinfo=UTC), "returns") for number in (1, 2, 3))
COUNT = {"measure_code": "a", "measure_name": "A", "unit": "count", "is_additive_over_time": True, "direction": ""}
RATE = COUNT | {"unit": "percent", "is_additive_over_time": False}


def told(**rows: list[Row]) -> Told:
    """A release that tells some rows and nothing else; the third of three that are public."""
    tables: dict[str, list[Row]] = {name: rows.get(name, []) for name in public_tables()}
    more = {"loads": [], "charts": [], "plan_outcomes": [], "plan_priorities": rows.get("plan_priorities", [])}
    return Told(THIRD, tables, more, (THIRD, SECOND, FIRST), (FIRST, SECOND), {}, 0)


def row(table: str, **values: Any) -> Row:
    """A row of a public table, blank but for what is given."""
    blank: Row = dict.fromkeys(column.name for column in public_tables()[table].columns)
    return blank | values


def quarterly(key: str, **values: Any) -> Row:
    return row("priorities", priority_code="p", period_key=key, **values)


def quarters(*rows: Row) -> tuple[Quarterly, ...]:
    plan = {"plan_code": "plan", "plan_name": "Plan", "valid_from": date(2016, 4, 1), "valid_to": None}
    priority = plan | {"priority_code": "p", "priority_name": "P", "priority_order": 1}
    [found] = plans_of(told(priorities=list(rows), plan_priorities=[priority]), {})
    return found.priorities[0].quarters


def test_the_newest_quarter_is_one_in_which_something_came_and_not_one_that_money_of_the_year_stands_on() -> None:
    came = quarterly("2016-17-Q2", return_in_count=1, award_year_gbp=Decimal(9))
    later = quarterly("2016-17-Q4", return_in_count=0, award_year_gbp=Decimal(9))
    assert [one.key for one in quarters(came, later) if one.has_come] == ["2016-17-Q2"]
    hidden = quarterly("2016-17-Q3", rag_rolled_up_shorthand="[c]")
    assert [one.key for one in quarters(came, hidden) if one.has_come] == ["2016-17-Q3", "2016-17-Q2"]


@pytest.mark.parametrize(
    ("awarded", "missing", "said"),
    [
        (Decimal("213470.93"), 1, "£213,470.93, without 1 award of unknown amount"),
        (Decimal(500), 0, "£500"),
        (None, 2, "unknown for 2 awards"),
        (None, 0, ""),
    ],
)
def test_a_sum_of_money_says_what_is_missing_in_it(awarded: Decimal | None, missing: int, said: str) -> None:
    given = quarterly("2016-17-Q1", return_in_count=1, award_year_gbp=awarded, award_missing_count=missing)
    assert quarters(given)[0].money.awarded == said


def test_a_county_is_not_set_beside_its_districts() -> None:
    kinds = {"county": "county", "city": "unitary_authority", "north": "district", "south": "district", "west": "town"}
    areas = [row("areas", area_code=code, area_name=code, area_type=kind) for code, kind in kinds.items()]
    place: dict[str, Any] = {"measure_code": "a", "period_key": "2016-17-Q1"}
    figures = [row("outcomes", **place, area_code=code, area_name=code, value=Decimal(5)) for code in kinds]
    everything = Outcomes(told(areas=areas, outcomes=figures, measures=[row("measures", **COUNT)]))
    # An outcome's page has no part in what is compared.
    found = compared_areas(everything, dict.fromkeys(["a"]))  # type: ignore[arg-type]
    assert [(one.tier, [name for name, *_ in one.rows]) for one in found] == [
        ("authorities", ["city", "county"]),
        ("districts", ["north", "south"]),
    ]


@pytest.mark.parametrize(
    ("measure", "key", "baseline", "change", "quarter"),
    [
        (COUNT, "2015-16", "263", "40", "65.75"),
        (COUNT, "2015-16-Q1", "263", "40", "263"),
        (RATE, "2015-16", "42.55", "-1.3", "42.55"),  # the change is rounded, the baseline is not
        (COUNT, "2015-16", "263", None, None),
    ],
)
def test_a_chart_has_the_baseline_that_the_figures_are_held_against(
    measure: Row, key: str, baseline: str, change: str | None, quarter: str | None
) -> None:
    given = row("outcomes", baseline_period_key=key, baseline_value=Decimal(baseline), value=Decimal("41.3"))
    given["change"] = Decimal(change) if change else None
    found = drawing.quarter_baseline(measure, given)
    assert found == (Decimal(quarter) if quarter else None)


def test_a_hedged_baseline_is_told_as_hedged() -> None:
    given = row("outcomes", baseline_period_key="2015-16", baseline_value=Decimal(200))
    assert remarks.of_quarter_baseline(COUNT, given, "over") == "over 200 in 2015-16"
    exact = given | {"change": Decimal(1)}
    assert remarks.of_quarter_baseline(COUNT, exact, "exact").endswith(
        "; each quarter is held against a quarter of it, 50"
    )


def test_a_chart_says_that_its_limits_are_on_trial_that_they_start_anew_or_that_they_are_left_out() -> None:
    rated = row("outcomes", process_mean=Decimal(5), signal="none")
    rebased = {"charted_from": date(2015, 10, 1), "rebase_reason": "another source"}
    assert remarks.of_chart([rated], rated, {"signal_state": "trial_limits"} | rebased) == (
        f"The limits start anew on 1 October 2015: another source. {remarks.TRIAL}"
    )
    assert remarks.of_chart([rated], rated, {"signal_state": "settled_limits"}) == ""
    held_back = row("outcomes", value_shorthand="[c]")
    assert "left out to protect people" in remarks.of_chart([held_back], None, {})
    # What a partner itself holds back takes no limits away.
    assert remarks.of_chart([held_back, rated], rated, {}) == ""


def sent(value: str | None, release: int | None = None, status: str = "final", **values: Any) -> Row:
    """A figure as sent: of an earlier release where one is named."""
    place = {"measure_code": "a", "breakdown_code": "boys", "area_code": "here", "period_key": "2016-17-Q1"}
    by = {"form": "f", "partner_code": "us", "status": status, "value": None if value is None else Decimal(value)}
    shorthand = {"value_shorthand": "[x]" if value is None else None, "value_qualifier": "exact" if value else None}
    return row("measurements", **(place | by | shorthand | values)) | {"release_id": release}


def versions(now: list[Row], before: list[Row]) -> list[list[tuple[int, str]]]:
    """What is told of each figure as sent: release and words."""
    restatements = Restatements(replace(told(measurements=now), earlier={"measurements": before}))
    told_of = [restatements.versions("measurements", one, "count") for one in now]
    told_of += [restatements.versions_of_gone(rows, "count") for found in restatements.gone.values() for rows in found]
    return [[(one.release_id, one.text) for one in found] for found in told_of]


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ([sent("5")], [sent("5", 1), sent("5", 2)], [[]]),
        ([sent("7")], [sent("5", 1), sent("7", 2)], [[(1, "5"), (2, "7")]]),
        ([sent("7")], [sent("5", 1), sent("5", 2)], [[(1, "5"), (3, "7")]]),
        ([sent("5")], [sent("5", 1, value_qualifier="about"), sent("5", 2)], [[(1, "about 5"), (2, "5")]]),
        ([sent("7")], [sent("5", 1, "provisional")], [[(1, "5"), (3, "7")]]),
        # A provisional figure that is still there is not what the final one beside it restates.
        ([sent("5", status="provisional"), sent("7")], [sent("5", 1, "provisional")], [[], []]),
        ([sent("7")], [sent("5", 1, "target")], [[], [(1, "5"), (2, "none any more")]]),
        ([sent(None)], [sent("5", 1)], [[(1, "5"), (2, "[x]")]]),
        ([sent(None, value_shorthand="[c]")], [sent("5", 1)], [[]]),
        ([], [sent("5", 1), sent("5", 2)], [[(1, "5"), (3, "none any more")]]),
        # What was never shown is told of only where else nothing would be left of the measure.
        ([sent("7")], [sent("7", 1), sent(None, 1, value_shorthand="[c]", breakdown_code="part")], [[]]),
        ([], [sent(None, 1, value_shorthand="[c]")], [[(1, "[c]"), (2, "none any more")]]),
    ],
)
def test_each_release_that_told_something_else_is_told_and_what_is_left_out_now_is_not(
    now: list[Row], before: list[Row], said: list[list[tuple[int, str]]]
) -> None:
    assert versions(now, before) == said


def test_a_figure_leads_to_its_own_line_and_not_to_the_target_on_the_same() -> None:
    place = {"area_name": "Here", "period_type": "financial_quarter", "load_id": 4, "sheet": "S", "line_number": 9}
    days = {"period_start": date(2016, 4, 1), "period_end": date(2016, 6, 30), "breakdown_code": "all"}
    lines = [sent("5", status=status) | place | days for status in ("target", "final", "target")]
    figure = row("outcomes", measure_code="a", area_code="here", period_key="2016-17-Q1", value=Decimal(5))
    outcome = Outcomes(
        told(
            measures=[row("measures", **COUNT)],
            measurements=lines,
            outcomes=[figure | {key: value for key, value in (place | days).items() if key in figure}],
        )
    ).outcome("a")
    [quarter] = outcome.parts[0].quarters
    [anchor] = [one.anchor for one in outcome.sent if one.status == "final"]
    assert quarter.cell.source == f"#{anchor}"


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "dbt_project" / "seeds" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_is_said_of_how_figures_are_judged_is_what_the_seeds_say() -> None:
    [general] = seed("rag_rules")  # a measure with a rule of its own would have to be told of
    assert (general["measure_code"], general["green_at_least_pct"], general["amber_at_least_pct"]) == ("*", "0", "-5")
    [limits] = seed("spc_limits")
    assert (limits["limit_multiplier"], limits["limit_point_count"], limits["least_point_count"]) == ("2.66", "12", "5")
    assert {row["threshold"] for row in seed("disclosure_thresholds")} == {"", "5"}
    rules = {row["rule_code"]: (row["point_count"], row["window_count"]) for row in seed("spc_rules")}
    assert rules == {"outside_limits": ("1", "1"), "shift": ("7", "7"), "near_limit": ("2", "3"), "trend": ("7", "7")}
    assert wording.RULES.keys() == rules.keys()
    notes = (PROJECT / "web" / "templates" / "notes.html.j2").read_text(encoding="utf-8")
    assert "fewer than 12 quarters" in remarks.TRIAL and "five quarters" in remarks.UNCHARTED["too_few_points"]
    for words in ("no worse than the baseline", "worse by 5% or less", "2.66 mean moving ranges", "first 12 quarters"):
        assert words in notes
    assert "fewer than five there are none" in notes and "from 1 to 4" in notes
