"""What is said beside a chart: why it has no limits, what is to be known of those that it has, and the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from quarterday.opendata.tables import CONFIDENTIAL, Row
from quarterday.site import drawing, wording

UNCHARTED = {
    "no_figure": "There is no figure for the newest quarters.",
    "hedged_value": "Figures such as “over 200” have no limits.",
    "rate_without_denominator": "A rate has limits only where it is known what it is of.",
    "too_few_points": "Limits need at least five quarters.",
}
TRIAL = "The limits are on trial: with fewer than 12 quarters they move with each new one."


def of_chart(rows: Sequence[Row], newest: Row | None, chart: Row) -> str:
    """Return why a chart has no limits, or that they are on trial or start anew.

    Args:
        rows: The quarters of an outcome in an area.
        newest: The newest with a figure.
        chart: What the release says of its chart besides the figures; empty where it says nothing.
    """
    has_limits = any(row["process_mean"] is not None for row in rows)
    if not has_limits and any(row["value_shorthand"] == CONFIDENTIAL for row in rows):
        return "A quarter is left out to protect people, so the chart's limits are left out too."
    if newest is None:
        return ""
    if newest["signal"] is None:
        return UNCHARTED.get(chart.get("signal_reason") or "", "")
    return " ".join(filter(None, (_rebased(chart), TRIAL if chart.get("signal_state") == "trial_limits" else "")))


def _rebased(chart: Row) -> str:
    """Return from when a chart starts anew and why, as it is recorded; empty where it doesn't."""
    start, reason = chart.get("charted_from"), chart.get("rebase_reason")
    return f"The limits start anew on {wording.day(start)}: {reason}." if start and reason else ""


def of_baseline(unit: str, row: Row, hedge: str | None) -> str:
    """Return the baseline of a row with its period; empty where there is none.

    Args:
        unit: The measure's unit.
        row: A quarter or year that may have a baseline.
        hedge: How the baseline's figure is hedged.
    """
    said = row["baseline_value_shorthand"] or ""
    if row["baseline_value"] is not None:
        said = wording.figure(row["baseline_value"], unit, hedge)
    return f"{said} in {wording.quarter(row['baseline_period_key'])}" if said else ""


def of_quarter_baseline(measure: Row, row: Row, hedge: str | None) -> str:
    """Return a quarter's baseline and, of a year's count, what the quarter is held against."""
    words = of_baseline(measure["unit"], row, hedge)
    quarter = drawing.quarter_baseline(measure, row)
    if quarter is None or quarter == row["baseline_value"]:
        return words
    return f"{words}; each quarter is held against a quarter of it, {wording.amount(quarter, measure['unit'])}"
