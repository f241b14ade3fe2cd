"""What a site may say of figures that reports have printed, beside what is computed.

A printed figure and the number made of its parts are statements that the choice of what to leave out has not reckoned
with. So of a measure that has anything left out, and of measures that its rates tie it to, only such figures are
shown as open data shows too.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from quarterday.disclosing.figures import VALUE, World
from quarterday.opendata.tables import CONFIDENTIAL, Row, Rows

PLANS = ("target", "plan")
CONCEALED = (
    "printed_text",
    "printed_value",
    "computed_value",
    "computed_text",
    "difference",
    "verdict",
    "reason",
    "explanation",
)
Place = tuple[str, str, str, Any, Any]


def shown_prints(prints: Iterable[Row], rows: Rows, hidden: frozenset[str], world: World) -> list[Row]:
    """Return the printed figures, those that must not be shown without numbers and with the verdict ``[c]``.

    Args:
        prints: The printed figures, each with its measure, place, period, and the printed and computed number.
        rows: The public tables, without what is left out.
        hidden: Every figure that this release or one that was public before leaves out, by key.
        world: Areas, measures and thresholds.
    """
    guarded = _tied({key.split("|")[0] for key in hidden}, world)
    shown = _shown_figures(rows)
    return [_shown(row, _may_be_shown(row, guarded, shown, world), guarded) for row in prints]


def _shown(row: Row, may_be: bool, guarded: set[str]) -> Row:
    """Return a row as it may be shown; why it differs may name other figures of its measure, which may be left out."""
    if not may_be:
        return row | dict.fromkeys(CONCEALED) | {"verdict": CONFIDENTIAL}
    return row | {"explanation": None} if row["measure_code"] in guarded else row


def _may_be_shown(row: Row, guarded: set[str], shown: set[tuple[Place, Decimal]], world: World) -> bool:
    measure = row["measure_code"]
    if measure not in world.measures:
        return True
    numbers = {number for number in (row["printed_value"], row["computed_value"]) if number is not None}
    if measure in guarded:
        return row["status"] in PLANS or all((_place(row), number) in shown for number in numbers)
    threshold = world.measures[measure].threshold
    is_count = row["unit"] == "count" and row["status"] not in PLANS
    return not (is_count and threshold and any(0 < number < threshold for number in numbers))


def _tied(measures: set[str], world: World) -> set[str]:
    """Return measures with all that rates tie them to, however far."""
    reached = set(measures)
    while True:
        more = set(reached)
        for code, measure in world.measures.items():
            family = {code, measure.numerator_measure, measure.denominator_measure} - {None}
            if family & reached:
                more |= {one for one in family if one}
        if more == reached:
            return reached
        reached = more


def _shown_figures(rows: Rows) -> set[tuple[Place, Decimal]]:
    """Return every figure that open data shows, with its place."""
    return {
        (_place(row), row[VALUE])
        for table in ("measurements", "outcomes", "outcome_years")
        for row in rows[table]
        if row[VALUE] is not None
    }


def _place(row: Row) -> Place:
    part = row.get("breakdown_code") or "all"
    return row["measure_code"], part, row["area_code"], row["period_start"], row["period_end"]
