"""The outbox, ``ledger.notice``: one row per cause, whoever writes it and however often."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import cursor as Cursor

COLUMNS = (
    "notice_id, cause, kind, audience, details, recipients, subject, body, body_html, created_at, tried_at,"
    " tried_count, sent_by, sent_at, error"
)
# What was written long before anything could be sent is history: whoever sets up the mail server is told of today.
STILL_NEWS = "1 day"
UNSENT = f"""
select {COLUMNS} from ledger.notice
where sent_at is null and created_at >= coalesce(
    (select sending_since from ledger.notifying), clock_timestamp()
) - interval '{STILL_NEWS}'
order by notice_id
"""


@dataclass(frozen=True)
class Notice:
    """A row of ``ledger.notice``; ``subject`` and what follows are None until it is put into words."""

    notice_id: int
    cause: str
    kind: str
    audience: str
    details: dict[str, Any]
    recipients: tuple[str, ...]
    subject: str | None
    body: str | None
    body_html: str | None
    created_at: datetime
    tried_at: datetime | None
    tried_count: int
    sent_by: tuple[str, ...]
    sent_at: datetime | None
    error: str | None


def note(cause: str, kind: str, audience: str, details: dict[str, Any], cursor: Cursor) -> bool:
    """Write a notice in the caller's transaction; return whether its cause is new.

    Args:
        cause: What happened, in a form that is the same whenever the same is noted again: ``load 12 asked``.
        kind: One of ``quarterday.notifying.routing.KINDS``.
        audience: ``partner`` or ``office``.
        details: Numbers and codes for the words; no value of a return. A notice about a load has ``load_id``.
        cursor: As the loader or the builder.
    """
    cursor.execute(
        """insert into ledger.notice (cause, kind, audience, details) values (%s, %s, %s, %s)
        on conflict (cause) do nothing""",
        (cause, kind, audience, json.dumps(details)),
    )
    return cursor.rowcount == 1


def unsent(cursor: Cursor) -> list[Notice]:
    """Return the notices that are still to be sent, oldest first."""
    cursor.execute(UNSENT)
    return _notices(cursor)


def newest(limit: int, cursor: Cursor) -> list[Notice]:
    """Return so many notices, sent or not, newest first."""
    cursor.execute(f"select {COLUMNS} from ledger.notice order by notice_id desc limit %s", (limit,))
    return _notices(cursor)


def _notices(cursor: Cursor) -> list[Notice]:
    rows: list[dict[str, Any]] = [dict(zip(COLUMNS.split(", "), row, strict=True)) for row in cursor.fetchall()]
    lists = ("recipients", "sent_by")
    return [Notice(**row | {name: tuple(row[name]) for name in lists}) for row in rows]
