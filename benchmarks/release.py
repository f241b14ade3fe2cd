"""One release of a new quarter, and of a restated one, of 200,000 lines, over 1, 5 and 20 million rows of history.

A quarter is three files of street crime (a large one and two small ones) and an indicator return. The first quarter
goes the project's own way, from inbox to publication. The history repeats what it left: see :mod:`benchmarks.history`.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import bench, history
from quarterday import releasing, warehouse
from quarterday.dbt import run_dbt
from quarterday.settings import Settings, load_settings

MILLIONS = (1, 5, 20)
KINDS = ("new", "restated")
VIEWS_OF_DERIVED_FACTS = "int_fct_*"  # of a history that an earlier run has made, they may be those of older code


@dataclass(frozen=True)
class Waiting:
    """A warehouse with a history, in which two quarters wait for their release: a new one and a restated one."""

    million: int
    settings: Settings
    server: Settings
    loads: dict[str, list[int]]


def main() -> None:
    """Print a table for a new quarter and one for a restated one."""
    options = bench.arguments(__doc__ or "", lines=200_000)
    with bench.warehouse_of(options.work, load_settings().project) as settings:
        history.make_first_quarter(settings, options.work, options.lines)
        warehouses = [waiting(million, settings, options.lines) for million in MILLIONS]
        warm_up(warehouses)
        costs = compare(warehouses, options.pairs)
    for kind in KINDS:
        rows = [
            bench.row(f"{one.million} million rows", [(turn[0], turn[number]) for turn in costs[kind]])
            for number, one in enumerate(warehouses)
        ]
        bench.show(f"Release of a {kind} quarter of {options.lines:,} lines", rows)


def waiting(million: int, settings: Settings, lines: int) -> Waiting:
    """Return the warehouse of so many million rows of history, made when it is not there."""
    own = history.database(f"history_{million}", settings)
    warehouse.migrate(own)
    return Waiting(million, own, settings, history.repeat_quarters(own, million * 1_000_000 // lines, KINDS))


def warm_up(warehouses: Sequence[Waiting]) -> None:
    """Do what is done once in a worker's life: imports, and dbt's first reading of its project."""
    for one in warehouses:
        run_dbt(("run", "--select", VIEWS_OF_DERIVED_FACTS), one.settings)
    released(warehouses[0], KINDS[0])
    history.take_back(warehouses[0].settings, warehouses[0].loads[KINDS[0]])


def released(one: Waiting, kind: str) -> bench.Cost:
    """Bring out the quarter that waits and return what it cost: open, build with its tests, check, publish."""
    settings = one.settings
    history.admit(settings, one.loads[kind])
    with contextlib.closing(bench.owner(settings)) as connection:
        connection.autocommit = True
        connection.cursor().execute("checkpoint")  # or one falls into somebody's time
    return bench.measure(lambda: release(settings), one.server)


def release(settings: Settings) -> None:
    """Do what the tasks of ``quarter__release`` do."""
    release_id = releasing.begin(settings)
    assert release_id is not None, "nothing waits"
    releasing.build_facts(release_id, settings)
    releasing.check_facts(release_id, settings)
    assert releasing.publish(release_id, settings), "nothing was published"


def compare(warehouses: Sequence[Waiting], rounds: int) -> dict[str, list[list[bench.Cost]]]:
    """Alternate kinds and sizes; return for each kind and round the cost at each size."""
    costs: dict[str, list[list[bench.Cost]]] = {kind: [] for kind in KINDS}
    for number, kind in itertools.product(range(rounds), KINDS):
        costs[kind].append([])
        for one in warehouses:
            costs[kind][-1].append(released(one, kind))
            print(
                f"round {number + 1}, {kind}, {one.million} million: {costs[kind][-1][-1]}", file=sys.stderr, flush=True
            )
            history.take_back(one.settings, one.loads[kind])
    return costs


if __name__ == "__main__":
    main()
