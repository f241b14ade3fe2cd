"""What an operator may do about a load, and doing it: run again, ask the partner, accept by exception, withdraw.

Each is what the terminal's command does, under the name of who asks for it. The page checks first that they may.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quarterday.errors import OperatorError
from quarterday.operating.board import Cell
from quarterday.operating.story import Story
from quarterday.settings import Settings

# Starts a run of a DAG for a partition key, as whoever asks; returns the run's id.
Trigger = Callable[[str, str], str]

PUBLIC_REASON = "Reason, for everybody to read on the site and in the open data: name nobody. Your name stays inside"
REASON_IN_NOTE = "Reason, for the ledger and the correction note, which goes out: name nobody. Your name stays inside"

UNRELEASED = ("admitted", "held", "approved", "declined")


@dataclass(frozen=True)
class Offer:
    """Something that may be done about a load: ``act`` is its name in addresses, ``label`` is on the button.

    ``wanted`` is what has to be written for it; None where nothing has.
    """

    act: str
    label: str
    explanation: str
    wanted: str | None = "Reason, kept in the ledger with your name"
    checks: tuple[str, ...] = ()


def offers(story: Story) -> list[Offer]:
    """Return what may be done about a load as it stands; each is looked at again when it is done."""
    found = []
    if again := dag_to_run(story):
        found.append(
            Offer("run-again", "Run it again", f"Starts {again[0]} for {again[1]}; what is done is left alone.", None)
        )
    if story.verdict is not None:
        told = "It goes to the partner's contact in your name, with the receipt."
        found.append(Offer("ask", "Ask the partner", told, "What you ask"))
    if story.verdict == "admitted_with_quarantine" and story.set_aside_count and _may_accept(story):
        found.append(
            Offer(
                "accept",
                "Ask for lines to be taken in",
                "Lines that were set aside are taken in by exception, once a named person approves of it.",
                REASON_IN_NOTE,
                checks=story.set_aside_checks,
            )
        )
    if story.event in UNRELEASED:
        found.append(
            Offer("withdraw", "Withdraw this return", "It is taken out of the next release; the partner sends another.")
        )
    elif story.event == "released" and story.release:
        others = story.release.load_count - 1
        with_others = f" and the {others} other returns in it" if others else ""
        found.append(
            Offer(
                "withdraw",
                f"Withdraw release {story.release.release_id}",
                f"Another release takes back this return{with_others}: readers see again what they saw before.",
                PUBLIC_REASON,
            )
        )
    return found


def dag_to_run(story: Story) -> tuple[str, str] | None:
    """Return the DAG and the key that take a load up where it stands; None where there is nothing left to run."""
    if story.key is None or story.reporting_quarter is None or story.event == "withdrawn":
        return None
    if story.failed_dag_id == "returns__sign_off":
        return "returns__sign_off", f"{story.key}|{story.load_id}"
    if story.event in ("registered", "landed") or story.failed_dag_id == "returns__load":
        return "returns__load", story.key
    return ("quarter__release", story.reporting_quarter) if story.event in ("admitted", "approved") else None


def run_again(story: Story, trigger: Trigger) -> str:
    """Start the run that takes a load up; return what was done, in a sentence.

    Raises:
        OperatorError: Nothing is left to run for it.
    """
    again = dag_to_run(story)
    if again is None:
        raise OperatorError(f"Load {story.load_id} is {story.state}: there is nothing to run again.")
    return f"{again[0]} is started for {again[1]}: {trigger(*again)}."


def ask(story: Story, question: str, by: str, settings: Settings) -> str:
    """Write a notice to the partner with a question about a return; return what was done, in a sentence.

    The same question about the same return is one notice, however often it is asked.

    Raises:
        OperatorError: Nothing is asked, or the return has no verdict and so no receipt.
    """
    if not question.strip() or story.verdict is None:
        raise OperatorError("Write what you ask, of a return that has its verdict. Nothing was sent.")
    return _put_question(f"load {story.load_id}", question.strip(), by, {"load_id": story.load_id}, settings)


def ask_for(cell: Cell, question: str, by: str, settings: Settings) -> str:
    """Write a notice to the partner with a question about a return that is owed; return what was done, in a sentence.

    Raises:
        OperatorError: Nothing is asked, or nothing is owed.
    """
    from quarterday.notifying.stages import LONDON

    if not question.strip() or not may_be_asked_for(cell):
        raise OperatorError("Write what you ask, of a return that is due or late. Nothing was sent.")
    what = f"{cell.form}|{cell.partner_code}|{cell.reporting_quarter}"
    details = {
        "form": cell.form,
        "partner_code": cell.partner_code,
        "reporting_quarter": cell.reporting_quarter,
        "due_on": str(cell.due_on),
        "on": str(datetime.now(LONDON).date()),
    }
    return _put_question(what, question.strip(), by, details, settings)


def may_be_asked_for(cell: Cell) -> bool:
    """Return whether a return is owed and nothing stands of it, so that its partner may be asked for it."""
    return cell.state in ("due", "late") and cell.due_on is not None


def accept(story: Story, checks: Sequence[str], reason: str, by: str, settings: Settings, trigger: Trigger) -> str:
    """Ask for set-aside lines to be taken in by exception; return what was done, in a sentence.

    Raises:
        OperatorError: No check is named, or the lines can't be accepted; see
            :func:`quarterday.restating.accepting.accept_lines`.
    """
    from quarterday.restating.accepting import accept_lines

    if not checks:
        raise OperatorError("Choose at least one check whose lines are to be taken in. Nothing was accepted.")
    found = accept_lines(story.load_id, checks, reason, by, settings)
    lines = "1 line waits" if found.line_count == 1 else f"{found.line_count} lines wait"
    again = f" The return is read again as load {found.load_id}." if found.is_read_again else ""
    dag = ("returns__load", story.key) if found.is_read_again else ("quarter__release", story.reporting_quarter)
    return f"{lines} for a named person's approval.{again} {_woken(*dag, trigger)}"


def withdraw(story: Story, reason: str, by: str, settings: Settings, trigger: Trigger) -> str:
    """Withdraw a load, or the release that published it; return what was done, in a sentence.

    The release that takes another back is opened here, and built and published by ``quarter__release``.

    Raises:
        OperatorError: There is no reason, or it can't be withdrawn as it stands. Nothing was changed.
    """
    from quarterday.loading import withdraw_load
    from quarterday.withdrawing import open_withdrawal

    if not reason.strip():
        raise OperatorError("Give a reason. Nothing was withdrawn.")
    if story.event != "released" or story.release is None:
        withdraw_load(story.load_id, f"by {by}: {reason.strip()}", settings)
        return f"Load {story.load_id} is withdrawn. Ask the partner for a new return."
    taken_back_by = open_withdrawal(story.release.release_id, reason.strip(), settings, asked_by=by)
    woken = _woken("quarter__release", story.reporting_quarter, trigger)
    return f"Release {taken_back_by} takes release {story.release.release_id} back. {woken}"


def _put_question(what: str, question: str, by: str, details: dict[str, Any], settings: Settings) -> str:
    from quarterday.notifying.outbox import note
    from quarterday.warehouse import connect

    cause = f"{what} asked {hashlib.sha256(question.encode()).hexdigest()[:12]}"
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        is_new = note(cause, "asked", "partner", {**details, "asked_by": by, "question": question}, cursor)
    return "The question is in the outbox: see quarterday notices." if is_new else "That was asked already."


def _may_accept(story: Story) -> bool:
    return story.event in (*UNRELEASED, "released") and not any(
        happening.what == "exception asked for" for happening in story.happenings
    )


def _woken(dag_id: str, key: str | None, trigger: Trigger) -> str:
    """Start what takes the change up. It is in the ledger already: where Airflow is away, the next sweep wakes it."""
    try:
        return f"{dag_id} is started for it: {trigger(dag_id, key or '')}."
    except OperatorError as error:
        return f"{dag_id} could not be started ({error}); the next sweep of the inbox wakes it."
