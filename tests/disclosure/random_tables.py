"""Random releases as the public tables hold them: areas, quarters and years, breakdowns, rates, restatements."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from quarterday.disclosing.deciding import Decision, Published, decide, must_be_left_out
from quarterday.opendata.saying import leave_out, snapshot_of, world_of
from quarterday.opendata.tables import Row, Rows, public_row, public_tables
from quarterday.opendata.writing import in_order, write_csv

QUARTERS = (
    ("2017-18-Q1", date(2017, 4, 1), date(2017, 6, 30)),
    ("2017-18-Q2", date(2017, 7, 1), date(2017, 9, 30)),
    ("2017-18-Q3", date(2017, 10, 1), date(2017, 12, 31)),
    ("2017-18-Q4", date(2018, 1, 1), date(2018, 3, 31)),
)
YEAR = ("2017-18", date(2017, 4, 1), date(2018, 3, 31))
Period = tuple[str, date, date]
Counts = dict[tuple[str, str, str], int]


@dataclass(frozen=True)
class Shape:
    """How large a random table is."""

    areas: tuple[str, ...]
    breakdowns: tuple[str, ...]
    quarters: tuple[Period, ...]
    has_rate: bool

    @property
    def has_year(self) -> bool:
        return len(self.quarters) == len(QUARTERS)


def random_shape(chance: random.Random) -> Shape:
    """A shape of 2 to 4 areas, 2 to 4 quarters (4 make a year), with or without breakdown and rate."""
    return Shape(
        tuple("abcd"[: chance.randint(2, 4)]),
        chance.choice([(), (), ("men", "women"), ("low", "middle", "high")]),
        QUARTERS[: chance.choice([2, 4])],
        chance.random() < 0.4,
    )


def random_releases(seed: int) -> list[Rows]:
    """Two releases of one random table; the second restates some of it."""
    chance = random.Random(seed)
    shape = random_shape(chance)
    mean = chance.choice([6, 12, 30])
    kinds = shape.breakdowns or ("all",)
    counts: Counts = {
        (area, quarter, kind): int(chance.expovariate(1 / mean))
        for area in shape.areas
        for quarter, _, _ in shape.quarters
        for kind in kinds
    }
    first = dict.fromkeys(((area, quarter) for area in shape.areas for quarter, _, _ in shape.quarters), 1)
    second, restated = dict(first), dict(counts)
    for place in chance.sample(sorted(first), k=max(1, len(first) // 4)):
        second[place] = 2
        for kind in kinds:
            restated[(*place, kind)] = int(chance.expovariate(1 / mean))
    return [release_of(shape, counts, first), release_of(shape, restated, second)]


def release_of(shape: Shape, counts: Counts, loads: dict[tuple[str, str], int]) -> Rows:
    """The public tables of some counts; ``loads`` says which return each area's quarter came in."""
    rows: Rows = {
        "areas": areas(shape),
        "measures": measures(),
        "measurements": [],
        "outcomes": [],
        "outcome_years": [],
    }
    number = {place: index * 10 for index, place in enumerate(sorted(loads), start=1)}
    for area in shape.areas:
        for period in shape.quarters:
            load_id = number[area, period[0]] + loads[area, period[0]]
            by_kind = {kind: counts[area, period[0], kind] for kind in shape.breakdowns or ("all",)}
            rows["measurements"] += [measured(area, period, kind, value, load_id) for kind, value in by_kind.items()]
            if shape.breakdowns:
                rows["measurements"].append(measured(area, period, "all", sum(by_kind.values()), load_id))
            if shape.has_rate:
                rows["measurements"].append(rate(area, period, "finished", by_kind, load_id))
    add_outcomes(rows, shape, counts)
    return rows


def add_outcomes(rows: Rows, shape: Shape, counts: Counts) -> None:
    """Add totals over areas by quarter and the years of each."""
    for area in (*shape.areas, "whole"):
        inside = shape.areas if area == "whole" else (area,)
        by_quarter = [
            sum(value for (one, quarter, _), value in counts.items() if one in inside and quarter == period[0])
            for period in shape.quarters
        ]
        for period, value in zip(shape.quarters, by_quarter, strict=True):
            rows["outcomes"].append(outcome(area, period, value))
        year = outcome(area, YEAR, sum(by_quarter) if shape.has_year else None)
        rows["outcome_years"].append({**year, "value_to_date": Decimal(sum(by_quarter)), "quarter_count": 4})


def areas(shape: Shape) -> list[Row]:
    parts = [{"area_code": area, "rolls_up_to": "whole", "valid_from": None, "valid_to": None} for area in shape.areas]
    return [{"area_code": "whole", "rolls_up_to": None, "valid_from": None, "valid_to": None}, *parts]


def measures() -> list[Row]:
    count = {"unit": "count", "is_additive_over_time": True, "is_additive_over_area": True, "disclosure_threshold": 5}
    share = {**count, "unit": "percent", "is_additive_over_time": False, "is_additive_over_area": False}
    return [
        {"measure_code": "people", **count},
        {"measure_code": "finished", **share, "denominator_measure_code": "people", "denominator_breakdown": "same"},
    ]


def measured(area: str, period: Period, kind: str, value: int, load_id: int, measure: str = "people") -> Row:
    key, start, end = period
    return {
        **{"form": "random", "partner_code": area, "measure_code": measure, "breakdown_code": kind, "area_code": area},
        **{"period_key": key, "period_start": start, "period_end": end, "status": "final", "load_id": load_id},
        **{"value": Decimal(value), "numerator": None, "denominator": None, "value_flag": None},
    }


def rate(area: str, period: Period, measure: str, by_kind: dict[str, int], load_id: int) -> Row:
    """A rate with its numerator; what it is of is the other measure's figure."""
    base = sum(by_kind.values())
    above = sum(value for value in by_kind.values()) * 2 // 5
    value = (Decimal(100 * above) / base).quantize(Decimal("0.1"), ROUND_HALF_UP) if base else None
    row = measured(area, period, "all", 0, load_id, measure)
    return {**row, "value": value, "numerator": Decimal(above)}


def outcome(area: str, period: Period, value: int | None) -> Row:
    row: dict[str, Any] = measured(area, period, "all", value or 0, 0)
    if value is None:
        row["value"] = None
    del row["breakdown_code"]
    return {**row, "load_id": None, "baseline_value": None, "baseline_period_key": None}


def publish(releases: Sequence[Rows], folder: Path, is_protected: bool = True) -> tuple[list[Path], list[Decision]]:
    """Write releases one after the other as the open data of each; unprotected, only small counts are left out."""
    earlier: list[Published] = []
    folders, decisions = [], []
    for number, rows in enumerate(releases, start=1):
        world = world_of(rows)
        snapshot = snapshot_of(rows, world)
        if is_protected:
            decisions.append(decide(snapshot, earlier, world))
        hidden = frozenset(decisions[-1].suppressions if is_protected else must_be_left_out(snapshot, world))
        earlier.append(Published(snapshot, hidden))
        folders.append(write(leave_out(rows, hidden, world), folder / str(number)))
    return folders, decisions


def write(rows: Rows, folder: Path) -> Path:
    """Write the tables that there are as the public csv files."""
    folder.mkdir(parents=True)
    for name, table in public_tables().items():
        if name in rows:
            full = [{**dict.fromkeys(figure for figure in table.figures), **row} for row in rows[name]]
            write_csv(table, in_order(table, [public_row(table, row) for row in full]), folder / f"{name}.csv")
    return folder
