"""Makes an outcome's chart of the quarters that its table shows: points, limits, baseline, and the text alternative."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from markupsafe import Markup

from quarterday.opendata.tables import Row
from quarterday.site import wording
from quarterday.site.charting import BASE, NARROW, WIDE, Chart, Level, Point, draw
from quarterday.site.outcome_views import Quarter

FEWEST_CHARTED = 2
YEAR = re.compile(r"\d{4}-\d\d")
LIMITS = (("upper_limit", "Upper limit", "6 4"), ("process_mean", "Mean", ""), ("lower_limit", "Lower limit", "6 4"))


def is_charted(rows: Sequence[Row]) -> bool:
    """Return whether enough quarters have a figure."""
    return sum(row["value"] is not None for row in rows) >= FEWEST_CHARTED


def charts(
    measure: Row, area: str, message: str, rows: Sequence[Row], quarters: Sequence[Quarter]
) -> tuple[Markup, Markup]:
    """Return an outcome's chart for a wide and for a narrow page.

    Args:
        measure: The measure, with its unit.
        area: The area's code.
        message: What the chart says; its title.
        rows: The quarters on end, without what is left out.
        quarters: The same, as the table has them.
    """
    points = [_point(row, quarter) for row, quarter in zip(rows, quarters, strict=True)]
    key = f"chart-{area.lower().replace('_', '-')}"
    chart = Chart(key, message, described(measure["unit"], rows), points, levels(measure, rows), _unit(measure))
    return draw(chart, WIDE), draw(chart, NARROW)


def levels(measure: Row, rows: Sequence[Row]) -> list[Level]:
    """Return the mean and the limits, each over the quarters for which it is the same, and the baseline."""
    return [*_limits(measure["unit"], rows), *_baseline(measure, rows)]


def _limits(unit: str, rows: Sequence[Row]) -> Iterator[Level]:
    counts = all(row["value"] is None or row["value"] >= 0 for row in rows)
    for column, name, dashes in LIMITS:
        for value, first, last in _runs([row[column] for row in rows]):
            # A limit below nought, where no figure can be, is not drawn.
            if value >= 0 or not counts:
                yield Level(name, _short(value, unit), float(value), first, last, dashes=dashes)


def quarter_baseline(measure: Row, row: Row) -> Decimal | None:
    """Return what a quarter is held against: a quarter of a year's count, else the baseline as it stands.

    None where nothing is held against it. Not worked back from the change, which is rounded where it is shown.
    """
    if row["change"] is None or row["baseline_value"] is None:
        return None
    is_of_year = YEAR.fullmatch(row["baseline_period_key"] or "") and measure["is_additive_over_time"]
    return Decimal(row["baseline_value"]) / 4 if is_of_year else Decimal(row["baseline_value"])


def _baseline(measure: Row, rows: Sequence[Row]) -> Iterator[Level]:
    """Give the baseline of one quarter, as the newest figure is held against it."""
    known = [value for row in rows if (value := quarter_baseline(measure, row)) is not None]
    if known:
        name, last = "Baseline", len(rows) - 1
        yield Level(name, _short(known[-1], measure["unit"]), float(known[-1]), 0, last, BASE, "2 3")


def described(unit: str, rows: Sequence[Row]) -> str:
    """Return the chart's text alternative: from when to when, lowest, highest, mean and limits."""
    told = [row for row in rows if row["value"] is not None]
    least, most = (pick(told, key=lambda row: row["value"]) for pick in (min, max))
    words = [
        f"Line chart of {len(told)} quarters from {wording.quarter(told[0]['period_key'])} to "
        f"{wording.quarter(told[-1]['period_key'])}.",
        f"Lowest: {wording.figure(least['value'], unit)} in {wording.quarter(least['period_key'])}.",
        f"Highest: {wording.figure(most['value'], unit)} in {wording.quarter(most['period_key'])}.",
    ]
    newest = told[-1]
    if newest["process_mean"] is not None:
        lower, upper = _short(newest["lower_limit"], unit), _short(newest["upper_limit"], unit)
        words.append(f"Mean {_short(newest['process_mean'], unit)}, limits from {lower} to {upper}.")
    return " ".join([*words, "Every figure is in the table that follows."])


def _point(row: Row, quarter: Quarter) -> Point:
    key = row["period_key"]
    return Point(
        key[:7],
        key[8:],
        None if row["value"] is None else float(row["value"]),
        quarter.cell.text,
        "provisional" if "provisional" in quarter.notes else "firm",
        "restated" in quarter.notes,
        row["signal"] not in (None, "none"),
    )


def _short(value: Decimal, unit: str) -> str:
    return wording.amount(wording.rounded(value), unit if unit == "percent" else "count")


def _runs(values: Sequence[Decimal | None]) -> Iterator[tuple[Decimal, int, int]]:
    """Give each value with the first and last place of a run of it; places without a value don't break a run."""
    run: tuple[Decimal, int, int] | None = None
    for number, value in enumerate(values):
        if value is None:
            continue
        if run and run[0] == value:
            run = (value, run[1], number)
        else:
            if run:
                yield run
            run = (value, number, number)
    if run:
        yield run


def _unit(measure: Row) -> str:
    unit = str(measure["unit"])
    return str(measure["unit_of_count"] or "") if unit == "count" else unit.replace("gbp", "£").replace("_", " ")
