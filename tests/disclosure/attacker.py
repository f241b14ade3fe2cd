"""An attacker who has nothing but the published files, of all releases, and a linear programme.

It shares no code with the defence: it reads the csv files, puts up its own equations (areas, periods, breakdowns,
rates, baselines, years to date) and asks for each figure that shows as [c] how small and how large it can be. Of all
releases it takes a figure of the same return to be the same figure.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, hstack

Cell = tuple[str, ...]
Record = dict[str, str]
CONFIDENTIAL = "[c]"
TABLES = ("measurements", "outcomes", "outcome_years")


@dataclass
class Equation:
    """``low <= sum(factor * cell) <= high``, which the attacker takes to hold, or nearly."""

    terms: dict[int, float]
    low: float
    high: float


@dataclass
class Target:
    """A figure that was left out: where it stands, and which unknown it is."""

    release: str
    table: str
    row: int
    column: str
    number: int
    threshold: int | None


@dataclass
class Attacker:
    """What the attacker has gathered."""

    numbers: dict[Cell, int] = field(default_factory=dict)
    known: dict[int, float] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def number(self, cell: Cell) -> int:
        return self.numbers.setdefault(cell, len(self.numbers))


def attack(folders: Sequence[Path], in_whole_numbers: bool = False) -> list[tuple[Target, float, float]]:
    """Return each left-out figure of some releases with the least and the most that it can be."""
    attacker = Attacker()
    for folder in folders:
        _read_release(folder, attacker)
    return list(_ends(attacker, in_whole_numbers))


def _records(path: Path) -> list[Record]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _read_release(folder: Path, attacker: Attacker) -> None:
    measures = {row["measure_code"]: row for row in _records(folder / "measures.csv")}
    wholes: dict[str, list[Record]] = defaultdict(list)
    for row in _records(folder / "areas.csv"):
        if row["rolls_up_to"]:
            wholes[row["rolls_up_to"]].append(row)
    seen: dict[Cell, Cell] = {}
    rates: list[tuple[Record, Cell]] = []
    for table in TABLES:
        for place, row in enumerate(_records(folder / f"{table}.csv")):
            if row["status"] in ("target", "plan") or row["measure_code"] not in measures:
                continue
            _read_row(folder.name, table, place, row, measures[row["measure_code"]], attacker, seen, rates)
    _add_sums(seen, measures, wholes, attacker)
    for row, base in rates:
        _add_rate(row, base, measures[row["measure_code"]], seen, attacker)


def _slot(row: Record, role: str) -> Cell:
    breakdown = row.get("breakdown_code") or "all"
    return (row["measure_code"], role, breakdown, row["area_code"], row["period_start"], row["period_end"])


def _version(row: Record, release: str) -> str:
    """Return what tells versions of a figure apart: the return it came in; what is added up is the release's own."""
    return f"load {row['load_id']}" if row["load_id"] else f"release {release}"


def _read_row(
    release: str,
    table: str,
    place: int,
    row: Record,
    measure: Record,
    attacker: Attacker,
    seen: dict[Cell, Cell],
    rates: list[tuple[Record, Cell]],
) -> None:
    threshold = int(measure["disclosure_threshold"]) if measure["disclosure_threshold"] else None
    is_count = measure["unit"] == "count"
    for column in ("value", "numerator", "denominator", "value_to_date"):
        if column not in row or (column == "value" and not is_count):
            continue
        if row[column] == "" and row[f"{column}_shorthand"] != CONFIDENTIAL:
            continue
        slot = _slot(row, column)
        cell = (*slot, _version(row, release) if column != "value_to_date" else f"release {release}")
        if slot in seen and table != "measurements" and not row["load_id"]:
            attacker.equations.append(_same(attacker, seen[slot], cell))
        seen[slot] = cell
        _tell(release, table, place, column, row, cell, threshold, attacker)
    if row.get("baseline_value") and is_count:
        start, end = _dates(row["baseline_period_key"])
        if start:
            slot = (row["measure_code"], "value", "all", row["area_code"], start, end)
            if slot in seen:
                attacker.equations.append(
                    Equation(
                        {attacker.number(seen[slot]): 1.0}, float(row["baseline_value"]), float(row["baseline_value"])
                    )
                )
            if table == "outcomes" and row["change"] and row["value_shorthand"] == CONFIDENTIAL:
                value = float(row["change"]) + float(row["baseline_value"]) / 4
                attacker.equations.append(Equation({attacker.number(seen[_slot(row, "value")]): 1.0}, value, value))
    if not is_count and row["value"]:
        rates.append((row, _slot(row, "value")))


def _same(attacker: Attacker, one: Cell, other: Cell) -> Equation:
    if one == other:
        return Equation({attacker.number(one): 0.0}, 0, 0)
    return Equation({attacker.number(one): 1.0, attacker.number(other): -1.0}, 0, 0)


def _tell(
    release: str,
    table: str,
    place: int,
    column: str,
    row: Record,
    cell: Cell,
    threshold: int | None,
    attacker: Attacker,
) -> None:
    number = attacker.number(cell)
    if row[column] != "":
        attacker.known[number] = float(row[column])
    else:
        attacker.targets.append(Target(release, table, place, column, number, threshold))


def _dates(key: str) -> tuple[str, str]:
    """Return the first and last day of a financial year or quarter by its key."""
    year = int(key[:4])
    if len(key) == len("2017-18"):
        return f"{year}-04-01", f"{year + 1}-03-31"
    if "-Q" in key:
        first = date(year + (key[-1] == "4"), (4, 7, 10, 1)[int(key[-1]) - 1], 1)
        following = date(first.year + (first.month == 10), (first.month + 2) % 12 + 1, 1)
        return first.isoformat(), (following - timedelta(days=1)).isoformat()
    return "", ""


def _add_sums(
    seen: dict[Cell, Cell], measures: dict[str, Record], wholes: dict[str, list[Record]], attacker: Attacker
) -> None:
    slots = [slot for slot in seen if slot[1] != "value_to_date"]
    cells = dict(seen)
    for _ in range(2):
        for whole, parts in [*_area_sums(slots, measures, wholes), *_year_sums(slots, measures)]:
            if whole not in cells:
                cells[whole] = (*whole, "nobody says it", str(len(attacker.numbers)))
                slots.append(whole)
            _add_sum(cells[whole], [cells[part] for part in parts], attacker)
        slots = list(dict.fromkeys(slots))
    for whole, parts in _breakdown_sums(slots):
        _add_sum(cells[whole], [cells[part] for part in parts], attacker)
    for whole, parts in _to_date_sums(seen):
        _add_sum(cells[whole], [cells[part] for part in parts], attacker)


def _add_sum(whole: Cell, parts: list[Cell], attacker: Attacker) -> None:
    numbers = [attacker.number(part) for part in parts]
    total = attacker.number(whole)
    if all(number in attacker.known for number in (*numbers, total)):
        return
    attacker.equations.append(Equation({**dict.fromkeys(numbers, 1.0), total: -1.0}, 0, 0))


def _adds_up(slot: Cell, measures: dict[str, Record], column: str) -> bool:
    return slot[1] in ("numerator", "denominator") or measures[slot[0]][column] == "true"


def _area_sums(
    slots: list[Cell], measures: dict[str, Record], wholes: dict[str, list[Record]]
) -> Iterator[tuple[Cell, list[Cell]]]:
    there = set(slots)
    groups = {(*slot[:3], "", *slot[4:]) for slot in slots if _adds_up(slot, measures, "is_additive_over_area")}
    for group in groups:
        for whole, parts in wholes.items():
            holding = [
                part["area_code"]
                for part in parts
                if (part["valid_from"] or "0") <= group[5] <= (part["valid_to"] or "9999")
            ]
            cells = [(*group[:3], part, *group[4:]) for part in holding]
            if cells and all(cell in there for cell in cells):
                yield (*group[:3], whole, *group[4:]), cells


def _year_sums(slots: list[Cell], measures: dict[str, Record]) -> Iterator[tuple[Cell, list[Cell]]]:
    there = set(slots)
    for slot in slots:
        if not slot[4].endswith("-04-01") or not _adds_up(slot, measures, "is_additive_over_time"):
            continue
        year = int(slot[4][:4])
        quarters = [_dates(f"{year}-{(year + 1) % 100:02d}-Q{number}") for number in (1, 2, 3, 4)]
        cells = [(*slot[:4], *quarter) for quarter in quarters]
        if slot == cells[0] and all(cell in there for cell in cells):
            yield (*slot[:4], f"{year}-04-01", f"{year + 1}-03-31"), cells


def _breakdown_sums(slots: list[Cell]) -> Iterator[tuple[Cell, list[Cell]]]:
    parts: dict[Cell, list[Cell]] = defaultdict(list)
    for slot in slots:
        if slot[2] != "all":
            parts[(*slot[:2], "all", *slot[3:])].append(slot)
    there = set(slots)
    for whole, of_it in parts.items():
        if whole in there and len(of_it) > 1:
            yield whole, of_it


def _to_date_sums(seen: dict[Cell, Cell]) -> Iterator[tuple[Cell, list[Cell]]]:
    for slot in seen:
        if slot[1] != "value_to_date":
            continue
        year = int(slot[4][:4])
        quarters = [_dates(f"{year}-{(year + 1) % 100:02d}-Q{number}") for number in (1, 2, 3, 4)]
        cells = [(slot[0], "value", *slot[2:4], *quarter) for quarter in quarters]
        if there := [cell for cell in cells if cell in seen]:
            yield slot, there


def _add_rate(row: Record, slot: Cell, measure: Record, seen: dict[Cell, Cell], attacker: Attacker) -> None:
    """A rate to a digit ties its two counts together."""
    if measure["unit"] != "percent":
        return
    above = (
        measure["numerator_measure_code"] or slot[0],
        "value" if measure["numerator_measure_code"] else "numerator",
        *slot[2:],
    )
    below = (
        measure["denominator_measure_code"] or slot[0],
        "value" if measure["denominator_measure_code"] else "denominator",
        *slot[2:],
    )
    if measure["denominator_breakdown"] == "all":
        below = (*below[:2], "all", *below[3:])
    if above not in seen or below not in seen:
        return
    digits = len(row["value"].partition(".")[2])
    if row.get("aggregation") == "pooled":
        digits = 1
    width, rate = 0.5 * 10**-digits + 1e-9, float(row["value"])
    one, other = attacker.number(seen[above]), attacker.number(seen[below])
    if one in attacker.known and other in attacker.known:
        return
    attacker.equations.append(Equation({one: 1.0, other: -(rate - width) / 100}, 0, np.inf))
    attacker.equations.append(Equation({one: 1.0, other: -(rate + width) / 100}, -np.inf, 0))


def _ends(attacker: Attacker, in_whole_numbers: bool) -> Iterator[tuple[Target, float, float]]:
    """Solve for each target among the unknowns that it hangs together with."""
    matrix, low, high = _system(attacker)
    slack = _needed_slack(matrix, low, high)
    ends: dict[int, tuple[float, float]] = {}
    for target in attacker.targets:
        number = target.number
        if number in attacker.known:
            ends[number] = (attacker.known[number],) * 2
        if number not in ends:
            ends[number] = _reach(matrix, low - slack, high + slack, number, in_whole_numbers)
        yield target, *ends[number]


def _system(attacker: Attacker) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Return the equations over the unknowns, with what is known taken to the other side."""
    rows, columns, factors, low, high = [], [], [], [], []
    for place, equation in enumerate(attacker.equations):
        offset = 0.0
        for number, factor in equation.terms.items():
            if number in attacker.known:
                offset += factor * attacker.known[number]
            else:
                rows.append(place)
                columns.append(number)
                factors.append(factor)
        low.append(equation.low - offset)
        high.append(equation.high - offset)
    shape = (len(attacker.equations), len(attacker.numbers))
    return csr_array(coo_array((factors, (rows, columns)), shape=shape)), np.array(low), np.array(high)


def _needed_slack(matrix: csr_array, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return how far each equation must give so that all can hold: printed totals are not always their parts' sum."""
    count, size = matrix.shape
    if count == 0:
        return np.zeros(0)
    numbers = np.arange(count)
    more = coo_array((np.ones(count), (numbers, numbers)), shape=(count, count))
    whole = csr_array(hstack([matrix, more, -more]))
    solved = milp(
        np.concatenate([np.zeros(size), np.ones(2 * count)]),
        bounds=Bounds(0, np.inf),
        constraints=LinearConstraint(whole, low, high),
    )
    assert solved.status == 0, solved.message
    given = solved.x[size : size + count] + solved.x[size + count :]
    return np.where(given > 1e-7, given + 1e-7, 0.0)


def _reach(
    matrix: csr_array, low: np.ndarray, high: np.ndarray, number: int, in_whole_numbers: bool
) -> tuple[float, float]:
    rows, columns = _hanging_together(matrix, number)
    place = int(np.searchsorted(columns, number))
    part = matrix[rows][:, columns]
    ends = []
    for sign in (1.0, -1.0):
        aim = np.zeros(len(columns))
        aim[place] = sign
        solved = milp(
            aim,
            integrality=np.full(len(columns), int(in_whole_numbers)),
            bounds=Bounds(0, np.where(np.arange(len(columns)) == place, 1e6, np.inf)),
            constraints=LinearConstraint(part, low[rows], high[rows]) if len(rows) else (),
        )
        assert solved.status == 0, solved.message
        ends.append(float(solved.x[place]))
    return ends[0], ends[1]


def _hanging_together(matrix: csr_array, number: int) -> tuple[np.ndarray, np.ndarray]:
    columns, rows, across = {number}, set[int](), csr_array(matrix.T)
    fresh = [number]
    while fresh:
        new_rows = {int(row) for one in fresh for row in across[[one]].indices} - rows
        rows |= new_rows
        found = {int(column) for row in new_rows for column in matrix[[row]].indices}
        fresh = list(found - columns)
        columns |= found
    return np.array(sorted(rows), dtype=int), np.array(sorted(columns), dtype=int)
