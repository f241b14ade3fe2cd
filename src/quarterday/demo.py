"""The demo: the returns in ``demo/`` taken in by the real DAGs, with a display of how far each has come."""

from __future__ import annotations

import csv
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from quarterday import services
from quarterday.airflow_client import AirflowClient
from quarterday.delivering import put_into_inbox, sha256_of
from quarterday.errors import OperatorError
from quarterday.headlines import HEADLINES
from quarterday.settings import Settings
from quarterday.showing import as_table, fetch
from quarterday.supervising import Busy, Memory, memory_of, only_one, stop_at_signal

PATIENCE_SECONDS = 900.0
OVERHEAD_SECONDS = 0.5
# A look at ledger and Airflow takes a tenth of a second of a processor, a look at the memory a seventh: scheduler and
# tasks need them.
POLL_SECONDS = 1.5
IDLE_SECONDS = 15.0
PLAIN_SECONDS = 10.0
PLAIN_WIDTH = 130
MEMORY_SECONDS = 4.0
STEP_WIDTH = len("✓ 326.8 s")
STEPS = ("received", "landed", "checked", "released")
EVENTS = """
select load.file_sha256, load_event.event, extract(epoch from load_event.happened_at)::float8
from ledger.load_event
join ledger.load using (load_id)
where load.file_sha256 = any(%s)
order by load_event.load_event_id
"""
SIGN_OFF = "returns__sign_off"
ASKED_SECONDS = 4.0
SIGNED = "the demo signs off what it brings itself"
# Returns that wait for a sign-off which somebody was asked for, with one of those who may give it.
WAITING = """
select load_state.load_id, assessment.approvers[1], load_state.file_name
from ledger.load_state
join ledger.sign_off_request using (load_id)
join ledger.assessment using (load_id, digest)
where load_state.state = 'held'
    and assessment.assessment_id = (
        select max(newest.assessment_id) from ledger.assessment as newest where newest.load_id = load_state.load_id
    )
"""
VERDICTS = """
select load_state.file_sha256, load_state.verdict, load_state.issue_count,
    exists (
        select 1 from ledger.arrival
        where arrival.load_id = load_state.load_id and arrival.inbox_path = any(%s) and arrival.was_known
    ) as was_known
from ledger.load_state
where load_state.file_sha256 = any(%s)
"""


@dataclass
class DemoReturn:
    """One file of the demo, what is expected of it, and how far it has come."""

    path: Path
    partner_code: str
    form: str
    quarter: str
    expected: str
    wave: int
    sha256: str
    events: dict[str, float] = field(default_factory=dict)
    is_sent: bool = False
    was_there_before: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing more will happen to it."""
        return bool({"rejected", "released", "withdrawn"} & set(self.events))


class MemoryWatch(threading.Thread):
    """Samples the memory of everything that runs for the demo, and keeps the peak."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self._settings = settings
        self._over = threading.Event()
        self.peak = Memory(0, is_bound=False)

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._over.wait(MEMORY_SECONDS):
            now = memory_of([os.getpid(), *services.process_ids(self._settings)])
            self.peak = max(self.peak, now, key=lambda memory: memory.size)

    def stop(self) -> None:
        """End the sampling."""
        self._over.set()


def run(settings: Settings, stay: bool = False) -> bool:
    """Bring everything up, take the demo returns in, print what came of them; return whether all is as expected.

    Args:
        stay: Leave everything running. Otherwise all is stopped, also after an error, unless ``up`` said it is to stay.

    Raises:
        OperatorError: Another demo is running, a service did not start, a DAG run failed, or the DAGs did not finish in
            time.
    """
    console = demo_console()
    returns = read_demo(settings.project / "demo")
    busy = f"Another demo is running in {settings.home}: wait for its end, or stop it with Ctrl-C where it runs."
    lock = only_one(services.run_folder(settings) / "demo.lock", busy)
    with stop_at_signal(), lock, _everything_up(settings, stay, console):
        return _take_in_and_show(returns, settings, console)


@contextmanager
def _everything_up(settings: Settings, stay: bool, console: Console) -> Iterator[None]:
    """Bring everything up, and stop it after the block unless it is to stay."""
    try:
        with _one_line(console) as tell:
            running = services.up(settings, tell)
        console.print(f"PostgreSQL and Airflow are ready ({running.seconds:.0f} s).")
        if stay:
            services.keep_up(settings)
        yield
    except Busy:
        raise  # what runs is being started or stopped by another command, whose it is
    except BaseException:
        try:
            _stop_or_leave(settings, stay, console)
        except Exception as error:  # the first error says more
            console.print(f"Not everything could be stopped: {error}\nTry: make down", markup=False, highlight=False)
        raise
    _stop_or_leave(settings, stay, console)


def _stop_or_leave(settings: Settings, stay: bool, console: Console) -> None:
    if stay or services.is_to_stay(settings):
        console.print("Everything stays up. Stop it with: make down")
        return
    with _one_line(console) as tell:
        tell("stopping everything")
        services.down(settings)
    console.print("Everything is stopped. To have it stay: make up")


def demo_console() -> Console:
    """Return the screen; a file or pipe, which has no width, gets one that the tables fit."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


def read_demo(folder: Path) -> list[DemoReturn]:
    """Return the demo's returns in the order in which they are sent.

    Raises:
        OperatorError: A file named in ``expected.csv`` is missing.
    """
    with (folder / "expected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    missing = [row["file"] for row in rows if not _sent_file(folder, row).is_file()]
    if missing:
        raise OperatorError(f"Missing in {folder / 'returns'}: {', '.join(missing)}.")
    return [
        DemoReturn(
            path=(path := _sent_file(folder, row)),
            partner_code=row["partner_code"],
            form=row["form"],
            quarter=row["reporting_quarter"],
            expected=row["expected_verdict"],
            wave=int(row["wave"]),
            sha256=sha256_of(path),
        )
        for row in rows
    ]


def _sent_file(folder: Path, row: dict[str, str]) -> Path:
    return folder / "returns" / row["partner_code"] / row["file"]


def _take_in_and_show(returns: list[DemoReturn], settings: Settings, console: Console) -> bool:
    began = datetime.now(UTC)
    watch = MemoryWatch(settings)
    watch.start()
    asked = services.client(settings)
    waves = sorted({each.wave for each in returns})
    with _Display(console, returns) as shown:
        for wave in waves:
            _send_wave([each for each in returns if each.wave == wave], asked, settings, shown)
            _wait_for_wave(returns, wave, wave == waves[-1], asked, began, settings, shown)
    watch.stop()
    is_as_expected = _show_verdicts(returns, settings, console)
    _show_headlines(settings, console)
    _show_costs(asked, began, watch.peak, console)
    _show_places(settings, console)
    return is_as_expected


def _send_wave(wave: list[DemoReturn], asked: AirflowClient, settings: Settings, shown: _Display) -> None:
    """Put one wave into the inbox and wake the sweep; note what an earlier wave or run has loaded already."""
    _note_events(wave, settings)
    for order, each in enumerate(wave):
        each.was_there_before = bool(each.events)
        put_into_inbox(each.path, each.partner_code, settings, order)
        each.is_sent = True
    asked.trigger("inbox__sweep")
    shown.tell(f"{len(wave)} returns are in the inbox.")


def _wait_for_wave(
    returns: list[DemoReturn],
    number: int,
    is_last: bool,
    asked: AirflowClient,
    began: datetime,
    settings: Settings,
    shown: _Display,
) -> None:
    """Wait until all returns of a wave are done; after the last, until no run is under way."""
    wave = [each for each in returns if each.wave == number]
    deadline = time.monotonic() + PATIENCE_SECONDS
    quiet = 0
    woken = time.monotonic()
    while quiet < 2:  # an event becomes a run within a second, so quiet counts only when it lasts
        time.sleep(POLL_SECONDS)
        _note_events(returns, settings)
        shown.update()
        _refuse_failed_runs(asked, began, settings)
        _sign_off(settings, shown)
        is_over = all(each.is_done for each in wave) and not _waiting_in_inbox(wave, settings)
        if is_over and not is_last:
            return
        if not is_over:
            woken = _wake_when_idle(asked, woken)
        quiet = quiet + 1 if is_over and not asked.busy_runs() else 0
        if time.monotonic() > deadline:
            raise OperatorError(_unfinished(wave, asked, settings))


def _wake_when_idle(asked: AirflowClient, woken: float) -> float:
    """Sweep again where returns are unfinished and nothing runs, as after a kill; return when it last was done."""
    if time.monotonic() - woken < IDLE_SECONDS or asked.busy_runs():
        return woken
    asked.trigger("inbox__sweep")
    return time.monotonic()


def _note_events(returns: Sequence[DemoReturn], settings: Settings) -> None:
    from quarterday.warehouse import connect

    by_hash: dict[str, list[DemoReturn]] = {}
    for each in returns:
        by_hash.setdefault(each.sha256, []).append(each)
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(EVENTS, (list(by_hash),))
        for sha256, event, moment in cursor.fetchall():
            for each in by_hash[sha256]:
                each.events[event] = moment


def _waiting_in_inbox(wave: Sequence[DemoReturn], settings: Settings) -> bool:
    return any((settings.inbox / each.partner_code / each.path.name).exists() for each in wave)


def _sign_off(settings: Settings, shown: _Display) -> None:
    """Answer what waits for a sign-off, as the person whom the rules name would in Airflow, and say so."""
    from quarterday.warehouse import connect

    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(WAITING)
        waiting = cursor.fetchall()
    for load_id, approver, file_name in waiting:
        asked = services.client(settings, approver)
        for question in asked.questions():
            is_ours = question["task_instance"].get("dag_id") == SIGN_OFF and f"load {load_id}," in question["subject"]
            # Answered while its worker still ends, which no person does, the task is tried again and asks once more.
            age = datetime.now(UTC) - datetime.fromisoformat(question["created_at"])
            if is_ours and age.total_seconds() > ASKED_SECONDS:
                asked.answer(question, "Approve", reason=SIGNED)
                shown.note(f"{file_name} restates what was published: the demo signs it off in Airflow, as {approver}.")


def _refuse_failed_runs(asked: AirflowClient, began: datetime, settings: Settings) -> None:
    failed = asked.runs(since=began.isoformat(), states=("failed",))
    if failed:
        raise OperatorError(_failure_of(failed[0], asked, settings))


def _failure_of(dag_run: dict[str, Any], asked: AirflowClient, settings: Settings) -> str:
    """Return which task of a failed run failed and where its log is."""
    dag_id, run_id = dag_run["dag_id"], dag_run["dag_run_id"]
    about = f"{dag_id} {dag_run.get('partition_key') or ''} failed"
    failed = [task for task in asked.task_instances(dag_id, run_id) if task["state"] == "failed"]
    if not failed:
        return f"{about}. See {services.airflow_url(settings)}/dags/{dag_id}."
    task = failed[0]
    name, attempt = task["task_id"], task["try_number"]
    folder = settings.home / "airflow" / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={name}"
    return f"{about} in its task '{name}', at try {attempt}.\nIts log: {folder}/attempt={attempt}.log"


def _unfinished(wave: Sequence[DemoReturn], asked: AirflowClient, settings: Settings) -> str:
    names = ", ".join(each.path.name for each in wave if not each.is_done) or "none"
    runs = [f"{run['dag_id']} {run.get('partition_key') or ''} ({run['state']})" for run in asked.busy_runs()]
    return (
        f"The DAGs did not finish within {PATIENCE_SECONDS / 60:.0f} minutes.\n"
        f"Unfinished returns: {names}.\nRuns under way: {', '.join(runs) or 'none'}.\n"
        f"Logs: {settings.home / 'logs'} and {settings.home / 'airflow' / 'logs'}"
    )


class _Display:
    """One line per return on a terminal; elsewhere a line of counts now and then."""

    def __init__(self, console: Console, returns: Sequence[DemoReturn]) -> None:
        self._console = console
        self._returns = returns
        self._began = time.monotonic()
        self._told = self._began
        self._live = Live(console=console, refresh_per_second=4, transient=False) if console.is_terminal else None

    def __enter__(self) -> _Display:
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._live:
            self._live.__exit__(*error)
        else:
            self._console.print(self._counts())

    def tell(self, news: str) -> None:
        """Say what was done, where the table does not show it by itself."""
        if not self._live:
            self._console.print(news)

    def note(self, news: str) -> None:
        """Say what the table does not show at all: above it on a terminal, on a line elsewhere."""
        self._console.print(news, markup=False, highlight=False)

    def update(self) -> None:
        """Show where the returns stand now."""
        if self._live:
            self._live.update(self.screen())
        elif time.monotonic() - self._told > PLAIN_SECONDS:
            self._told = time.monotonic()
            self._console.print(self._counts())

    def screen(self) -> Group:
        """Return what a terminal shows: a line per return, no more than it holds, and the counts."""
        return Group(self._table(), self._counts())

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        room = self._console.width - len(STEPS) * (STEP_WIDTH + 2)  # two spaces between columns
        table.add_column("return", no_wrap=True, overflow="ellipsis", max_width=room)
        for step in STEPS:
            table.add_column(step, justify="right", no_wrap=True, width=STEP_WIDTH)
        lines = max(self._console.height - 5, 5)
        ordered = self._returns
        if len(ordered) > lines:  # what is under way matters most
            ordered = sorted(ordered, key=lambda each: each.is_done)[:lines]
        for each in ordered:
            table.add_row(each.path.name, *step_marks(each))
        return table

    def _counts(self) -> Text:
        sent = [each for each in self._returns if each.is_sent]
        counts = [f"{sum(1 for each in sent if _reached(each, step))} {step}" for step in STEPS]
        rejected = sum("rejected" in each.events for each in sent)
        seconds = time.monotonic() - self._began
        return Text(f"{seconds:.0f} s: {len(sent)} sent, {', '.join(counts)}, {rejected} rejected")


def step_marks(each: DemoReturn) -> list[Text]:
    """Return a mark for each step of a return: done with its seconds, failed, under way, or not reached."""
    if not each.is_sent:
        return [Text() for _ in STEPS]
    if each.was_there_before:
        return [Text("known"), *(Text("✓" if _reached(each, step) else "✗", style="dim") for step in STEPS[1:])]
    marks: list[Text] = []
    previous: float | None = None
    for step in STEPS:
        moment = _moment(each, step)
        if moment is not None:
            rejected = step == "checked" and "rejected" in each.events
            took = "" if previous is None else f" {moment - previous:.1f} s"
            marks.append(Text(f"✗{took}" if rejected else f"✓{took}", style="red" if rejected else "green"))
            previous = moment
        else:
            marks.append(Text("" if each.is_done or previous is None else "…", style="dim"))
            previous = None
    return marks


def _moment(each: DemoReturn, step: str) -> float | None:
    events = each.events
    if step == "received":
        return events.get("registered")
    if step == "checked":
        return events.get("admitted", events.get("rejected"))
    return events.get(step)


def _reached(each: DemoReturn, step: str) -> bool:
    return _moment(each, step) is not None


def _show_verdicts(returns: list[DemoReturn], settings: Settings, console: Console) -> bool:
    """Print the verdict on every return beside the expected one; return whether they are the same."""
    from quarterday.warehouse import connect

    paths = [f"{each.partner_code}/{each.path.name}" for each in returns if each.expected == "known"]
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(VERDICTS, (paths, [each.sha256 for each in returns]))
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    rows = []
    unexpected = 0
    for each in returns:
        verdict, issues, was_known = found.get(each.sha256, (None, 0, False))
        got = "known" if each.expected == "known" and was_known else verdict or "none"
        unexpected += got != each.expected
        note = "" if got == each.expected else f"expected {each.expected}"
        before = "loaded by an earlier run" if each.was_there_before and got != "known" else ""
        shown = got.replace("_", " ")
        rows.append((each.path.name, each.partner_code, each.quarter, shown, issues or None, note or before))
    console.print()
    console.print(as_table("Verdicts", ["return", "partner", "quarter", "verdict", "issues", "remark"], rows))
    console.print(f"{len(returns) - unexpected} of {len(returns)} verdicts are as expected.")
    return unexpected == 0


def _show_headlines(settings: Settings, console: Console) -> None:
    for title, statement in HEADLINES:
        columns, rows = fetch(statement, settings, "reader")
        console.print()
        console.print(as_table(title, columns, rows))


def _show_costs(asked: AirflowClient, began: datetime, peak: Memory, console: Console) -> None:
    working = [run for run in asked.runs(since=began.isoformat()) if run["dag_id"] != SIGN_OFF]  # not a person's time
    overhead = overhead_per_task(working, asked.task_instances())
    console.print()
    if overhead:
        runs, tasks, seconds = overhead
        measured = f"{seconds:.2f} s per task (target: {OVERHEAD_SECONDS} s on a machine with nothing else to do)"
        console.print(f"Airflow's own time: {measured}, over {tasks} tasks in {runs} runs.")
    at_most = "at most " if peak.is_bound else ""
    console.print(f"Peak memory: {at_most}{peak.size / 2**30:.2f} GiB, the database, Airflow and its tasks together.")


def overhead_per_task(runs: Sequence[dict[str, Any]], tasks: Sequence[dict[str, Any]]) -> tuple[int, int, float] | None:
    """Return runs, tasks and the seconds per task in which a run was going on and none of its tasks was.

    The time of a run is from its start to its end; that of its tasks is their sum. Skipped tasks take none.
    """
    finished = [run for run in runs if run["state"] == "success" and run["duration"]]
    seconds = {(run["dag_id"], run["dag_run_id"]): float(run["duration"]) for run in finished}
    ran = [
        task
        for task in tasks
        if (task["dag_id"], task["dag_run_id"]) in seconds and task["state"] == "success" and task["duration"]
    ]
    if not ran:
        return None
    spent = sum(float(task["duration"]) for task in ran)
    return len(seconds), len(ran), (sum(seconds.values()) - spent) / len(ran)


def _show_places(settings: Settings, console: Console) -> None:
    places = {
        "Airflow": services.airflow_url(settings),
        "its passwords": services.login_file(settings),
        "receipts": settings.receipts,
        "documents": settings.project / "docs",
        "ask yourself": 'quarterday query "select * from mart.fct_outcome"   (after make up)',
    }
    console.print()
    for name, place in places.items():
        console.print(f"{name:14} {place}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _one_line(console: Console) -> Iterator[services.Tell]:
    if console.is_terminal:
        with console.status("starting") as line:
            yield lambda step: line.update(step)
    else:
        yield lambda step: console.print(f"{step} ...", markup=False, highlight=False)
