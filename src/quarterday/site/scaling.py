"""Where a chart's numbers and labels go: round steps for an axis, and labels that don't stand on each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` to ``high`` on which numbers become places from ``at_low`` to ``at_high``."""

    low: float
    high: float
    step: float
    at_low: float
    at_high: float

    def place(self, value: float) -> float:
        """Return where a number stands, to a tenth, so that the same chart is the same text."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.at_low + share * (self.at_high - self.at_low), 1)

    @property
    def ticks(self) -> list[float]:
        """Return the numbers at which the axis has a line."""
        count = round((self.high - self.low) / self.step)
        return [round(self.low + number * self.step, 10) for number in range(count + 1)]


def scale_of(values: Sequence[float], at_low: float, at_high: float, most_steps: int = 5) -> Scale:
    """Return an axis for some numbers with round steps; from nought, unless all numbers are far from it.

    Args:
        values: The numbers; at least one.
        at_low: The place of the axis's low end.
        at_high: The place of its high end.
        most_steps: How many steps it may have.
    """
    least, most = min(values), max(values)
    if least >= 0 and least < 0.6 * most or most == least:
        least, most = min(least, 0.0), max(most, 0.0)
    step = _round_step((most - least or 1.0) / most_steps)
    low, high = math.floor(least / step + 1e-9) * step, math.ceil(most / step - 1e-9) * step
    return Scale(low, high if high > low else low + step, step, at_low, at_high)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in STEPS if power * step >= least * (1 - 1e-9))


def pushed_apart(places: Sequence[float], gap: float, lowest: float, highest: float) -> list[float]:
    """Return places, in the order given, moved so that none is nearer to another than the gap, within bounds."""
    order = sorted(range(len(places)), key=lambda one: places[one])
    moved: list[float] = []
    for number in order:
        moved.append(max(places[number], moved[-1] + gap if moved else lowest))
    over = moved[-1] - highest if moved else 0.0
    if over > 0:
        ceiling = highest
        for number in reversed(range(len(moved))):
            moved[number] = min(moved[number], ceiling)
            ceiling = moved[number] - gap
    found = dict(zip(order, moved, strict=True))
    return [round(found[number], 1) for number in range(len(places))]
