"""What a release would change, on the screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console

from quarterday.restating.changes import Change, Changes, PrintedChange
from quarterday.restating.wordings import Names, after, before, by_how_much, period_shown, read_names
from quarterday.settings import Settings
from quarterday.showing import as_table, in_json
from quarterday.warehouse import connect

MOST_ROWS = 200
HEADINGS = ("", "what", "where", "period", "of it", "now", "would be", "change", "load")
PRINTED = ("figure", "report", "what", "printed", "computed now", "would be", "")
PARTS = (
    ("Figures", ("figure",)),
    ("Outcomes", ("outcome", "outcome_year")),
    ("Priorities", ("priority",)),
    ("Registers", ("register",)),
)


def show_changes(changes: Changes, of_what: str, as_json: bool, settings: Settings) -> None:
    """Print what would change, as tables or as JSON."""
    if as_json:
        json.dump({"of": of_what} | changes.as_json(), sys.stdout, default=in_json, indent=1)
        print()
        return
    with connect(settings, "reader") as connection, connection.cursor() as cursor:
        names = read_names(cursor)
    console = Console()
    console.print(in_a_sentence(changes, of_what), markup=False)
    for title, subjects in PARTS:
        found = changes.of(*subjects)
        if found:
            rows = [_row(change, names) for change in _most_telling(found)]
            console.print()
            console.print(as_table(_cut(title, len(found)), HEADINGS, rows))
    if changes.printed:
        console.print()
        console.print(as_table("Printed in reports", PRINTED, [printed_row(one) for one in changes.printed]))


def in_a_sentence(changes: Changes, of_what: str) -> str:
    """Return how much would change, in a sentence or two."""
    kinds = [change.kind for change in changes.of("figure") if change.item == "value"]
    others = sum(change.subject != "figure" and change.is_restatement for change in changes.changes)
    counted = f"{kinds.count('new')} new, {kinds.count('restated')} restated, {kinds.count('vanished')} vanished"
    printed = f" The old value is printed in: {', '.join(changes.reports)}." if changes.reports else ""
    return f"{of_what}: figures of partners: {counted}; of what follows from them, {others} would change.{printed}"


def printed_row(one: PrintedChange) -> tuple[str | None, ...]:
    """Return a printed figure's row: which, where, what was printed, what is and would be computed."""
    old = "printed the old" if one.printed_the_old else "printed the new" if one.printed_the_new else None
    return (one.printed_figure_id, one.report, one.label, one.printed_text, one.old_text, one.new_text, old)


def _most_telling(found: Sequence[Change]) -> list[Change]:
    """Return restatements first, then what is new, no more than a screen can hold."""
    return sorted(found, key=lambda change: not change.is_restatement)[:MOST_ROWS]


def _cut(title: str, count: int) -> str:
    return title if count <= MOST_ROWS else f"{title} (the first {MOST_ROWS} of {count:,}; --json has all)"


def _row(change: Change, names: Names) -> tuple[str | int | None, ...]:
    place = names.of("area", change.area_code) or names.of("partner", change.partner_code)
    what = (change.kind, names.subject(change), place, period_shown(change.period_key), names.item(change))
    return (*what, before(change), after(change), by_how_much(change), change.new_load_id)
