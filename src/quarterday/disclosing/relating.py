"""What holds between the figures of a release: areas, periods and breakdowns that add up to others.

A relation is taken in where the figures show it to hold, or nearly: a total that was sent and is off by little is as
good to an attacker who subtracts. What it is off by stays as slack, so that the truth is never ruled out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from quarterday.disclosing.figures import TO_DATE, Figure, Said, Slot, Snapshot, World

# A total that is further off than this is not the sum of its parts.
MOST_SLACK = Decimal(10)
WHOLE = "all"
Layer = dict[Slot, Decimal]


@dataclass(frozen=True)
class Sum:
    """A whole and its parts, and by how much they differ in truth."""

    whole: Figure
    parts: tuple[Figure, ...]
    slack: float


@dataclass(frozen=True)
class Found:
    """The sums of a release; ``implied`` are figures that their partner suppressed and that a sum gives away."""

    sums: frozenset[Sum]
    implied: frozenset[Figure]


def find_sums(snapshot: Snapshot, world: World) -> Found:
    """Return every sum among the figures of a release."""
    implied: Layer = {}
    sums: set[Sum] = set()
    for layer, unknown in _layers(snapshot.counts):
        known = _with_wholes(layer, world)
        for whole, parts in [
            *_by_area(known, unknown, world),
            *_by_period(known, unknown, world),
            *_by_part(known, unknown),
        ]:
            made = _sum(whole, parts, known, implied)
            if made is not None:
                sums.add(made)
    for said in snapshot.counts:
        if said.slot.role == TO_DATE and said.value is not None:
            sums |= _to_date(said, snapshot.counts)
    return Found(frozenset(sums), frozenset(Figure(slot, value) for slot, value in implied.items()))


def _layers(counts: Sequence[Said]) -> Iterator[tuple[Layer, set[Slot]]]:
    """Yield the newest figure of each slot, then those of each stream; with the slots that a partner suppressed."""
    streams: dict[tuple[str, ...], list[Said]] = defaultdict(list)
    for said in counts:
        if said.slot.role != TO_DATE:
            streams[said.stream].append(said)
    everything = [said for stream in streams.values() for said in stream]
    for layer in [everything, *(streams.values() if len(streams) > 1 else ())]:
        ordered = sorted(layer, key=lambda said: said.order)
        known = {said.slot: said.value for said in ordered if said.value is not None}
        yield known, {said.slot for said in ordered if said.value is None and not said.is_known} - known.keys()


def _with_wholes(layer: Layer, world: World) -> Layer:
    """Add the areas' and the years' sums that nobody publishes, through which others are tied together."""
    full = dict(layer)
    for _ in range(2):
        for slot, parts in _missing_areas(full, world):
            full[slot] = sum((full[part] for part in parts), Decimal(0))
        for slot, parts in _missing_years(full, world):
            full[slot] = sum((full[part] for part in parts), Decimal(0))
    return full


def _missing_areas(layer: Layer, world: World) -> list[tuple[Slot, list[Slot]]]:
    groups = _groups_by_area(layer, world)
    found = []
    for slot, areas in groups.items():
        for whole, parts in world.parts_of(slot.end).items():
            if whole not in areas and set(parts) <= areas:
                found.append((slot.over(area=whole), [slot.over(area=part) for part in parts]))
    return found


def _missing_years(layer: Layer, world: World) -> list[tuple[Slot, list[Slot]]]:
    found = []
    for slot in layer:
        if (slot.start.month, slot.start.day) != (4, 1) or not world.adds_up(slot, is_over_time=True):
            continue
        year = _during(slot, slot.start, date(slot.start.year + 1, 3, 31))
        quarters = [_during(slot, first, _end_of_quarter(first)) for first in _quarter_starts(slot.start.year)]
        if year not in layer and all(quarter in layer for quarter in quarters):
            found.append((year, quarters))
    return found


def _groups_by_area(slots: Iterable[Slot], world: World) -> dict[Slot, set[str]]:
    """Return the areas that have a figure, by what the figure is of."""
    groups: dict[Slot, set[str]] = defaultdict(set)
    for slot in slots:
        if world.adds_up(slot, is_over_time=False):
            groups[slot.over(area="*")].add(slot.area)
    return groups


def _by_area(layer: Layer, unknown: set[Slot], world: World) -> Iterator[tuple[Slot, list[Slot]]]:
    for slot, areas in _groups_by_area([*layer, *unknown], world).items():
        for whole, parts in world.parts_of(slot.end).items():
            if whole in areas and set(parts) <= areas:
                yield slot.over(area=whole), [slot.over(area=part) for part in parts]


def _by_period(layer: Layer, unknown: set[Slot], world: World) -> Iterator[tuple[Slot, list[Slot]]]:
    series: dict[tuple[str, str, str, str], list[Slot]] = defaultdict(list)
    for slot in [*layer, *unknown]:
        if world.adds_up(slot, is_over_time=True):
            series[slot.measure, slot.role, slot.breakdown, slot.area].append(slot)
    for slots in series.values():
        by_length: dict[int, dict[date, Slot]] = defaultdict(dict)
        for slot in slots:
            by_length[_months(slot)][slot.start] = slot
        for whole in slots:
            for months, parts in by_length.items():
                if 0 < months < _months(whole) and (tiles := _tiles(whole, parts)):
                    yield whole, tiles


def _tiles(whole: Slot, parts: dict[date, Slot]) -> list[Slot] | None:
    """Return the parts that fill a period without a gap; None where they don't."""
    day, found = whole.start, []
    while day <= whole.end:
        part = parts.get(day)
        if part is None or part.end > whole.end:
            return None
        found.append(part)
        day = part.end + timedelta(days=1)
    return found


def _by_part(layer: Layer, unknown: set[Slot]) -> Iterator[tuple[Slot, list[Slot]]]:
    parts: dict[Slot, list[Slot]] = defaultdict(list)
    for slot in [*layer, *unknown]:
        if slot.breakdown != WHOLE:
            parts[slot.over(breakdown=WHOLE)].append(slot)
    for whole, of_it in parts.items():
        if len(of_it) > 1 and (whole in layer or whole in unknown):
            yield whole, sorted(of_it)


def _sum(whole: Slot, parts: Sequence[Slot], layer: Layer, implied: Layer) -> Sum | None:
    """Return a whole and its parts as a sum, one that its partner suppressed worked out; None where it is none."""
    values = {slot: layer.get(slot, implied.get(slot)) for slot in (whole, *parts)}
    missing = [slot for slot, value in values.items() if value is None]
    known = {slot: value for slot, value in values.items() if value is not None}
    of_parts = sum((known[part] for part in parts if part in known), Decimal(0))
    if len(missing) == 1:
        rest = of_parts if missing[0] == whole else known[whole] - of_parts
        if rest < 0:
            return None
        known[missing[0]] = implied[missing[0]] = rest
        of_parts = sum((known[part] for part in parts), Decimal(0))
    elif missing:
        return None
    slack = abs(known[whole] - of_parts)
    if slack > MOST_SLACK:
        return None
    return Sum(Figure(whole, known[whole]), tuple(Figure(part, known[part]) for part in parts), float(slack))


def _to_date(said: Said, counts: Sequence[Said]) -> set[Sum]:
    """Return the year to date as the sum of its quarters, where the release says them."""
    slot, value = said.slot, said.value
    assert value is not None
    newest = {
        other.slot: other.value
        for other in sorted(counts, key=lambda other: other.order)
        if other.value is not None
        and other.slot.role == "value"
        and (other.slot.measure, other.slot.area, other.slot.breakdown) == (slot.measure, slot.area, slot.breakdown)
        and slot.start <= other.slot.start
        and other.slot.end <= slot.end
        and _months(other.slot) == 3
    }
    parts = tuple(Figure(part, number) for part, number in sorted(newest.items()))
    slack = abs(value - sum((part.value for part in parts), Decimal(0)))
    return {Sum(Figure(slot, value), parts, float(slack))} if parts and slack <= MOST_SLACK else set()


def _during(slot: Slot, start: date, end: date) -> Slot:
    return Slot(slot.measure, slot.role, slot.breakdown, slot.area, start, end)


def _quarter_starts(year: int) -> list[date]:
    return [date(year, 4, 1), date(year, 7, 1), date(year, 10, 1), date(year + 1, 1, 1)]


def _end_of_quarter(first: date) -> date:
    following = first.month + 3
    return date(first.year + (following > 12), (following - 1) % 12 + 1, 1) - timedelta(days=1)


def _months(slot: Slot) -> int:
    """Return how many months a period has when it begins with one and ends with one; else 0."""
    after = slot.end + timedelta(days=1)
    if slot.start.day != 1 or after.day != 1:
        return 0
    return (after.year - slot.start.year) * 12 + after.month - slot.start.month
