"""What the public tables say about people, and how it is taken out of them again where it must not be said.

One list of marks serves both: which column of a row says which figure. A figure that is left out is left out wherever
it stands, with all that was worked out from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from quarterday.disclosing.figures import (
    DENOMINATOR,
    NUMERATOR,
    RATE,
    TO_DATE,
    VALUE,
    Area,
    Figure,
    Measure,
    Said,
    SaidRate,
    Slot,
    Snapshot,
    World,
)
from quarterday.opendata.tables import CONFIDENTIAL, Row, Rows

PLANS = {"target", "plan"}
WHOLE = "all"
WITHHELD = {"c", "low"}
MEANS = {"simple_mean", "simple_mean_as_sent"}
CHART = ("signal", "signal_rule", "process_mean", "lower_limit", "upper_limit")
COMPARED = ("change", "change_pct", "change_direction", "rag_computed")
# What a reader can work a column's figure back from.
FOLLOWS = {
    "value": (*COMPARED, "is_target_met", "rag_declared", *CHART),
    "value_to_date": COMPARED,
    "baseline_value": COMPARED,
    "numerator": (),
    "denominator": (),
}
RATED = ("outcome_red_count", "outcome_amber_count", "outcome_green_count", "outcome_unrated_count", "rag_rolled_up")
COMMISSIONERS_AREA = "pcc_area"
# An outcome is the figure that counts of its slot, whatever its partners' loads are numbered.
NEWEST = 2**62


@dataclass(frozen=True)
class Mark:
    """A column of a row says a figure; of a rate, ``of`` are the two counts that it ties together."""

    column: str
    figure: Figure
    of: tuple[Figure | None, Figure | None] = (None, None)

    @property
    def is_rate(self) -> bool:
        """Say whether it is a rate."""
        return self.figure.slot.role == RATE


def world_of(rows: Rows) -> World:
    """Return areas and measures as the release's own tables have them."""
    areas = tuple(
        Area(row["area_code"], row["rolls_up_to"], row["valid_from"], row["valid_to"]) for row in rows["areas"]
    )
    measures = {row["measure_code"]: _measure(row) for row in rows["measures"]}
    return World(areas, measures)


def _measure(row: Row) -> Measure:
    return Measure(
        row["measure_code"],
        row["unit"],
        bool(row["is_additive_over_time"]),
        bool(row["is_additive_over_area"]),
        row["disclosure_threshold"],
        row.get("numerator_measure_code"),
        row.get("denominator_measure_code"),
        row.get("denominator_breakdown") or "same",
    )


def snapshot_of(rows: Rows, world: World) -> Snapshot:
    """Return all that a release's tables say about people."""
    snapshot = Snapshot()
    for table in ("measurements", "outcomes", "outcome_years"):
        for row in rows.get(table, ()):
            _add(snapshot, table, row, world)
    newest = {
        said.slot: said.value for said in sorted(snapshot.counts, key=lambda said: said.order) if said.value is not None
    }
    snapshot.rates = [_tied_up(rate, newest, world) for rate in snapshot.rates]
    return snapshot


def _tied_up(rate: SaidRate, newest: dict[Slot, Decimal], world: World) -> SaidRate:
    """Return a rate with the two counts that it ties together, where it or another measure of the release says them.

    A numerator that nobody says is what the rate of the denominator comes to: it can be worked out, and be small.
    """
    slot, measure = rate.figure.slot, world.measures[rate.figure.slot.measure]
    if measure.unit != "percent":
        return rate
    above, below = rate.numerator, rate.denominator
    if below is None and measure.denominator_measure:
        below = _said(_denominator_slot(slot, measure), newest)
    if above is None and measure.numerator_measure:
        above = _said(_numerator_slot(slot, measure), newest)
    if above is None and below is not None:
        count = (rate.figure.value * below.value / 100).quantize(Decimal(1), ROUND_HALF_UP)
        above = Figure(slot.of(measure.code, NUMERATOR), count)
    return SaidRate(rate.figure, above, below)


def _said(slot: Slot, newest: dict[Slot, Decimal]) -> Figure | None:
    return Figure(slot, newest[slot]) if slot in newest else None


def _add(snapshot: Snapshot, table: str, row: Row, world: World) -> None:
    is_outcome = table != "measurements"
    stream = ("outcome",) if is_outcome else (row["form"], row["partner_code"], row["status"] or "")
    order = NEWEST if is_outcome else int(row["load_id"] or 0)
    for mark in marks(table, row, world):
        if mark.is_rate:
            above, below = mark.of
            snapshot.rates.append(SaidRate(mark.figure, above, below))
            if row.get("aggregation") in MEANS and mark.column == "value":
                snapshot.means[mark.figure] = _parts(mark.figure.slot, world)
        else:
            snapshot.counts.append(Said(mark.figure.slot, mark.figure.value, stream, order))
    if row.get("value_flag") in WITHHELD and row["value"] is None and _is_about_people(row, world):
        measure = world.measures[row["measure_code"]]
        if measure.is_count:
            snapshot.counts.append(Said(_slot(row, VALUE), None, stream, order, is_known=False))


def _parts(slot: Slot, world: World) -> list[Slot]:
    return [slot.over(area=part) for part in world.parts_of(slot.end).get(slot.area, ())]


def marks(table: str, row: Row, world: World) -> list[Mark]:
    """Return which columns of a row say something that may have to be left out."""
    if row.get("status") in PLANS or not _is_about_people(row, world):
        return []
    measure = world.measures[row["measure_code"]]
    found = list(_of_parts(row, measure))
    of = {mark.column: mark.figure for mark in found}
    if _is_there(row, "value"):
        role = VALUE if measure.is_count else RATE
        found.append(
            Mark("value", Figure(_slot(row, role), row["value"]), (of.get("numerator"), of.get("denominator")))
        )
    if table == "outcome_years" and measure.is_count and _is_there(row, "value_to_date"):
        found.append(Mark("value_to_date", Figure(_slot(row, TO_DATE), row["value_to_date"])))
    if table != "measurements" and _is_there(row, "baseline_value"):
        role = VALUE if measure.is_count else RATE
        slot = Slot(measure.code, role, WHOLE, row["area_code"], row["baseline_start"], row["baseline_end"])
        found.append(Mark("baseline_value", Figure(slot, row["baseline_value"])))
    return found


def _is_about_people(row: Row, world: World) -> bool:
    """Say whether a row counts people, or what a rate of people is of."""
    code = row["measure_code"]
    if code not in world.measures:
        return False
    return code in _tied(world) or world.measures[code].threshold is not None


def _tied(world: World) -> set[str]:
    return {
        other
        for measure in world.measures.values()
        if measure.threshold is not None
        for other in (measure.numerator_measure, measure.denominator_measure)
        if other
    }


def _of_parts(row: Row, measure: Measure) -> Iterator[Mark]:
    slot = _slot(row, VALUE)
    if _is_there(row, "numerator"):
        yield Mark("numerator", Figure(_numerator_slot(slot, measure), row["numerator"]))
    if _is_there(row, "denominator"):
        yield Mark("denominator", Figure(_denominator_slot(slot, measure), row["denominator"]))


def _numerator_slot(slot: Slot, measure: Measure) -> Slot:
    return slot.of(measure.numerator_measure, VALUE) if measure.numerator_measure else slot.of(measure.code, NUMERATOR)


def _denominator_slot(slot: Slot, measure: Measure) -> Slot:
    if not measure.denominator_measure:
        return slot.of(measure.code, DENOMINATOR)
    of = slot.of(measure.denominator_measure, VALUE)
    return of.over(breakdown=WHOLE) if measure.denominator_breakdown == WHOLE else of


def _slot(row: Row, role: str) -> Slot:
    start, end = row["period_start"], row["period_end"]
    assert isinstance(start, date) and isinstance(end, date)
    return Slot(row["measure_code"], role, row.get("breakdown_code") or WHOLE, row["area_code"], start, end)


def _is_there(row: Row, column: str) -> bool:
    value: Any = row.get(column)
    return value is not None and value >= 0


def leave_out(rows: Rows, hidden: frozenset[str], world: World) -> Rows:
    """Return the tables without the figures that are left out and without all that follows from them.

    Args:
        rows: The tables, by name; not changed.
        hidden: The figures, by key.
        world: Areas and measures.
    """
    masked = {name: [dict(row) for row in table] for name, table in rows.items()}
    charts: set[tuple[str, str]] = set()
    rated: set[tuple[str, str]] = set()
    for table in ("measurements", "outcomes", "outcome_years"):
        for row in masked.get(table, ()):
            for column in _hidden_columns(table, row, hidden, world):
                _blank(row, column)
                if table == "outcomes":
                    _note(row, column, charts, rated)
    for row in masked.get("outcomes", ()):
        if (row["measure_code"], row["area_code"]) in charts:
            row.update(dict.fromkeys(CHART))
    for row in masked.get("priorities", ()):
        if any((measure, row["period_key"]) in rated for measure in row["measure_codes"] or ()):
            row.update(dict.fromkeys(RATED), rag_rolled_up_shorthand=CONFIDENTIAL)
    return masked


def _hidden_columns(table: str, row: Row, hidden: frozenset[str], world: World) -> list[str]:
    return [mark.column for mark in marks(table, row, world) if mark.figure.key in hidden]


def _blank(row: Row, column: str) -> None:
    row[column] = None
    row[f"{column}_shorthand"] = CONFIDENTIAL
    row.update({name: None for name in FOLLOWS[column] if name in row})


def _note(row: Row, column: str, charts: set[tuple[str, str]], rated: set[tuple[str, str]]) -> None:
    """Remember which charts a figure was a point of, and which priorities' ratings count it."""
    if column == "value":
        charts.add((row["measure_code"], row["area_code"]))
    if column in ("value", "baseline_value") and row["area_code"] == COMMISSIONERS_AREA:
        rated.add((row["measure_code"], row["period_key"]))
