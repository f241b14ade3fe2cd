"""The receipt for a partner: what came in, what was decided, and for each issue where it stands and what to do.

One page to read or print and one workbook to work from, beside each other. Both come from the ledger alone, so a
receipt can be written again at any time and is the same.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from psycopg2.extensions import connection as Connection

from quarterday.errors import OperatorError

if TYPE_CHECKING:  # at run time where a workbook is written: it takes 20 MiB, which no sweep and no landing needs
    from openpyxl.worksheet.worksheet import Worksheet

ISSUES_ON_PAGE = 200
# A line that was set aside may have been taken in by exception, or somebody may have asked for it.
ISSUES = """
select line_issue.check_id,
    case
        when accepted_check.check_id is null then line_issue.action
        when exists (
            select 1 from ledger.load_event
            where load_event.load_id = line_issue.load_id and load_event.event = 'approved'
        ) then 'accepted'
        else 'asked'
    end as action,
    line_issue.sheet, line_issue.line_number, line_issue.column_name,
    line_issue.expected, line_issue.found, line_issue.remedy
from ledger.line_issue
left join ledger.accepted_check
    on accepted_check.load_id = line_issue.load_id
    and accepted_check.check_id = line_issue.check_id
    and accepted_check.lapsed_at is null
    and line_issue.action = 'quarantine_line'
where line_issue.load_id = %s
order by line_issue_id
"""
# Lines that were set aside and are no longer, once the exception is approved.
TAKEN_IN = """
select count(*) from (
    select sheet, line_number from ledger.line_issue where load_id = %(load)s and action = 'quarantine_line'
    except
    select sheet, line_number from ledger.quarantined_line where load_id = %(load)s
) as lifted
where exists (select 1 from ledger.load_event where load_id = %(load)s and event = 'approved')
"""
CELL_LIMIT = 32_000  # characters that a spreadsheet cell can hold, less a few
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ISSUE_HEADINGS = ("Check", "Action", "Sheet", "Line", "Column", "Expected", "Found", "What to do")
ACTION_WORDS = {
    "reject_return": "return refused",
    "quarantine_line": "line set aside",
    "flag": "taken in, please look",
    "accepted": "taken in by exception",
    "asked": "set aside; an exception is asked for",
}
# In a return that was refused nothing is set aside: the line is one to mend.
REFUSED_WORDS = ACTION_WORDS | {"quarantine_line": "line to mend", "flag": "please look"}
INITIALS = ("asb", "da", "fgm", "icv", "iom", "opcc", "rj", "yos")
# Receipts that a crash kept from being written: older ones are not looked for, and one is left to its task at first.
STILL_WANTED = "7 days"
BEING_WRITTEN = "1 minute"
SMALL_WORDS = ("of", "and", "the", "for", "by")


@dataclass(frozen=True)
class Issue:
    """One row of the receipt's list; the fields are those of ``ledger.line_issue``."""

    check_id: str
    action: str
    sheet: str | None
    line_number: int | None
    column_name: str | None
    expected: str
    found: str | None
    remedy: str

    @property
    def place(self) -> str:
        """Where it stands in the partner's file, in one phrase."""
        parts = (
            self.sheet and f"sheet '{self.sheet}'",
            self.line_number and f"line {self.line_number}",
            self.column_name and f"column '{self.column_name}'",
        )
        return ", ".join(part for part in parts if part) or "the whole return"


@dataclass(frozen=True)
class FailedCheck:
    """One check that failed, and how often."""

    check_id: str
    statement: str
    action: str
    failing_count: int


@dataclass(frozen=True)
class Receipt:
    """Everything that a receipt says."""

    load_id: int
    file_name: str
    partner_code: str
    form_code: str | None
    quarter_key: str | None
    issued_on: date | None
    received_at: datetime
    verdict: str
    line_count: int
    quarantined_line_count: int
    failed_checks: tuple[FailedCheck, ...]
    issues: tuple[Issue, ...]

    @property
    def form(self) -> str:
        """The form's name for a reader."""
        return plain_words(self.form_code) if self.form_code else "not recognised"

    @property
    def partner(self) -> str:
        """The partner's name for a reader."""
        return plain_words(self.partner_code)

    @property
    def quarter(self) -> str:
        """The quarter as shown: ``2017-18 Q3``."""
        return self.quarter_key[:7] + " " + self.quarter_key[8:] if self.quarter_key else "not known"

    @property
    def lines_taken_in(self) -> int:
        """How many lines go on to the figures."""
        return 0 if self.verdict == "rejected" else self.line_count - self.quarantined_line_count

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        if self.verdict == "rejected":
            return "We could not accept this return"
        if self.verdict == "admitted_with_quarantine":
            return "Accepted, with some lines set aside"
        return "Accepted: thank you"

    @property
    def explanation(self) -> str:
        """The verdict in plain words: what happened and what is asked for."""
        if self.verdict == "rejected":
            return (
                "Nothing of this return was taken in. Please mend what is listed below and send the whole return "
                "again. "
                "An earlier return for the same quarter, if you sent one, still stands."
            )
        if self.verdict == "admitted_with_quarantine":
            return (
                f"{lines_in_words(self.lines_taken_in)} taken in and {self.quarantined_line_count:,} set aside. "
                "Please mend the lines listed below and send the whole return again."
            )
        if self.issues:
            return (
                f"{lines_in_words(self.lines_taken_in)} taken in. Please look at what is listed below; if the figures "
                "are right, there is nothing to do."
            )
        return f"{lines_in_words(self.lines_taken_in)} taken in. There is nothing for you to do."

    @property
    def action_words(self) -> dict[str, str]:
        """What each action came to in this return, in plain words."""
        return REFUSED_WORDS if self.verdict == "rejected" else ACTION_WORDS

    def to_do(self, issue: Issue) -> str:
        """Return what the partner is asked to do about an issue; of a line with an exception, what became of it."""
        if issue.action == "accepted":
            return f"Nothing: {ACTION_WORDS['accepted']}."
        return f"{issue.remedy} ({ACTION_WORDS['asked']})" if issue.action == "asked" else issue.remedy

    @property
    def is_cut(self) -> bool:
        """Say whether the page leaves out some of the issues in the workbook."""
        return len(self.issues) > ISSUES_ON_PAGE

    @property
    def file_stem(self) -> str:
        """The receipt's file name without its ending."""
        return f"receipt-{self.load_id}-{self.form_code or 'unknown-form'}-{self.quarter_key or 'no-quarter'}"


def write_receipt(load_id: int, connection: Connection, folder: Path) -> Path:
    """Write a judged load's receipt as a page and, beside it, a workbook; return the page's path.

    Call it when the verdict is committed: a receipt that is out can't be taken back. One that a crash kept from being
    written is written by the next sweep, see :func:`write_missing`.

    Args:
        connection: Only read.
        folder: Made if it isn't there. A receipt that is there already is replaced.

    Raises:
        OperatorError: There is no such load, or it has no verdict yet.
    """
    receipt = read_receipt(load_id, connection)
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{receipt.file_stem}.html"
    with _only_writer(folder):
        _save_workbook(receipt, _draft(page.with_suffix(".xlsx")))
        _draft(page).write_text(as_page(receipt), encoding="utf-8")
        # Each in one piece and the page last: where there is a page, the receipt is complete.
        for final in (page.with_suffix(".xlsx"), page):
            _draft(final).replace(final)
    return page


def write_missing(connection: Connection, folder: Path, at_once: Sequence[int] = ()) -> list[int]:
    """Write the receipts that a crash kept from being written after their verdict or a decision; return their loads.

    A decision is one on lines that were set aside: a receipt that is older does not say what became of them.
    Only of the last days: an older one that isn't there was sent and cleared away.

    Args:
        connection: Only read.
        folder: Where the receipts are.
        at_once: Loads whose verdict may be of just now. Of any other, the task that judged it is writing the receipt.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""with told as (
                select load_id, judged_at as told_at, null::timestamptz as decided_at from ledger.verdict
                union all
                select sign_off.load_id, sign_off.decided_at, sign_off.decided_at
                from ledger.sign_off
                where exists (select 1 from ledger.accepted_check where accepted_check.load_id = sign_off.load_id)
            )
            select load_id, max(decided_at)
            from told
            where load_id = any(%s) or told_at between clock_timestamp() - interval '{STILL_WANTED}'
                and clock_timestamp() - interval '{BEING_WRITTEN}'
            group by load_id
            order by load_id""",
            (list(at_once),),
        )
        told = cursor.fetchall()
    missing = [load_id for load_id, decided_at in told if not _is_written(load_id, decided_at, folder)]
    for load_id in missing:
        write_receipt(load_id, connection, folder)
    return missing


def _is_written(load_id: int, since: datetime | None, folder: Path) -> bool:
    """Return whether a load has a receipt, and one that was written since a moment."""
    written = [page.stat().st_mtime for page in folder.glob(f"receipt-{load_id}-*.html")]
    return bool(written) and (since is None or max(written) >= since.timestamp())


def _draft(final: Path) -> Path:
    """Return where a file is written before it gets its name; what a crash leaves there, the next draft replaces."""
    return final.with_name(f".{final.name}.draft")


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Wait until no other process writes receipts to a folder, and keep others waiting; ends with the process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def as_text(load_id: int, connection: Connection) -> str:
    """Return a judged load's receipt as text for a terminal.

    Raises:
        OperatorError: There is no such load, or it has no verdict yet.
    """
    receipt = read_receipt(load_id, connection)
    lines = [receipt.headline, receipt.explanation, "", *(f"{name}: {value}" for name, value in facts_of(receipt))]
    for issue in receipt.issues[:ISSUES_ON_PAGE]:
        lines += ["", f"{issue.check_id}  {issue.place} ({receipt.action_words[issue.action]})"]
        lines += [
            f"  expected  {issue.expected}",
            f"  found     {_one_line(issue.found)}",
            f"  to do     {receipt.to_do(issue)}",
        ]
    if receipt.is_cut:
        lines += ["", f"... and {len(receipt.issues) - ISSUES_ON_PAGE:,} more."]
    return "\n".join(lines)


def as_page(receipt: Receipt) -> str:
    """Return the receipt as one HTML page that needs no other file."""
    return _page_template().render(receipt=receipt, facts=facts_of(receipt), issues=receipt.issues[:ISSUES_ON_PAGE])


@cache
def _page_template() -> Template:
    environment = Environment(
        loader=PackageLoader("quarterday"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("receipt.html.j2")


def facts_of(receipt: Receipt) -> list[tuple[str, str]]:
    """Return the receipt's head as pairs of name and value."""
    issued = receipt.issued_on
    return [
        ("File", receipt.file_name),
        ("Partner", receipt.partner),
        ("Form", receipt.form),
        ("Quarter", receipt.quarter),
        ("Issued", f"{issued.day} {issued:%B %Y}" if issued else "not known"),
        ("Received", f"{receipt.received_at.day} {receipt.received_at:%B %Y, %H:%M} UTC"),
        ("Lines taken in", f"{receipt.lines_taken_in:,} of {receipt.line_count:,}"),
        ("Receipt number", str(receipt.load_id)),
    ]


def read_receipt(load_id: int, connection: Connection) -> Receipt:
    """Read what a receipt says from the ledger.

    Raises:
        OperatorError: There is no such load, or it has no verdict yet.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """select load.load_id, file_name, partner_code, form, reporting_quarter, issued_on,
                received_at at time zone 'UTC', verdict, line_count, quarantined_line_count
            from ledger.load join ledger.verdict using (load_id) where load.load_id = %s""",
            (load_id,),
        )
        head = cursor.fetchone()
        if head is None:
            raise OperatorError(f"Load {load_id} has no verdict, so there is no receipt. See 'quarterday status'.")
        cursor.execute(TAKEN_IN, {"load": load_id})
        (taken_in,) = cursor.fetchone() or (0,)
        head = (*head[:-1], head[-1] - taken_in)
        cursor.execute(
            """select check_id, statement, action, failing_count from ledger.check_result
            where load_id = %s and not has_passed order by check_id""",
            (load_id,),
        )
        failed = tuple(FailedCheck(*row) for row in cursor.fetchall())
        cursor.execute(ISSUES, (load_id,))
        # A row of six figures is six lines; what is wrong with its name is told once.
        issues = tuple(dict.fromkeys(Issue(*row) for row in cursor.fetchall()))
    return Receipt(*(*head, failed, issues))


def plain_words(code: str) -> str:
    """Return a code as a name: ``rj_hub`` becomes ``RJ Hub``."""
    return " ".join(
        word.upper() if word in INITIALS else word if word in SMALL_WORDS else word.capitalize()
        for word in code.split("_")
    )


def lines_in_words(count: int) -> str:
    """Return a count of lines with its verb: ``1 line was``, ``12 lines were``."""
    return "1 line was" if count == 1 else f"{count:,} lines were"


def safe_cell(value: object) -> object:
    """Return a value that a spreadsheet shows and does not calculate: text like a formula gets an apostrophe."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)[:CELL_LIMIT]
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def _save_workbook(receipt: Receipt, path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.worksheet import Worksheet

    workbook = Workbook()
    cover = workbook.active
    assert isinstance(cover, Worksheet)
    cover.title = "Receipt"
    _append(cover, [(receipt.headline,), (receipt.explanation,), (), *facts_of(receipt)])
    cover["A1"].font = Font(bold=True, size=14)
    _set_widths(cover, (24, 60))
    if receipt.issues:
        sheet = workbook.create_sheet("What to mend")
        _append(sheet, [ISSUE_HEADINGS, *(_issue_row(issue, receipt) for issue in receipt.issues)])
        _set_widths(sheet, (10, 20, 18, 8, 24, 44, 34, 60))
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = sheet.dimensions
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    workbook.save(path)


def _issue_row(issue: Issue, receipt: Receipt) -> tuple[object, ...]:
    found = "nothing" if issue.found is None else issue.found
    place = (issue.sheet, issue.line_number, issue.column_name)
    return (issue.check_id, receipt.action_words[issue.action], *place, issue.expected, found, receipt.to_do(issue))


def _append(sheet: Worksheet, rows: list[tuple[object, ...]]) -> None:
    for row in rows:
        sheet.append([safe_cell(value) for value in row])


def _set_widths(sheet: Worksheet, widths: tuple[int, ...]) -> None:
    for letter, width in zip("ABCDEFGH", widths, strict=False):
        sheet.column_dimensions[letter].width = width


def _one_line(found: str | None) -> str:
    """Return what was found on one line without control characters, which a terminal would obey."""
    if found is None:
        return "nothing"
    return "'" + "".join(letter if letter.isprintable() else " " for letter in found) + "'"
