"""Killed at any step of taking in and releasing, a warehouse that is restarted ends as one that was never disturbed.

The steps are found by watching an undisturbed run, and held against the source: docs/decisions/0033. The small size
kills at a few points of the arrival of returns; ``make test-long`` at every point of the whole path, in each way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

import pytest

from tests.conftest import PROJECT, own_server
from tests.faults import sites
from tests.faults.installation import Installation, Kind, Point
from tests.faults.stages import STAGES, Stage, discover, kill_and_recover, prepare
from tests.marts_support import deployed_template

__all__ = ["deployed_template"]

LEAST_POINTS = 40
# A file on its way, a commit whose answer is lost, a receipt half written; told by how the point begins.
SAMPLE: tuple[tuple[str, Kind], ...] = (
    ("after rename inbox.sweep", "task"),
    ("after commit inbox.sweep", "database"),
    ("after create inbox.sweep>receipts.write_missing", "task"),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, template: str) -> Iterator[tuple[Installation, Stage]]:
    """An installation to kill, and the first stage, in a warehouse that is new."""
    bench = Installation(tmp_path_factory.mktemp("faults"), f"quarterday_test_arrival_{os.getpid()}", imports=())
    prepare(bench, template, is_new=True)
    yield bench, discover(bench, "arrive")
    bench.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation to kill."""
    installation = Installation(tmp_path_factory.mktemp("faults"), f"quarterday_test_faults_{os.getpid()}")
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def stages(bench: Installation, deployed_template: str) -> dict[str, Stage]:
    """Every stage, in a warehouse with a release."""
    prepare(bench, deployed_template)
    return {name: discover(bench, name) for name in STAGES}


def test_every_commit_and_rename_of_arrival_is_watched(small: tuple[Installation, Stage]) -> None:
    hold_against_source([small[1]], ("inbox",), ("inbox__sweep.py",))


@pytest.mark.parametrize("beginning,kind", SAMPLE)
def test_a_kill_in_arrival_changes_nothing_in_the_end(
    beginning: str, kind: Kind, small: tuple[Installation, Stage]
) -> None:
    if kind != "task" and not own_server():
        pytest.skip("the server is named, so it is not ours to kill")
    bench, stage = small
    point = next(point for point in stage.points if f"{point}".startswith(beginning))
    assert kill_and_recover(bench, stage, point, kind) == []


@pytest.mark.long
def test_every_commit_and_rename_is_watched(stages: dict[str, Stage]) -> None:
    hold_against_source(
        list(stages.values()), sites.ENTRANCES, tuple(path.name for path in (PROJECT / "dags").glob("*.py"))
    )
    built = {step.node for step in stages["release"].steps}
    facts = {f"model.quarterday.{path.stem}" for path in (PROJECT / "dbt_project/models/core/facts").glob("*.sql")}
    assert facts <= built


@pytest.mark.long
@pytest.mark.parametrize("kind", ["task", "database", "all"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_at_any_point_changes_nothing_in_the_end(
    stage: str, kind: Kind, bench: Installation, stages: dict[str, Stage]
) -> None:
    if kind != "task" and not own_server():
        pytest.skip("the server is named, so it is not ours to kill")
    failures = []
    began = time.monotonic()
    points = points_of(stages, stage, kind)
    for point in points:
        if wrong := kill_and_recover(bench, stages[stage], point, kind):
            failures.append(f"{point}:\n    " + "\n    ".join(wrong))
            print(f"\n{failures[-1]}", flush=True)  # the matrix takes an hour
    print(f"{stage}, {kind}: {len(points)} points, {len(failures)} failed, {time.monotonic() - began:.0f} s")
    assert not failures, f"{len(failures)} of {len(points)} points:\n" + "\n".join(failures)


@pytest.mark.long
def test_there_are_many_points(stages: dict[str, Stage]) -> None:
    for kind in ("task", "database"):
        assert sum(len(points_of(stages, name, kind)) for name in stages) >= LEAST_POINTS


def points_of(stages: dict[str, Stage], name: str, kind: str) -> list[Point]:
    """Return the points of a stage. A withdrawal builds what a release does: of dbt's commits it keeps the last."""
    points = stages[name].points
    if name == "withdraw":
        by_dbt = [point for point in points if "model.quarterday" in point.key]
        points = [point for point in points if point not in by_dbt[:-2]]
    return points[::4] if kind == "all" else points


def hold_against_source(stages: Sequence[Stage], entrances: tuple[str, ...], dags: tuple[str, ...]) -> None:
    """Hold what was seen against the source: no step went another way, and no place of one was passed by."""
    found = [stage.discovery for stage in stages]
    assert [what for discovery in found for what in discovery.unseen] == []
    passed = {place for discovery in found for place in discovery.passed}
    all_sites = sites.durable_sites(sites.modules_of_the_path(entrances))
    missed = [site for site in all_sites if site.name not in sites.ALLOWED and not site.is_passed(passed)]
    assert not missed, "\n".join(f"{site.name}, line {site.first}: {site.text}" for site in missed)
    of_the_whole = {site.name for site in sites.durable_sites(sites.modules_of_the_path())}
    assert sites.ALLOWED.keys() <= of_the_whole, "allowed, and no longer there"
    ways = {name for discovery in found for step in discovery.steps for name in step.way.split(">")}
    called = {call for dag in dags for call in sites.calls_of_tasks(PROJECT / "dags" / dag)}
    assert called - sites.CHANGES_NOTHING - sites.UPKEEP.keys() <= ways
