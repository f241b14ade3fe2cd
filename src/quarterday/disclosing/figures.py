"""What a public table says about people, figure by figure, and the reference data that ties the figures together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

VALUE, NUMERATOR, DENOMINATOR, TO_DATE, RATE = "value", "numerator", "denominator", "to_date", "rate"


@dataclass(frozen=True, order=True)
class Slot:
    """What a figure is of: a measure, in what role, of which part of it, where and when."""

    measure: str
    role: str
    breakdown: str
    area: str
    start: date
    end: date

    def over(self, area: str | None = None, breakdown: str | None = None) -> Slot:
        """Return the same for another area or another part of the measure."""
        return Slot(self.measure, self.role, breakdown or self.breakdown, area or self.area, self.start, self.end)

    def of(self, measure: str, role: str) -> Slot:
        """Return the same of another measure or in another role."""
        return Slot(measure, role, self.breakdown, self.area, self.start, self.end)


@dataclass(frozen=True, order=True)
class Figure:
    """A slot and what it says. Two releases, forms or tables that say the same of a slot say one figure.

    That is the careful reading: an attacker who takes what is not marked as restated to be unchanged is right.
    """

    slot: Slot
    value: Decimal

    @property
    def key(self) -> str:
        """The figure as text, by which the ledger knows it."""
        slot = self.slot
        period = f"{slot.start}/{slot.end}"
        return "|".join((slot.measure, slot.role, slot.breakdown, slot.area, period, plain(self.value)))


@dataclass(frozen=True)
class Said:
    """A count that a table says; ``order`` is its load's number, by which the newest of several versions is known.

    ``stream`` is what sent it (form, partner, status): figures of one stream add up among themselves. A figure that
    its partner has suppressed says nothing and has no value.
    """

    slot: Slot
    value: Decimal | None
    stream: tuple[str, ...] = ()
    order: int = 0
    is_known: bool = True
    period_type: str = ""


@dataclass(frozen=True)
class SaidRate:
    """A rate that a table says, with the figures that it ties together where they are known."""

    figure: Figure
    numerator: Figure | None = None
    denominator: Figure | None = None
    factor: float = 100.0


@dataclass
class Snapshot:
    """All that one release says about people."""

    counts: list[Said] = field(default_factory=list)
    rates: list[SaidRate] = field(default_factory=list)
    # A mean of rates, and the rates that it is the mean of: it may be shown only with all of them.
    means: dict[Figure, list[Slot]] = field(default_factory=dict)


@dataclass(frozen=True)
class Area:
    """A part of the map: what it adds up to, and when it holds."""

    code: str
    rolls_up_to: str | None
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """Say whether the area is there on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Measure:
    """What is needed to know of a measure: how it adds up, and below what its counts are too small to show.

    A rate may be of two other measures; ``whole_of`` is the part of the denominator's measure that it is of.
    """

    code: str
    unit: str
    is_additive_over_time: bool
    is_additive_over_area: bool
    threshold: int | None
    numerator_measure: str | None = None
    denominator_measure: str | None = None
    denominator_breakdown: str = "same"

    @property
    def is_count(self) -> bool:
        """Say whether its figures are counts."""
        return self.unit == "count"


@dataclass(frozen=True)
class World:
    """Reference data: areas, and measures by code."""

    areas: tuple[Area, ...]
    measures: Mapping[str, Measure]

    def parts_of(self, day: date) -> dict[str, list[str]]:
        """Return the areas that each whole is the sum of on a day."""
        found: dict[str, list[str]] = {}
        for area in self.areas:
            if area.rolls_up_to and area.holds_on(day):
                found.setdefault(area.rolls_up_to, []).append(area.code)
        return found

    def threshold(self, slot: Slot) -> int | None:
        """Return the count below which a figure is too small to show; None where no person is counted."""
        measure = self.measures.get(slot.measure)
        return measure.threshold if measure else None

    def adds_up(self, slot: Slot, is_over_time: bool) -> bool:
        """Say whether a slot's figures add up over time, or over areas."""
        if slot.role in (NUMERATOR, DENOMINATOR):
            return True
        measure = self.measures.get(slot.measure)
        if measure is None or not measure.is_count:
            return False
        return measure.is_additive_over_time if is_over_time else measure.is_additive_over_area


def plain(value: Decimal) -> str:
    """Return a number's shortest text: 3 for 3.0."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def step_of(value: Decimal) -> float:
    """Return the unit of a number's last digit: 0.1 for 41.3."""
    exponent = value.as_tuple().exponent
    return float(10.0 ** (exponent if isinstance(exponent, int) else 0))


def figures_of(counts: Iterable[Said]) -> set[Figure]:
    """Return the figures that some counts say."""
    return {Figure(said.slot, said.value) for said in counts if said.value is not None and said.is_known}
