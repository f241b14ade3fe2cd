"""The board and a load's story in the terminal: the same as the pages show, as tables or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from quarterday import runbooks
from quarterday.operating.board import Asked, Board, Cell, names_of_partners, quarter_shown, read_board
from quarterday.operating.explaining import explain_load
from quarterday.operating.states import STATES
from quarterday.operating.story import Story, issue_in_words, size_shown
from quarterday.receipts import ACTION_WORDS, REFUSED_WORDS, plain_words
from quarterday.settings import Settings
from quarterday.showing import as_table, in_json
from quarterday.warehouse import connect

MOST_CELLS = 100
COUNTS = ("state", "returns", "what to do")
CELLS = ("form", "partner", "quarter", "state", "besides", "due", "load")


def board_as_json(asked: Asked, settings: Settings) -> dict[str, Any]:
    """Return the board as plain values: how many are in each state, and each return that is owed or came."""
    with connect(settings, "loader") as connection:
        board = read_board(asked, connection, with_empty=False)
    return {
        "counts": board.counts,
        "returns": [cell.as_json() for cell in board.cells],
        "unrecognised": [vars(one) for one in board.unrecognised],
        "failures": [vars(one) for one in board.failures],
        "paused": sorted(board.paused),
    }


def show_board(asked: Asked, settings: Settings) -> None:
    """Print how many returns are in each state; of those that are asked for, each."""
    with connect(settings, "loader") as connection:
        board = read_board(asked, connection, with_empty=False)
        names = names_of_partners(connection)
    console = Console()
    rows = [[STATES[name].shown, count, STATES[name].next_step] for name, count in board.counts.items()]
    console.print(as_table("Board", COUNTS, rows) if rows else "Board: nothing is owed and nothing has come")
    for line in _besides(board):
        console.print(line, markup=False, highlight=False)
    if asked.is_anything and board.cells:
        console.print()
        console.print(as_table("Returns", CELLS, [_row(cell, names) for cell in board.cells[:MOST_CELLS]]))
        if len(board.cells) > MOST_CELLS:
            console.print(f"and {len(board.cells) - MOST_CELLS} more: ask for less, or for --json")


def show_load(load_id: int, as_json: bool, settings: Settings) -> None:
    """Print what is known of a load.

    Raises:
        OperatorError: There is no such load.
    """
    with connect(settings, "loader") as connection:
        story = explain_load(load_id, connection)
    if as_json:
        json.dump(story.as_json(), sys.stdout, default=in_json, indent=1)
        print()
        return
    print("\n".join(story_as_text(story)))


def story_as_text(story: Story) -> Iterator[str]:
    """Yield a load's story line by line, what to do next first."""
    what = plain_words(story.form) if story.form else "a file that no form claims"
    quarter = f" {quarter_shown(story.reporting_quarter)}" if story.reporting_quarter else ""
    yield f"Load {story.load_id}: {what}{quarter}, from {story.partner_name}"
    yield f"{story.known.shown}: {story.known.meaning}"
    yield f"Next: {story.next_step} ({runbooks.link(story.runbook)})"
    if story.failed_message:
        yield f"Failed: {story.failed_dag_id}: {_one_line(story.failed_message)}"
    yield ""
    yield f"File      {_one_line(story.file_name)}, {size_shown(story.file_bytes)}"
    yield f"SHA-256   {story.file_sha256}"
    yield f"Archive   {story.archive_path}"
    if story.line_count is not None:
        yield f"Lines     {story.line_count:,}, of which {story.set_aside_count:,} are set aside"
    yield from _checks(story)
    yield from _timeline(story)
    yield from _release(story)
    if story.versions:
        yield ""
        yield "Other versions of this return"
        yield from (f"  load {one.load_id}  {one.state}  {_one_line(one.file_name)}" for one in story.versions)


def _checks(story: Story) -> Iterator[str]:
    if not story.checks:
        return
    words = REFUSED_WORDS if story.verdict == "rejected" else ACTION_WORDS
    yield ""
    yield f"Checks: {len(story.checks) - len(story.failed_checks)} of {len(story.checks)} passed"
    for check in story.failed_checks:
        yield f"  {check.check_id}  {check.statement} ({check.failing_count:,}: {words[check.action]})"
        yield from (f"    {_one_line(issue_in_words(issue))}" for issue in check.issues)
        if check.is_cut:
            yield "    and more: see the receipt's workbook"


def _timeline(story: Story) -> Iterator[str]:
    yield ""
    yield "What happened (UTC)"
    for one in story.happenings:
        yield f"  {one.at:%Y-%m-%d %H:%M:%S}  {one.what:12}  {_one_line(one.detail or '')}".rstrip()
    for run in story.runs:
        seconds = f"{run.seconds:.1f} s" if run.seconds is not None else ""
        yield f"  {run.dag_id}.{run.task_id}, try {run.try_number}: {run.state} {seconds} ({run.run_id})"


def _release(story: Story) -> Iterator[str]:
    release = story.release
    if release is None:
        return
    when = f"published {release.published_at:%Y-%m-%d %H:%M}" if release.published_at else "open: nobody sees it yet"
    yield ""
    yield f"Release {release.release_id}: {when}; {len(release.nodes)} dbt nodes, {len(release.failed_nodes)} failed"
    yield from (f"  {node.node_id}: {node.status}: {_one_line(node.message or '')}" for node in release.failed_nodes)


def _besides(board: Board) -> Iterator[str]:
    for failure in board.failures:
        key = f" for {failure.partition_key}" if failure.partition_key else ""
        yield f"Failed: {failure.dag_id}.{failure.task_id}{key}, see {runbooks.link(failure.dag_id)}"
    if board.unrecognised:
        newest = board.unrecognised[0]
        count = len(board.unrecognised)
        yield f"Files that no form claims: {count}, the newest {_one_line(newest.file_name)} (load {newest.load_id})"
    if board.paused:
        yield f"Paused forms: {', '.join(sorted(board.paused))}"


def _row(cell: Cell, names: dict[str, str]) -> list[object]:
    partner = names.get(cell.partner_code, cell.partner_code)
    quarter = quarter_shown(cell.reporting_quarter)
    return [cell.form, partner, quarter, cell.shown, cell.besides, cell.due_on, cell.load_id]


def _one_line(text: str) -> str:
    """Return a text on one line without control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
