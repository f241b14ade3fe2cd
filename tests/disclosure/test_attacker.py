"""An attacker with all published files recovers nothing, and does so where only small counts are left out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from quarterday.opendata.tables import Rows, public_row, public_tables
from quarterday.opendata.writing import in_order
from tests.disclosure.attacker import Target, attack
from tests.disclosure.random_tables import QUARTERS, Shape, publish, random_releases, release_of

TOLERANCE = 1e-4
DEMO = Path(__file__).parents[2] / "demo" / "figures"


Ends = list[tuple[Target, float, float]]


def recovered(releases: list[Rows], folders: list[Path], ends: Ends | None = None) -> Ends:
    """Return what the attacker finds out: a small count to within its interval, or another figure exactly."""
    return [
        (target, least, most)
        for target, least, most in (attack(folders) if ends is None else ends)
        if is_found(true_value(releases, folders, target), target.threshold, least, most)
    ]


def is_found(true: float, threshold: int | None, least: float, most: float) -> bool:
    """Say whether a figure is narrowed down too far.

    A small count has to look like anything from 0 to below its threshold; where earlier files rule out the low end
    already, like as many numbers from there on. Who took a total for the sum of parts that it is not is misled.
    """
    if not least - TOLERANCE <= true <= most + TOLERANCE:
        return False
    if threshold is not None and 0 < true < threshold:
        return most - least < threshold - 1 - TOLERANCE
    return most - least < TOLERANCE


def true_value(releases: list[Rows], folders: list[Path], target: Target) -> float:
    """Return what a left-out figure is, from the tables before anything was left out."""
    rows = releases[[folder.name for folder in folders].index(target.release)]
    table = public_tables()[target.table]
    full = [{**dict.fromkeys(table.figures), **row} for row in rows[target.table]]
    return float(in_order(table, [public_row(table, row) for row in full])[target.row][target.column])


def found_in(seed: int, folder: Path, is_protected: bool) -> int:
    releases = random_releases(seed)
    folders, _ = publish(releases, folder, is_protected)
    # Here totals are sums, and an attacker whom they mislead would be a bad attacker.
    ends = attack(folders)
    for target, least, most in ends:
        assert least - TOLERANCE <= true_value(releases, folders, target) <= most + TOLERANCE
    return len(recovered(releases, folders, ends))


@pytest.mark.parametrize("seed", [3])
def test_nothing_is_recovered_from_a_random_table_and_its_restatement(seed: int, tmp_path: Path) -> None:
    assert found_in(seed, tmp_path / "protected", is_protected=True) == 0
    assert found_in(seed, tmp_path / "bare", is_protected=False) > 0


def test_the_demos_first_time_entrants_are_had_back_without_protection_were_counts_below_thirty_small(
    tmp_path: Path,
) -> None:
    with (DEMO / "first_time_entrants.csv").open(newline="") as file:
        sent = {
            (row["area"], row["period"]): int(row["value"]) for row in csv.DictReader(file) if row["value"].isdigit()
        }
    counts = {
        (area, quarter, "all"): sent[name, f"2016/17 {quarter[-2:]}"]
        for area, name in (("a", "Staffordshire"), ("b", "Stoke on Trent"))
        for quarter, _, _ in QUARTERS
    }
    loads = {(area, quarter): 1 for area, quarter, _ in counts}
    rows = release_of(Shape(("a", "b"), (), QUARTERS, has_rate=False), counts, loads)
    for measure in rows["measures"]:
        measure["disclosure_threshold"] = 30
    bare, _ = publish([rows], tmp_path / "bare", is_protected=False)
    assert {true_value([rows], bare, target) for target, _, _ in recovered([rows], bare)} == {24, 25}
    protected, _ = publish([rows], tmp_path / "protected")
    assert recovered([rows], protected) == []


@pytest.mark.long
def test_nothing_is_recovered_from_two_hundred_random_tables_and_their_restatements(tmp_path: Path) -> None:
    bare = 0
    for seed in range(200):
        assert found_in(seed, tmp_path / f"{seed}" / "protected", is_protected=True) == 0, seed
        bare += found_in(seed, tmp_path / f"{seed}" / "bare", is_protected=False) > 0
    print(f"without secondary suppression the attack succeeds in {bare} of 200")
    assert bare > 100


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_recovered_by_one_who_reckons_in_whole_numbers(seed: int, tmp_path: Path) -> None:
    releases = random_releases(seed)
    folders, _ = publish(releases, tmp_path)
    assert recovered(releases, folders, attack(folders, in_whole_numbers=True)) == []


def test_what_is_left_out_shows_as_confidential_and_has_no_value(tmp_path: Path) -> None:
    folders, decisions = publish(random_releases(3), tmp_path)
    with (folders[0] / "measurements.csv").open(newline="") as file:
        shown = [row for row in csv.DictReader(file) if row["value_shorthand"] == "[c]"]
    assert shown and all(row["value"] == "" for row in shown)
    assert decisions[0].is_least and not decisions[0].given_away
