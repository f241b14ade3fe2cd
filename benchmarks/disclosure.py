"""Disclosure control on random tables and their restatements: what it costs, what it loses, what an attacker recovers.

python -m benchmarks.disclosure --tables 200
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.disclosure.attacker import attack
from tests.disclosure.random_tables import publish, random_releases
from tests.disclosure.test_attacker import recovered, true_value


@dataclass(frozen=True)
class Outcome:
    """One random table: seconds, figures left out, and how much an attacker finds."""

    protect_seconds: float
    attack_seconds: float
    left_out: int
    protecting: int
    is_least: bool
    given_away: int
    recovered: int
    shifted: int
    recovered_bare: int


def main() -> None:
    """Print a line for each table, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    found = []
    for seed, one in outcomes(range(options.first, options.first + options.tables)):
        found.append(one)
        print(seed, one, flush=True)
    print(
        f"protect {sum(one.protect_seconds for one in found):.0f} s, most {max(o.protect_seconds for o in found):.1f} s"
    )
    print(f"recovered in {sum(one.recovered > 0 for one in found)} of {len(found)} tables")
    print(f"without secondary suppression in {sum(one.recovered_bare > 0 for one in found)}")


def outcomes(seeds: range) -> Iterator[tuple[int, Outcome]]:
    """Yield what comes of each table."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            yield seed, outcome_of(seed, Path(folder))


def outcome_of(seed: int, folder: Path) -> Outcome:
    """Protect, publish and attack one table, and once more with small counts alone left out."""
    releases = random_releases(seed)
    begun = time.perf_counter()
    folders, decisions = publish(releases, folder / "protected")
    protected = time.perf_counter()
    ends = attack(folders)
    attacked = time.perf_counter()
    bare, _ = publish(releases, folder / "bare", is_protected=False)
    suppressions = [one for decision in decisions for one in decision.suppressions.values()]
    small = [
        least
        for target, least, _ in ends
        if target.threshold and 0 < true_value(releases, folders, target) < target.threshold
    ]
    return Outcome(
        round(protected - begun, 2),
        round(attacked - protected, 2),
        len(suppressions),
        sum(one.rule == "protects" for one in suppressions),
        all(decision.is_least for decision in decisions),
        sum(len(decision.given_away) for decision in decisions),
        len(recovered(releases, folders)),
        sum(least > 1e-4 for least in small),
        len(recovered(releases, bare)),
    )


if __name__ == "__main__":
    main()
