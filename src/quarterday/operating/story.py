"""What is known of one load, and of one return of which nothing has come, as the page and the terminal show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from quarterday import runbooks
from quarterday.dbt import FAILURES
from quarterday.errors import Finding, describe_finding
from quarterday.operating.board import Cell, day_shown
from quarterday.operating.states import STATES, State
from quarterday.receipts import REFUSED_WORDS, Issue


@dataclass(frozen=True)
class Happening:
    """Something that happened to a load; ``at`` is in UTC."""

    at: datetime
    what: str
    detail: str | None
    run_id: str | None = None
    dag_id: str | None = None


@dataclass(frozen=True)
class CheckTold:
    """A check that was run on a load, with the first of the lines that failed it."""

    check_id: str
    statement: str
    action: str
    has_passed: bool
    failing_count: int
    issues: tuple[Issue, ...] = ()

    @property
    def is_cut(self) -> bool:
        """Whether lines failed that are not listed here."""
        return self.failing_count > len(self.issues) > 0


@dataclass(frozen=True)
class TaskRun:
    """One try of a task of Airflow that worked on the load; times in UTC."""

    dag_id: str
    run_id: str
    task_id: str
    try_number: int
    state: str
    started_at: datetime | None
    seconds: float | None
    message: str | None


@dataclass(frozen=True)
class Node:
    """What one dbt node did in the release that has the load."""

    node_id: str
    status: str
    seconds: float
    row_count: int | None
    message: str | None

    @property
    def has_failed(self) -> bool:
        """Whether it kept the release from being published."""
        return self.status in FAILURES


@dataclass(frozen=True)
class ReleaseTold:
    """The release that has the load; ``published_at`` is None while it is open."""

    release_id: int
    published_at: datetime | None
    code_version: str
    reason: str
    load_count: int
    nodes: tuple[Node, ...]

    @property
    def failed_nodes(self) -> tuple[Node, ...]:
        """The nodes that keep it from being published."""
        return tuple(node for node in self.nodes if node.has_failed)


@dataclass(frozen=True)
class Version:
    """Another load of the same form, partner and quarter."""

    load_id: int
    file_name: str
    issued_on: date | None
    state: str


@dataclass(frozen=True)
class Story:
    """Everything about one load."""

    load_id: int
    file_name: str
    file_sha256: str
    file_bytes: int
    archive_path: str
    partner_code: str
    partner_name: str
    form: str | None
    edition: str | None
    reporting_quarter: str | None
    issued_on: date | None
    received_at: datetime
    state: str
    event: str
    detail: str | None
    verdict: str | None
    contract_version: str | None
    line_count: int | None
    set_aside_count: int
    failed_dag_id: str | None
    failed_run_id: str | None
    failed_message: str | None
    is_paused: bool = False
    happenings: tuple[Happening, ...] = ()
    checks: tuple[CheckTold, ...] = ()
    runs: tuple[TaskRun, ...] = ()
    release: ReleaseTold | None = None
    versions: tuple[Version, ...] = ()

    @property
    def known(self) -> State:
        """The state in words."""
        return STATES[self.state]

    @property
    def key(self) -> str | None:
        """The partition key by which Airflow's runs know the return."""
        return f"{self.form}|{self.reporting_quarter}" if self.form and self.reporting_quarter else None

    @property
    def failed_checks(self) -> tuple[CheckTold, ...]:
        """The checks that the return did not pass."""
        return tuple(check for check in self.checks if not check.has_passed)

    @property
    def set_aside_checks(self) -> tuple[str, ...]:
        """The checks for which lines were set aside."""
        return tuple(check.check_id for check in self.failed_checks if check.action == "quarantine_line")

    @property
    def next_step(self) -> str:
        """What to do now, in one sentence."""
        if self.is_paused and self.state == "received":
            return f"The form is paused: 'quarterday resume {self.form}' takes it up."
        if self.form is None:
            return "Ask the partner for the file under a right name, as the receipt says, or add its name to the form."
        if self.state == "failed" and self.failed_dag_id == "quarter__release" and self.release:
            failed = ", ".join(node.node_id.split(".")[2] for node in self.release.failed_nodes)
            if failed:
                return f"Mend what failed in the build ({failed}), or withdraw this return; then run it again."
        return self.known.next_step

    @property
    def runbook(self) -> str:
        """The runbook that says more, as a file of docs/runbooks without its ending."""
        if self.form is None:
            return "inbox__sweep"
        return self.failed_dag_id or self.known.runbook

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values, as ``quarterday explain --json`` gives it."""
        return asdict(self) | {
            "meaning": self.known.meaning,
            "next_step": self.next_step,
            "runbook": runbooks.link(self.runbook),
        }


def next_for_cell(cell: Cell) -> str:
    """Return what to do about a return of which nothing stands, in one sentence."""
    if cell.state in ("late", "due") and cell.due_on:
        was = "was" if cell.state == "late" else "is"
        return f"It {was} due on {day_shown(cell.due_on)}. {cell.known.next_step}"
    return cell.known.next_step


def issue_in_words(issue: Issue) -> str:
    """Return a failing line on one line: where, what was expected, what was found, what to do."""
    place = (issue.sheet, issue.line_number, issue.column_name)
    return describe_finding(Finding(issue.check_id, issue.expected, issue.found, issue.remedy, *place)).strip()


def action_in_words(check: CheckTold, verdict: str | None, words: dict[str, str]) -> str:
    """Return what a failed check led to, in plain words."""
    return (REFUSED_WORDS if verdict == "rejected" else words)[check.action]


def size_shown(file_bytes: int) -> str:
    """Return a size for people: ``12 KB``; below a kilobyte in bytes."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if file_bytes >= size:
            return f"{file_bytes / size:,.1f} {unit}"
    return f"{file_bytes} bytes"


def moments_in_order(happenings: Sequence[Happening]) -> tuple[Happening, ...]:
    """Return what happened, oldest first; what happened at one moment stays as it was given."""
    return tuple(sorted(happenings, key=lambda one: one.at))
