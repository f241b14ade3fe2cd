"""The draft correction note of a release: what changed, from what to what, why, and which reports printed it.

The Code of Practice for Statistics tells scheduled revisions, which come as a matter of course with a later return or
with final figures after provisional ones, from unscheduled corrections of an error. A note is kept in the ledger and
written below the home, to be read and sent by people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from psycopg2.extensions import cursor as Cursor

from quarterday.restating.changes import Changes, PrintedChange, changes_of
from quarterday.restating.wordings import Names, after, before, by_how_much, period_shown, read_names
from quarterday.settings import Settings
from quarterday.warehouse import connect

FOLDER = "correction_notes"
MOST_ROWS = 500
SCHEDULED = "scheduled revision"
UNSCHEDULED = "unscheduled correction"
NO_REASON = "The partner gave no reason with the return. Ask for it before this note goes out."
# Of a release: whether it takes another back and why, and the day it reckons with.
RELEASE = "select withdraws, reason, as_of from ledger.release where release_id = %s"
# A load that speaks again about what another has said: its file, its quarter and that of the one before.
LOADS = """
select distinct load.load_id, load.file_name, load.partner_code, load.reporting_quarter, former.reporting_quarter
from unnest(%s::bigint[], %s::bigint[]) as pair (load_id, former_id)
join ledger.load on load.load_id = pair.load_id
join ledger.load as former on former.load_id = pair.former_id
order by 1
"""
# What the office said about a load: why it was corrected, why lines came in by exception, why it was signed off. Who
# said it stays in the ledger: a note goes out.
REASONS = """
select load_id, 'corrected by the office: ' || reason from ledger.line_correction
where is_applied and load_id = any(%(loads)s)
union
select load_id, 'lines taken in by exception: ' || reason from ledger.accepted_check
where lapsed_at is null and load_id = any(%(loads)s)
union
select load_id, 'signed off: ' || reason from ledger.sign_off
where decision = 'approved' and load_id = any(%(loads)s)
order by 1, 2
"""


@dataclass(frozen=True)
class Note:
    """Everything that a correction note says. Rows are: what, where, period, of it, was, is, change."""

    release_id: int
    kind: str
    day: date
    summary: str
    reasons: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rows_left_out: int
    reports: tuple[tuple[str, tuple[str, ...]], ...]
    digest: str

    @property
    def title(self) -> str:
        """What it is, of which release."""
        return f"Correction note: release {self.release_id}"

    @property
    def day_shown(self) -> str:
        """The day for a reader."""
        return f"{self.day.day} {self.day:%B %Y}"

    @property
    def markdown(self) -> str:
        """The note as Markdown."""
        return _templates(False).get_template("correction_note.md.j2").render(note=self)

    @property
    def html(self) -> str:
        """The note as one page that needs no other file."""
        return _templates(True).get_template("correction_note.html.j2").render(note=self)


def draft_note(release_id: int, settings: Settings) -> Note | None:
    """Return the correction note of the open release, whose facts are built; None where it restates nothing."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        if not _speaks_again(release_id, cursor):
            return None
        cursor.execute("select load_id from ledger.release_load where release_id = %s order by 1", (release_id,))
        loads = [load_id for (load_id,) in cursor.fetchall()]
    changes = changes_of(loads, settings, release_id, is_built=True)
    if not changes.restatements:
        return None
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        return _compose(release_id, changes, read_names(cursor), cursor)


def keep_note(release_id: int, note: Note | None, cursor: Cursor) -> None:
    """Put a release's note into the ledger in place of an earlier draft, in the caller's transaction."""
    cursor.execute("delete from ledger.correction_note where release_id = %s", (release_id,))
    if note is not None:
        cursor.execute(
            """insert into ledger.correction_note (release_id, revision_kind, markdown, html, digest)
            values (%s, %s, %s, %s, %s)""",
            (release_id, note.kind, note.markdown, note.html, note.digest),
        )


def write_note(note: Note, settings: Settings) -> Path:
    """Write a note as ``release-12.md`` and ``.html`` below the home; return the path of the first."""
    folder = settings.home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"release-{note.release_id}.md"
    path.write_text(note.markdown, encoding="utf-8")
    path.with_suffix(".html").write_text(note.html, encoding="utf-8")
    return path


def _speaks_again(release_id: int, cursor: Cursor) -> bool:
    """Return whether a release takes another's place in a period; most bring only what nobody has spoken about."""
    cursor.execute(
        """select exists (
            select form, partner_code, period_type, period, load_id from ledger.publication
            where upper_inf(known) and upper_inf(issued)
            except
            select form, partner_code, period_type, period, load_id from ledger.plan_publication(%s) where is_current
        )""",
        (release_id,),
    )
    (speaks_again,) = cursor.fetchone() or (False,)
    return bool(speaks_again)


def _compose(release_id: int, changes: Changes, names: Names, cursor: Cursor) -> Note:
    cursor.execute(RELEASE, (release_id,))
    withdraws, reason, day = cursor.fetchone() or (None, "", date.today())
    loads = _restating_loads(changes, cursor)
    is_scheduled = withdraws is None and _is_scheduled(changes, loads)
    told = (
        [f"Release {withdraws} is taken back: {reason}"] if withdraws is not None else _reasons(loads, changes, cursor)
    )
    rows = [
        (
            names.subject(change),
            names.of("area", change.area_code) or names.of("partner", change.partner_code),
            period_shown(change.period_key),
            names.item(change),
            before(change),
            after(change),
            by_how_much(change),
        )
        for change in changes.restatements
    ]
    return Note(
        release_id,
        SCHEDULED if is_scheduled else UNSCHEDULED,
        day,
        _summary(changes, loads, names),
        tuple(told),
        tuple(rows[:MOST_ROWS]),
        max(len(rows) - MOST_ROWS, 0),
        _reports(changes.printed),
        changes.digest,
    )


def _is_scheduled(changes: Changes, loads: Sequence[tuple[int, str, str, str, str]]) -> bool:
    """Return whether all comes with returns about a later quarter, or in place of what was provisional."""
    later = {load_id for load_id, *_, quarter, former in loads if quarter != former}
    return all(
        change.new_load_id in later or change.was_provisional
        for change in changes.restatements
        if change.subject in ("figure", "register")
    )


def _restating_loads(changes: Changes, cursor: Cursor) -> list[tuple[int, str, str, str, str]]:
    pairs = {
        (change.new_load_id, change.old_load_id)
        for change in changes.restatements
        if change.new_load_id and change.old_load_id
    }
    if not pairs:
        return []
    cursor.execute(LOADS, tuple(map(list, zip(*sorted(pairs), strict=True))))
    return cursor.fetchall()


def _summary(changes: Changes, loads: Sequence[tuple[int, str, str, str, str]], names: Names) -> str:
    count = len([change for change in changes.restatements if change.item == "value" and change.subject == "figure"])
    who = sorted({names.of("partner", partner) for _, _, partner, *_ in loads})
    by = f" by {', '.join(who)}" if who else ""
    figures = "1 figure that was published before is" if count == 1 else f"{count:,} figures published before are"
    ratings = len([change for change in changes.restatements if "rag_" in change.item and change.subject != "figure"])
    rated = f" {ratings} rating{' changes' if ratings == 1 else 's change'} with them." if ratings else ""
    return f"{figures} restated{by}.{rated} What was published before stays in the history."


def _reasons(loads: Sequence[tuple[int, str, str, str, str]], changes: Changes, cursor: Cursor) -> list[str]:
    ids = [load_id for load_id, *_ in loads]
    cursor.execute(REASONS, {"loads": ids})
    by_load: dict[int, list[str]] = {}
    for load_id, reason in cursor.fetchall():
        by_load.setdefault(load_id, []).append(reason)
    for change in changes.restatements:
        if change.note and change.new_load_id:
            by_load.setdefault(change.new_load_id, []).append(f"the partner says: {change.note}")
    told = []
    for load_id, file_name, _, quarter, former in loads:
        what = f"a later return, about {quarter}" if quarter != former else f"{quarter} was sent again"
        said = "; ".join(dict.fromkeys(by_load.get(load_id, []))) or (NO_REASON if quarter == former else "as it does")
        told.append(f"{file_name} (load {load_id}), {what}: {said}")
    return list(dict.fromkeys(told)) or [NO_REASON]


def _reports(printed: Sequence[PrintedChange]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    by_report: dict[str, list[str]] = {}
    for one in printed:
        by_report.setdefault(one.report, []).append(
            f"{one.label}: printed {one.printed_text}; computed {one.old_text or 'nothing'} before, "
            f"{one.new_text or 'nothing'} now ({one.printed_figure_id}, {one.place})"
        )
    return tuple((report, tuple(dict.fromkeys(figures))) for report, figures in sorted(by_report.items()))


@cache
def _templates(escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("quarterday"),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = markdown_cell
    return environment


def markdown_cell(value: object) -> str:
    """Return a text that Markdown takes as it is, in one line: what a partner wrote is no mark-up and ends no cell."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", re.sub(r"\s+", " ", str(value)))
