"""What the public tables say about people, what holds between it, and what goes with a figure that is left out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from quarterday.disclosing.deciding import MEAN, PROTECTS, RATE_OF_SMALL_COUNT, SMALL_COUNT, Published, decide
from quarterday.disclosing.figures import Figure, Slot
from quarterday.disclosing.relating import find_sums
from quarterday.opendata.saying import leave_out, marks, snapshot_of, world_of
from quarterday.opendata.tables import Row, Rows
from tests.disclosure.random_tables import QUARTERS, YEAR, Period, Shape, areas, measured, measures, outcome

SHAPE = Shape(("a", "b"), (), QUARTERS, has_rate=False)


def tables(*measurements: Row, outcomes: list[Row] | None = None, **others: list[Row]) -> Rows:
    """Public tables of two areas that make up a whole, with the random tables' measures."""
    return {
        "areas": areas(SHAPE),
        "measures": [*measures(), *others.pop("more_measures", [])],
        "measurements": list(measurements),
        "outcomes": outcomes or [],
        "outcome_years": others.pop("outcome_years", []),
        **others,
    }


def people(area: str, value: int | None, period: Period = QUARTERS[0], kind: str = "all", **more: Any) -> Row:
    row = measured(area, period, kind, value or 0, 1)
    return {**row, **({} if value is not None else {"value": None}), **more}


def slot(area: str, period: Period = QUARTERS[0], kind: str = "all", measure: str = "people") -> Slot:
    return Slot(measure, "value", kind, area, period[1], period[2])


def sums(rows: Rows) -> dict[Slot, tuple[set[Slot], float]]:
    found = find_sums(snapshot_of(rows, world_of(rows)), world_of(rows))
    return {one.whole.slot: ({part.slot for part in one.parts}, one.slack) for one in found.sums}


def rules(rows: Rows, *earlier: Published) -> dict[str, str]:
    found = decide(snapshot_of(rows, world_of(rows)), earlier, world_of(rows))
    return {key: one.rule for key, one in found.suppressions.items()}


def test_a_whole_area_is_the_sum_of_its_parts_and_a_year_of_its_quarters() -> None:
    quarters = [people("a", number, period) for number, period in enumerate(QUARTERS, start=10)]
    found = sums(tables(*quarters, people("a", 46, YEAR), people("b", 7), people("whole", 17)))
    assert found[slot("whole")] == ({slot("a"), slot("b")}, 0)
    assert found[slot("a", YEAR)] == ({slot("a", period) for period in QUARTERS}, 0)


def test_a_whole_that_nobody_publishes_ties_its_parts_together_too() -> None:
    quarters = [people(area, 9, period) for area in "ab" for period in QUARTERS]
    assert slot("whole", YEAR) in sums(tables(*quarters))


def test_a_printed_total_that_is_a_little_off_counts_with_slack_and_one_far_off_does_not() -> None:
    near = sums(tables(people("a", 20), people("b", 9), people("whole", 31)))
    assert near[slot("whole")][1] == 2
    assert sums(tables(people("a", 20), people("b", 9), people("whole", 60))) == {}


def test_what_a_partner_suppressed_and_a_total_gives_away_is_protected() -> None:
    rows = tables(people("a", None, value_flag="c"), people("b", 20), people("whole", 23))
    found = find_sums(snapshot_of(rows, world_of(rows)), world_of(rows))
    assert found.implied == {Figure(slot("a"), Decimal(3))}
    assert set(rules(rows).values()) == {PROTECTS}


def test_plans_and_measures_of_no_people_are_never_left_out() -> None:
    other = {**measures()[0], "measure_code": "calls", "disclosure_threshold": None}
    rows = tables(people("a", 2, status="plan"), people("b", 3, measure_code="calls"), more_measures=[other])
    assert rules(rows) == {}


def test_a_rate_of_a_small_count_is_left_out_and_one_of_two_large_ones_is_not() -> None:
    share = {**people("a", 0, measure_code="finished"), "value": Decimal("6.7"), "numerator": Decimal(2)}
    assert set(rules(tables(people("a", 30), share)).values()) == {SMALL_COUNT, RATE_OF_SMALL_COUNT}
    large = {**share, "value": Decimal("40"), "numerator": Decimal(12)}
    assert rules(tables(people("a", 30), large)) == {}


def test_a_numerator_that_nobody_gives_is_worked_out_of_the_rate_and_the_other_measure() -> None:
    share = {**people("a", 0, measure_code="finished"), "value": Decimal("6.7")}
    assert rules(tables(people("a", 30), share)) == {
        "finished|rate|all|a|2017-04-01/2017-06-30|6.7": RATE_OF_SMALL_COUNT
    }


def test_a_mean_of_rates_goes_with_a_rate_of_it() -> None:
    share = {**people("a", 0, measure_code="finished"), "value": Decimal("6.7"), "numerator": Decimal(2)}
    mean = {**outcome("whole", QUARTERS[0], 0), "measure_code": "finished", "value": Decimal("21.3")}
    found = rules(tables(people("a", 30), share, outcomes=[{**mean, "aggregation": "simple_mean"}]))
    assert found["finished|rate|all|whole|2017-04-01/2017-06-30|21.3"] == MEAN


def test_what_an_earlier_release_shows_of_a_whole_is_reckoned_with() -> None:
    before = tables(people("a", 12), people("b", 20), people("whole", 32))
    shown = Published(snapshot_of(before, world_of(before)), frozenset())
    now = tables(people("a", 3), people("b", 20), people("whole", 23))
    without = {key for key, rule in rules(now).items() if rule == PROTECTS}
    reckoned = {key for key, rule in rules(now, shown).items() if rule == PROTECTS}
    assert without == {"people|value|all|b|2017-04-01/2017-06-30|20"}
    assert reckoned == {"people|value|all|whole|2017-04-01/2017-06-30|23"}, "b is out already, so the whole is left out"


def test_what_follows_from_a_left_out_figure_goes_with_it() -> None:
    small = outcome("a", QUARTERS[0], 3)
    derived = {"change": Decimal(-2), "change_pct": Decimal(-40), "rag_computed": "G", "process_mean": Decimal(9)}
    other = {**outcome("a", QUARTERS[1], 12), "process_mean": Decimal(9), "rag_computed": "R"}
    rows = tables(outcomes=[{**small, **derived}, other])
    world = world_of(rows)
    [mark] = marks("outcomes", rows["outcomes"][0], world)
    first, second = leave_out(rows, frozenset({mark.figure.key}), world)["outcomes"]
    assert (first["value"], first["value_shorthand"]) == (None, "[c]")
    assert {name: first[name] for name in derived} == dict.fromkeys(derived)
    assert (second["value"], second["rag_computed"], second["process_mean"]) == (Decimal(12), "R", None)
    assert rows["outcomes"][0]["value"] == 3, "the tables themselves are not changed"


def test_a_priority_hides_its_ratings_where_one_of_them_is_of_a_left_out_figure() -> None:
    small = {**outcome("pcc_area", QUARTERS[0], 3), "rag_computed": "G"}
    priority = {"period_key": "2017-18-Q1", "measure_codes": ["people"], "outcome_green_count": 1, "rag_rolled_up": "G"}
    later = {**priority, "period_key": "2017-18-Q2"}
    rows = tables(outcomes=[small], priorities=[priority, later])
    hidden = frozenset(mark.figure.key for mark in marks("outcomes", small, world_of(rows)))
    masked, kept = leave_out(rows, hidden, world_of(rows))["priorities"]
    assert (masked["outcome_green_count"], masked["rag_rolled_up_shorthand"]) == (None, "[c]")
    assert kept["outcome_green_count"] == 1


def test_a_baseline_that_is_left_out_takes_every_comparison_with_it_along() -> None:
    compared = {"baseline_value": Decimal(3), "baseline_period_key": "2015-16", "change": Decimal(8)}
    days = {"baseline_start": date(2015, 4, 1), "baseline_end": date(2016, 3, 31)}
    rows = tables(outcomes=[{**outcome("a", QUARTERS[0], 11), **compared, **days}])
    world = world_of(rows)
    hidden = frozenset({"people|value|all|a|2015-04-01/2016-03-31|3"})
    [row] = leave_out(rows, hidden, world)["outcomes"]
    assert (row["value"], row["baseline_value"], row["change"]) == (Decimal(11), None, None)
