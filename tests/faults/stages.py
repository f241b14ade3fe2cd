"""The path of a return in four stages, each from a saved state, with the returns that lead through all of its code."""

from __future__ import annotations

from dataclasses import dataclass

from quarterday.archiving import ARRIVING
from quarterday.settings import Settings
from tests.faults.installation import Discovery, Installation, Kind, Point
from tests.faults.state import READERS, State, differences, folders_of, state_of
from tests.faults.steps import Step
from tests.faults.tasks import COPIED, Task
from tests.path_support import DEMO, expected_returns, put_into_inbox, send

KNOWN = "stoke_yos_fte_2016-17-Q4.csv"
FIRST = {"victim-gateway-2017-18-Q3.xlsx", KNOWN}
PUT_BACK = "budget-outturn-2016-17-final-2017-09-29.csv"
WITHDRAWN = PUT_BACK
# A restatement; two of which the later looks at the earlier, and is loaded before it; a register, which lands in a
# partition of its own and is withdrawn; one that its reader refuses.
NEXT = {
    "victim-gateway-2017-18-Q3-corrected.xlsx",
    "FTE return 2016-17 Q4 Staffordshire.xlsx",
    "FTE return 2017-18 Q3 Staffordshire.xlsx",
    PUT_BACK,
    COPIED,
}
# What it does, and where it starts; it ends where the next one starts.
STAGES: dict[str, tuple[Task, ...]] = {
    "arrive": (("sweep_with_a_fault", PUT_BACK), ("sweep_only",), ("settle", "arrive")),
    "load": (("sweep",), ("withdraw_load", WITHDRAWN), ("settle", "load")),
    "release": (("begin",), ("settle", "release")),
    "withdraw": (("withdraw_release",), ("settle", "release")),
}
# Nothing else is written before a release: the loader has no right to write to core, of which readers are shown views.
WRITTEN = ("ledger", "landing")


@dataclass(frozen=True)
class Stage:
    """A part of the path: what it does, and what it starts from and comes to when nothing disturbs it."""

    name: str
    tasks: list[Task]
    discovery: Discovery
    shown_before: State
    wanted: State

    @property
    def steps(self) -> list[Step]:
        """Its steps; of those that differ in nothing but their number the first, and of commits the last too."""
        found = self.discovery.steps
        last = {_alike(step): step.number for step in found if step.operation == "commit"}
        first: dict[object, int] = {}
        for step in found:
            first.setdefault(_alike(step), step.number)
        return [step for step in found if step.number in (first[_alike(step)], last.get(_alike(step)))]

    @property
    def points(self) -> list[Point]:
        """Before and after each step."""
        return [Point(step.key, moment) for step in self.steps for moment in ("before", "after")]


def _alike(step: Step) -> tuple[object, ...]:
    return step.operation, step.way, step.node, step.stack[-1]


def prepare(bench: Installation, template: str, is_new: bool = False) -> None:
    """Save a warehouse, which is new or has released some returns, and the next ones in its inbox, to start from."""
    bench.start_from(template)
    if not is_new:
        send([row for row in expected_returns() if row["file"] in FIRST], bench.settings)
        ended = bench.run([("sweep",), ("settle", "release")])
        assert ended.status == 0, ended.error
    send([row for row in expected_returns() if row["file"] in NEXT], bench.settings)
    strange = bench.folder / "holiday.csv"
    strange.write_text("place,days\nStoke,3\n")
    put_into_inbox(strange, "rj_hub", bench.settings)
    partner = next(row["partner_code"] for row in expected_returns() if row["file"] == KNOWN)
    again = KNOWN.replace(".csv", " (copy).csv")
    put_into_inbox(DEMO / "returns" / partner / KNOWN, partner, bench.settings, again)
    (bench.settings.archive / f"{ARRIVING}of-an-earlier-kill").write_text("half a copy")
    bench.save("arrive")


def discover(bench: Installation, name: str) -> Stage:
    """Do a stage undisturbed, and save what it comes to as the start of the next."""
    tasks = list(STAGES[name])
    bench.restore(name)
    before = state_of(bench.settings, *READERS) if _is_release(name) else {}
    stage = Stage(name, tasks, bench.discover(tasks), before, whole_state(bench.settings, name))
    names = [*STAGES, "end"]
    bench.save(names[names.index(name) + 1])
    return stage


def whole_state(settings: Settings, stage: str) -> State:
    """Everything that is compared."""
    schemas = (*WRITTEN, "core", *READERS) if _is_release(stage) else WRITTEN
    return {**state_of(settings, *schemas), **folders_of(settings)}


def _is_release(stage: str) -> bool:
    return stage in ("release", "withdraw")


def kill_and_recover(bench: Installation, stage: Stage, point: Point, kind: Kind) -> list[str]:
    """Kill at a point, restart, go on as Airflow and an operator do; return what is wrong with where it ends."""
    bench.restore(stage.name)
    ended = bench.strike(stage.tasks, point, kind)
    if kind != "task":
        bench.restart()
    wrong = half_published(bench.settings, stage)
    if kind == "all":
        bench.forget_runs()
    elif ended.status > 0 and not may_be_tried_again(ended.classes):
        wrong.append(f"Airflow would not try again after: {(ended.error or '')[-600:]}")
    after = bench.run()
    if after.status:
        return [*wrong, f"what was restarted failed: {after.error}"]
    return wrong + differences(whole_state(bench.settings, stage.name), stage.wanted)


def half_published(settings: Settings, stage: Stage) -> list[str]:
    """Say what readers are shown right after a kill that is neither what was there before nor what will be."""
    if not stage.shown_before:
        return []
    shown = state_of(settings, *READERS)
    wanted = {name: stage.wanted[name] for name in stage.shown_before if name != "relations"}
    before = {name: stage.shown_before[name] for name in wanted}
    found = {name: rows for name, rows in shown.items() if name != "relations"}
    return [] if found in (before, wanted) else [f"half published: {told}" for told in differences(found, before)]


def may_be_tried_again(classes: list[str]) -> bool:
    """Say whether Airflow tries a task again that ended with such an exception; see ``orchestration.RETRY_POLICY``."""
    from quarterday.orchestration import RETRY_POLICY

    named = {name for rule in RETRY_POLICY.rules for name in rule.exception}
    return any(name in classes for name in named)
