"""What a partner is told in a blank form: what, by when, how, to whom, and what each column means."""

from __future__ import annotations

from datetime import date

import yaml

from quarterday.blanks.plan import Blank
from quarterday.contracts import CONTRACT_FILE
from quarterday.receipts import plain_words
from quarterday.warehouse import due_on

FLAG_WORDS = {
    "x": "not available", "z": "not applicable", "c": "suppressed, so that nobody can be recognised", "low": "low",
    "u": "not reliable", "k": "kept back", "w": "withdrawn", "p": "provisional", "r": "revised", "e": "estimated",
    "b": "break in the series",
}  # fmt: skip


def due_day(blank: Blank) -> date | None:
    """Return the day by which the return is due; None where the contract says of no day on which one is owed."""
    contract = blank.form.contract
    return None if contract.contract_start is None else due_on(blank.quarter, contract)


def shown_day(day: date) -> str:
    """Return a day as 26 January 2018."""
    return f"{day.day} {day:%B %Y}"


def guide_lines(blank: Blank) -> list[tuple[str, str]]:
    """Return the guide as pairs: what it is about, and what to know."""
    return [*_about(blank), *_how(blank), *_marks(blank), *_columns(blank)]


def _about(blank: Blank) -> list[tuple[str, str]]:
    contract = blank.form.contract
    due = due_day(blank)
    lines = [
        ("Form", f"{plain_words(blank.form.name)}. {contract.description}"),
        ("Partner", plain_words(blank.partner)),
    ]
    lines.append(("Quarter", blank.quarter.label))
    if due is None:
        lines.append(("Due", "No day is agreed."))
    else:
        ended = blank.quarter.shift(contract.lag_quarters).label
        days = f"{contract.due_working_days} working days after the end of {ended}"
        lines.append(("Due", f"{shown_day(due)}: {days}, without weekends and the bank holidays of England."))
    return [*lines, ("Contact", _contact(blank))]


def _contact(blank: Blank) -> str:
    """The contact for the form, as the contract names it."""
    raw = yaml.safe_load((blank.form.folder / CONTRACT_FILE).read_text(encoding="utf-8"))
    team = raw.get("team") or {}
    members = ", ".join(str(member["username"]) for member in team.get("members") or () if member.get("username"))
    asked = "; ".join(str(item["url"]) for item in raw.get("support") or () if item.get("url"))
    ours = f"Questions to {asked}. " if asked else "Questions to the office that sent you this workbook. "
    return f"{ours}We write to {team.get('name', plain_words(blank.partner))}, {members}; tell us if that has changed."


def _how(blank: Blank) -> list[tuple[str, str]]:
    names = ", ".join(f"'{sheet.name}'" for sheet in blank.sheets)
    layout = blank.form.layout
    issued_in_name = layout.issued and layout.issued.origin == "file_name" and not layout.issued.means
    day = " The day in the name is the day of issue: put in the one on which you send it." if issued_in_name else ""
    lines = [
        ("What to fill in", f"The sheet {names}. Each cell to fill in says what it takes when you go to it."),
        (
            "What to leave",
            "The headings and the names of the sheets. Leave out no row that is written; add none above.",
        ),
        ("How to send it", f"Save it as '{blank.file_name}' and put it into your folder, '{blank.partner}'.{day}"),
        (
            "What comes back",
            "A receipt: what was taken in, or line by line what to mend. Then send the whole workbook again.",
        ),
        ("A row that is not needed", "Clear all of it. A row with a name and no figure counts as not filled in."),
    ]
    if any(sheet.is_prefilled for sheet in blank.sheets):
        lines.append(("Protection", "Headings and names are protected without a password: Review, Unprotect Sheet."))
    return lines


def _marks(blank: Blank) -> list[tuple[str, str]]:
    lines = []
    for mark, flag in blank.form.layout.marks.items():
        shown = f"'{mark}'" if mark else "A blank cell"
        lines.append((f"No figure: {shown}", f"{FLAG_WORDS.get(flag, flag)}. It is never counted as nought."))
    return [
        *lines,
        (
            "No figure, in general",
            "[x] not available, [z] not applicable, [c] suppressed, [low]. Nought is a figure: write 0.",
        ),
    ]


def _columns(blank: Blank) -> list[tuple[str, str]]:
    told: dict[str, str] = {}
    for sheet in blank.sheets:
        for column in sheet.columns:
            if column.heading and column.rule:
                told.setdefault(f"Column '{column.heading}'", column.rule.message)
    return list(told.items())
