"""The outbox on the screen."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from quarterday.notifying.channels import channels_on
from quarterday.notifying.outbox import Notice
from quarterday.notifying.sending import Sent, send_notices, shown
from quarterday.settings import Settings

COLUMNS = ("notice", "written_utc", "kind", "to", "subject", "state")


def show_notices(settings: Settings, send: bool, as_json: bool, limit: int) -> bool:
    """Print the newest notices, after sending what is unsent where that is asked for; return whether all could be sent.

    Raises:
        OperatorError: ``returns/notices.csv`` or the setting of a channel can't be used.
    """
    sent = send_notices(settings, at_once=True) if send else Sent()
    found = shown(limit, settings)
    if as_json:
        json.dump([asdict(notice) for notice in found], sys.stdout, default=str, indent=1)
        print()
    else:
        _print_table(found, sent, send)
    return not sent.failures


def state_of(notice: Notice) -> str:
    """Return in a few words whether a notice was sent, and if not why."""
    if notice.sent_at:
        return f"sent {notice.sent_at:%Y-%m-%d %H:%M} by {', '.join(notice.sent_by)}"
    return f"not sent: {notice.error}" if notice.error else "not sent"


def _print_table(found: list[Notice], sent: Sent, send: bool) -> None:
    from rich.console import Console

    from quarterday.showing import as_table

    console = Console()
    rows = [
        (
            notice.notice_id,
            f"{notice.created_at:%Y-%m-%d %H:%M}",
            notice.kind,
            " ".join(notice.recipients) or notice.audience,
            notice.subject or notice.cause,
            state_of(notice),
        )
        for notice in found
    ]
    console.print(as_table(None, COLUMNS, rows) if rows else "No notices yet.")
    on = channels_on()
    if send:
        console.print(f"{sent.messages} messages sent.", *dict.fromkeys(sent.failures), sep="\n", markup=False)
    if not on:
        console.print(
            "Nothing is sent: no channel is set. docs/how-to/notices.md", markup=False, highlight=False, soft_wrap=True
        )
