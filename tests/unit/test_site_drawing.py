"""How the site draws and words: what is missing has no place, and shapes and words carry the meaning."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from quarterday.disclosing.figures import Measure, World
from quarterday.opendata.tables import Row
from quarterday.site import wording
from quarterday.site.charting import NARROW, WIDE, Chart, Level, Point, Sheet, draw
from quarterday.site.printing import shown_prints
from quarterday.site.scaling import pushed_apart, scale_of

POINTS = [
    Point("2016-17", "Q1", 41.0),
    Point("2016-17", "Q2", None, "[c]"),
    Point("2016-17", "Q3", 44.0, is_restated=True),
    Point("2016-17", "Q4", 60.0, shape="provisional", is_signal=True),
]
CHART = Chart("chart-x", "A & B", "Words.", POINTS, [Level("Mean", "43", 43.0, 0, 3)], "people")


@pytest.mark.parametrize("sheet", [WIDE, NARROW], ids=lambda sheet: sheet.name)
def test_a_chart_has_its_message_and_a_mark_of_its_own_for_each_kind_of_point(sheet: Sheet) -> None:
    drawn = str(draw(CHART, sheet))
    assert f'<title id="chart-x-{sheet.name}-title">A &amp; B</title>' in drawn and "<desc" in drawn
    assert (drawn.count("<circle"), drawn.count("<polygon"), drawn.count("<rect")) == (2, 1, 1)
    assert (drawn.count(">[c]<"), drawn.count(">r<")) == (1, 1)
    assert drawn.count('stroke="#12436d" stroke-width="2"/><') >= 1
    numbers = [float(number) for number in re.findall(r'\b[xy][12]?="(-?[\d.]+)"', drawn)]
    assert min(numbers) >= 0 and max(numbers) <= sheet.width


def test_a_line_is_broken_at_a_missing_figure() -> None:
    course = [line for line in re.findall(r"<line [^>]+>", str(draw(CHART))) if "#12436d" in line]
    assert len(course) == 1  # from the third point to the fourth


def test_many_quarters_still_have_room() -> None:
    points = [
        Point(f"20{first}-{first + 1}", f"Q{quarter}", 5.0) for first in range(10, 20) for quarter in (1, 2, 3, 4)
    ]
    drawn = str(draw(Chart("k", "m", "d", points), NARROW))
    years = [float(place) for place in re.findall(r'<text x="([\d.]+)"[^>]*>20\d\d-\d\d<', drawn)]
    assert len(years) >= 3 and all(
        after - before >= 4 * NARROW.letters for before, after in zip(years, years[1:], strict=False)
    )


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([41, 60], 40, 60),
        ([10, 60], 0, 60),
        ([95, 99], 95, 99),
        ([-3, 4], -4, 4),
        ([0], 0, 0.2),
        ([7], 0, 8),
        ([0.2, 0.41], 0, 0.5),
    ],
)
def test_an_axis_holds_its_numbers_and_has_round_ends(values: list[float], low: float, high: float) -> None:
    scale = scale_of(values, 100, 0)
    assert scale.low == pytest.approx(low) and scale.high == pytest.approx(high)
    assert all(0 <= scale.place(value) <= 100 for value in values) and scale.ticks[-1] == pytest.approx(scale.high)


def test_labels_are_pushed_apart_and_stay_on_the_paper() -> None:
    moved = pushed_apart([50, 50, 52, 99], 16, 0, 100)
    assert sorted(moved) == moved and max(moved) <= 100
    assert all(after - before >= 16 for before, after in zip(moved, moved[1:], strict=False))


@pytest.mark.parametrize(
    ("value", "unit", "qualifier", "said"),
    [
        ("12000", "count", "over", "over 12,000"),
        ("41.30", "percent", None, "41.3%"),
        ("-1250000.5", "gbp", "exact", "−£1,250,000.50"),
        ("0.53", "gbp_per_person_per_day", None, "£0.53 a person and day"),
        ("5", "gbp", None, "£5"),
        ("1", "hours", None, "1 hour"),
        ("3.5", "rate_per_1000", None, "3.5 per 1,000"),
    ],
)
def test_a_figure_is_written_in_its_unit(value: str, unit: str, qualifier: str | None, said: str) -> None:
    assert wording.figure(Decimal(value), unit, qualifier) == said


def test_a_change_has_its_sign_and_a_share_changes_by_points() -> None:
    changes = [
        wording.changed_by(Decimal(number), unit)
        for number, unit in (("3", "count"), ("-2.5", "percent"), ("0", "gbp"))
    ]
    assert changes == ["+3", "−2.5 points", "no change"]


def measure(code: str, threshold: int | None = 5, above: str | None = None) -> Measure:
    return Measure(code, "percent" if above else "count", True, True, threshold, above)


WORLD = World(
    (), {"a": measure("a"), "rate": measure("rate", None, "a"), "b": measure("b"), "gbp": measure("gbp", None)}
)
HIDDEN = frozenset({"a|value|all|here|2016-04-01/2016-06-30|3"})


def printed(code: str | None, number: int, computed: int | None = None, status: str = "final") -> Row:
    place = {
        "area_code": "here",
        "breakdown_code": "all",
        "period_start": date(2016, 4, 1),
        "period_end": date(2017, 3, 31),
    }
    numbers = {"printed_value": Decimal(number), "computed_value": None if computed is None else Decimal(computed)}
    said = {"printed_text": str(number), "computed_text": None, "difference": None, "explanation": f"not {number}"}
    return (
        place
        | numbers
        | said
        | {"measure_code": code, "unit": "count", "status": status, "verdict": "agrees", "reason": None}
    )


def shown(number: int) -> Row:
    return printed("a", number) | {"value": Decimal(number)}


@pytest.mark.parametrize(
    ("row", "is_shown"),
    [
        (printed("a", 90), False),  # its quarters would give the one away that is left out
        (printed("a", 60), True),  # open data says it
        (printed("a", 60, computed=61), False),
        (printed("rate", 30), False),  # tied to it
        (printed("b", 90), True),
        (printed("b", 3), False),  # few people
        (printed("b", 30, computed=2), False),
        (printed("b", 3, status="target"), True),
        (printed("gbp", 3), True),
        (printed(None, 3), True),
    ],
)
def test_a_printed_figure_is_shown_only_where_nothing_can_be_worked_out_by_it(row: Row, is_shown: bool) -> None:
    rows = {"measurements": [shown(60)], "outcomes": [], "outcome_years": []}
    [told] = shown_prints([row], rows, HIDDEN, WORLD)
    assert (told["verdict"] == "agrees") is is_shown
    if row["measure_code"] in ("a", "rate"):
        assert told["explanation"] is None  # it may name another figure of the measure
    if not is_shown:
        assert {told[name] for name in ("printed_text", "printed_value", "computed_value", "explanation")} == {None}
