"""A notice in words: a message per kind from ``templates/notices/``, as plain text and as HTML.

A message holds codes, counts, places and what to do, never a value of a return: what the reader found stands in the
receipt alone, where personal data is not repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from psycopg2.extensions import cursor as Cursor

from quarterday.calendar import working_days_between
from quarterday.contracts import Contract
from quarterday.errors import OperatorError
from quarterday.notifying.outbox import Notice
from quarterday.notifying.routing import Route, recipients_of
from quarterday.receipts import facts_of, plain_words, read_receipt
from quarterday.settings import Settings

POINTS = 10
SIGNATURE = "Quarterday, the performance warehouse of the commissioner's office"
# What a template says beside the words of its own: pairs of name and value, a list, and pairs of name and address.
Words = dict[str, Any]
OF_LOAD = "select form, partner_code, reporting_quarter, file_name from ledger.load where load_id = %s"


@dataclass(frozen=True)
class Message:
    """What is sent: one line, and the same words as plain text and as HTML."""

    subject: str
    text: str
    html: str


def put_into_words(
    notice: Notice, route: Route, contracts: dict[str, Contract], cursor: Cursor, settings: Settings
) -> Notice:
    """Return a notice with its recipients and words, and keep them in the outbox, in the caller's transaction.

    Raises:
        OperatorError: What it tells of is not in the ledger.
    """
    words = _WORDS[notice.kind](notice, contracts, cursor, settings)
    message = compose(notice.kind, words)
    found = replace(
        notice,
        recipients=recipients_of(route, words["contacts"]),
        subject=message.subject,
        body=message.text,
        body_html=message.html,
    )
    cursor.execute(
        "update ledger.notice set recipients = %s, subject = %s, body = %s, body_html = %s where notice_id = %s",
        (list(found.recipients), found.subject, found.body, found.body_html, found.notice_id),
    )
    return found


def compose(kind: str, words: Words) -> Message:
    """Return the message of a kind of notice; ``words`` are what its template asks for."""
    said = {"facts": (), "points": (), "more": 0, "links": (), "signature": SIGNATURE, **words}
    plain, page = _templates(False), _templates(True)
    template = plain.get_template(f"{kind}.j2")
    block = template.blocks["subject"](template.new_context({**said, "layout": "message.txt.j2"}))
    subject = one_line("".join(block))
    text = template.render(**said, layout="message.txt.j2").strip() + "\n"
    html = page.get_template(f"{kind}.j2").render(**said, layout="message.html.j2", subject=subject)
    return Message(subject, text, html)


def digest_of(messages: Sequence[Message]) -> Message:
    """Return many messages to the same people as one."""
    subject = f"{len(messages)} notices: {messages[0].subject}, and others"
    said = {"messages": messages, "subject": subject}
    text = _templates(False).get_template("digest.txt.j2").render(**said)
    return Message(subject, text, _templates(True).get_template("digest.html.j2").render(**said))


def one_line(text: str) -> str:
    """Return a text on one line without control characters, which would end a mail's heading or move a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def day_shown(day: date) -> str:
    """Return a day as people write it: 28 October 2026."""
    return f"{day.day} {day:%B %Y}"


def quarter_shown(key: str | None) -> str:
    """Return a quarter's key as it is shown: 2017-18 Q3."""
    return f"{key[:7]} {key[8:]}" if key else "a quarter not known"


@cache
def _templates(is_page: bool) -> Environment:
    return Environment(
        loader=PackageLoader("quarterday", "templates/notices"),
        autoescape=is_page,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _of_receipt(notice: Notice, contracts: dict[str, Contract], cursor: Cursor, settings: Settings) -> Words:
    receipt = read_receipt(notice.details["load_id"], cursor.connection)
    points = [f"{issue.check_id} {issue.place}: expected {issue.expected}. {issue.remedy}" for issue in receipt.issues]
    return {
        "receipt": receipt,
        "details": notice.details,
        "facts": facts_of(receipt),
        "points": [one_line(point) for point in points[:POINTS]],
        "more": max(0, len(points) - POINTS),
        "contacts": _contacts(receipt.form_code, receipt.partner_code, contracts),
    }


def _of_question(notice: Notice, contracts: dict[str, Contract], cursor: Cursor, settings: Settings) -> Words:
    """Return the words of a question about a return that came, or about one that has not."""
    of_what = _of_receipt if "load_id" in notice.details else _of_missing
    return of_what(notice, contracts, cursor, settings)


def _of_missing(notice: Notice, contracts: dict[str, Contract], cursor: Cursor, settings: Settings) -> Words:
    said = notice.details
    due_on = date.fromisoformat(said["due_on"])
    names = {
        "form": plain_words(said["form"]),
        "quarter": quarter_shown(said["reporting_quarter"]),
        "partner": plain_words(said["partner_code"]),
        "due": day_shown(due_on),
    }
    return {
        **names,
        "details": said,
        "refused": said.get("rejected_load_id"),
        "days_late": working_days_between(due_on, date.fromisoformat(said["on"])),
        "facts": [(name.capitalize(), value) for name, value in names.items()],
        "links": [("The blank workbook", f"quarterday template {said['form']} {said['reporting_quarter']}")]
        if notice.audience == "office"
        else [],
        "contacts": _contacts(said["form"], said["partner_code"], contracts),
    }


def _of_failure(notice: Notice, contracts: dict[str, Contract], cursor: Cursor, settings: Settings) -> Words:
    return words_of_failure(notice.details)


def words_of_failure(said: dict[str, Any]) -> Words:
    """Return the words about a failed task; nothing of them is read from the ledger, which may be away."""
    facts = [
        ("DAG", said["dag_id"]),
        ("Task", said["task_id"]),
        ("Key", said["key"]),
        ("Run", said["run_id"]),
        ("Try", said["try_number"]),
        ("Error", said["error"]),
    ]
    return {
        "details": said,
        "facts": [(name, value) for name, value in facts if value is not None],
        "links": [(name, said[key]) for name, key in (("Log", "log_url"), ("Runbook", "runbook")) if said.get(key)],
        "contacts": (),
    }


def _of_sign_off(notice: Notice, contracts: dict[str, Contract], cursor: Cursor, settings: Settings) -> Words:
    load_id = notice.details["load_id"]
    cursor.execute(OF_LOAD, (load_id,))
    form, partner, quarter, _ = _one(cursor, f"load {load_id}")
    cursor.execute(
        """select restated_count, rules, approvers from ledger.assessment
        where load_id = %s order by assessment_id desc limit 1""",
        (load_id,),
    )
    count, rules, approvers = _one(cursor, f"an assessment of load {load_id}")
    facts = [("Load", load_id), ("Form", plain_words(form)), ("Quarter", quarter_shown(quarter))]
    facts += [("Partner", plain_words(partner)), ("Would restate", f"{count} figures"), ("Rules", ", ".join(rules))]
    return {
        "details": notice.details,
        "form": plain_words(form),
        "quarter": quarter_shown(quarter),
        "approvers": " or ".join(approvers),
        "facts": [*facts, ("May decide", ", ".join(approvers))],
        "contacts": _contacts(form, partner, contracts),
    }


def _of_release(notice: Notice, contracts: dict[str, Contract], cursor: Cursor, settings: Settings) -> Words:
    release_id = notice.details["release_id"]
    cursor.execute(
        """select published_at at time zone 'Europe/London', load_count, withdraws, reason, revision_kind
        from ledger.release left join ledger.correction_note using (release_id) where release_id = %s""",
        (release_id,),
    )
    published_at, returns, withdraws, reason, revision_kind = _one(cursor, f"release {release_id}")
    cursor.execute(
        """select load.form, load.reporting_quarter, load.partner_code
        from ledger.release_load join ledger.load using (load_id) where release_id = %s order by load_id""",
        (release_id,),
    )
    held = [f"{plain_words(form)}, {quarter_shown(key)}, {plain_words(who)}" for form, key, who in cursor.fetchall()]
    published = f"{day_shown(published_at)}, {published_at:%H:%M}"
    return {
        "details": notice.details,
        "returns": returns or 0,
        "withdraws": withdraws,
        "revision_kind": revision_kind,
        "published": published,
        "facts": [("Release", release_id), ("Published", published), ("Why", reason)],
        "points": held[:POINTS],
        "more": max(0, len(held) - POINTS),
        "contacts": (),
    }


_WORDS: dict[str, Callable[[Notice, dict[str, Contract], Cursor, Settings], Words]] = {
    "rejected": _of_receipt,
    "quarantined": _of_receipt,
    "asked": _of_question,
    "reminder": _of_missing,
    "late": _of_missing,
    "escalation": _of_missing,
    "failed": _of_failure,
    "sign_off": _of_sign_off,
    "released": _of_release,
    "restated": _of_release,
}


def _contacts(form: str | None, partner_code: str, contracts: dict[str, Contract]) -> tuple[str, ...]:
    """Return the contacts of a form's contract; of a file that no form claims, those of all the partner's contracts."""
    if form is not None and form in contracts:
        return contracts[form].contacts
    ours = [contract for contract in contracts.values() if partner_code in contract.partners]
    return tuple(dict.fromkeys(contact for contract in ours for contact in contract.contacts))


def _one(cursor: Cursor, what: str) -> tuple[Any, ...]:
    row = cursor.fetchone()
    if row is None:
        raise OperatorError(f"A notice tells of {what}, which the ledger does not have.")
    return row
