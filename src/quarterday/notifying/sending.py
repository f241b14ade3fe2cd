"""Sends what is in the outbox, and leaves there what no channel takes, with the reason.

A channel's taking of a message and our note of it are two things: where we die between them, the message is sent again
by the next. It errs on the side of twice, because a notice that is lost does harm and one that comes twice does little;
a mail that comes twice has the same Message-ID, by which a mail server may drop the second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday import receipts, runbooks
from quarterday.contracts import load_terms
from quarterday.errors import QuarterdayError
from quarterday.notifying.channels import NotTaken, channels_on, send
from quarterday.notifying.composing import Message, digest_of, put_into_words
from quarterday.notifying.outbox import Notice, newest, unsent
from quarterday.notifying.routing import MAIL, load_routes
from quarterday.settings import Settings
from quarterday.warehouse import connect

LOCK = "quarterday.notices"
# More than these to the same people at once become one message.
DIGEST_ABOVE = 3
MOST_FILES = 20
# After a failure the next try waits: so long the first time, twice as long each time after, and at most an hour.
FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=1)


@dataclass
class Sent:
    """What a round of sending did: messages that a channel took, and why others were not taken."""

    messages: int = 0
    failures: list[str] = field(default_factory=list)


def send_notices(settings: Settings, at_once: bool = False) -> Sent:
    """Put what is new in the outbox into words and send what is unsent; without a channel nothing is sent.

    Of two that send at a time, one does and the other is done at once.

    Args:
        settings: Whose warehouse.
        at_once: Also what failed a moment ago and would wait for its next try.

    Raises:
        OperatorError: ``returns/notices.csv`` can't be used. Nothing was sent.
    """
    done = Sent()
    on = channels_on()
    if not on:
        return done
    # Airflow's notifiers read its settings, and outside of Airflow would make them in the user's own home.
    os.environ.setdefault("AIRFLOW_HOME", str(settings.home / "airflow"))
    with connect(settings, "loader") as connection, _only_sender(connection) as is_alone:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute(
                    "update ledger.notifying set sending_since = clock_timestamp() where sending_since is null"
                )
            notices = in_words(connection, settings)
            now = datetime.now(UTC)
            notices = [notice for notice in notices if at_once or now >= next_try(notice)]
            for channel in on:
                _send_by(channel, notices, connection, settings, done)
            _mark_done(notices, on, connection, settings)
    return done


class NoticesNotSent(QuarterdayError):
    """Messages are still in the outbox."""


def raise_failures(sent: Sent) -> None:
    """Name why messages were not taken.

    Raises:
        NoticesNotSent: There are any.
    """
    if sent.failures:
        named = "\n".join(f"  {failure}" for failure in dict.fromkeys(sent.failures))
        raise NoticesNotSent(
            f"{len(sent.failures)} messages were not taken, {sent.messages} were; they stay in the outbox and are "
            f"tried again.\n{named}\nMend the cause; 'quarterday notices --send' tries at once. "
            f"{runbooks.link('notices__send')}"
        )


def in_words(connection: Connection, settings: Settings) -> list[Notice]:
    """Return what is to be sent, in words; commits. What can't be put into words keeps the reason; no other waits."""
    with connection.cursor() as cursor:
        return _in_words(unsent(cursor), cursor, settings)


def shown(limit: int, settings: Settings) -> list[Notice]:
    """Return the newest notices, in words, newest first."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        return _in_words(newest(limit, cursor), cursor, settings, also_without=True)


def next_try(notice: Notice) -> datetime:
    """Return when a notice is tried again."""
    if notice.tried_at is None:
        return notice.created_at
    wait: timedelta = FIRST_WAIT * 2 ** min(notice.tried_count - 1, 10)
    return notice.tried_at + min(LONGEST_WAIT, wait)


def _in_words(
    notices: Sequence[Notice], cursor: Cursor, settings: Settings, also_without: bool = False
) -> list[Notice]:
    found = []
    routes = load_routes(settings)
    contracts = load_terms(settings.returns) if any(notice.subject is None for notice in notices) else {}
    for notice in notices:
        if notice.subject is not None:
            found.append(notice)
            continue
        cursor.execute("savepoint words")
        try:
            found.append(put_into_words(notice, routes[notice.kind], contracts, cursor, settings))
        except QuarterdayError as error:
            cursor.execute("rollback to savepoint words")
            cursor.execute("update ledger.notice set error = %s where notice_id = %s", (str(error), notice.notice_id))
            found += [notice] if also_without else []
    cursor.connection.commit()
    return found


@contextmanager
def _only_sender(connection: Connection) -> Iterator[bool]:
    """Say whether nobody else sends, and keep others from it until the end; a killed sender's lock ends with it."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtext(%s))", (LOCK,))
        (is_alone,) = cursor.fetchone() or (False,)
        connection.commit()
        yield bool(is_alone)


def _send_by(channel: str, notices: Sequence[Notice], connection: Connection, settings: Settings, done: Sent) -> None:
    """Send by one channel what it has not taken yet, a message at a time, until it takes no more."""
    routes = load_routes(settings)
    wanted = [notice for notice in notices if channel in routes[notice.kind].channels and channel not in notice.sent_by]
    groups: dict[tuple[str, ...], list[Notice]] = {}
    for notice in wanted:
        groups.setdefault(notice.recipients if channel == MAIL else (), []).append(notice)
    batches = [batch for group in groups.values() for batch in _batches(group)]
    for position, batch in enumerate(batches):
        try:
            _send_batch(channel, batch, connection, settings)
        except NotTaken as error:
            done.failures.append(str(error))
            rest = [notice for later in batches[position:] for notice in later] if error.is_down else batch
            _note_failure(rest, str(error), connection)
            if error.is_down:
                return
        else:
            done.messages += 1
            _note_taken(channel, batch, connection)


def _batches(group: list[Notice]) -> list[list[Notice]]:
    return [group] if len(group) > DIGEST_ABOVE else [[notice] for notice in group]


def _send_batch(channel: str, batch: Sequence[Notice], connection: Connection, settings: Settings) -> None:
    messages = [Message(notice.subject or "", notice.body or "", notice.body_html or "") for notice in batch]
    message = messages[0] if len(messages) == 1 else digest_of(messages)
    cause = "; ".join(notice.cause for notice in batch)
    to = batch[0].recipients
    if channel == MAIL and not to:
        raise NotTaken("mail: no address: the contract names no contact, and returns/notices.csv no other", False)
    with TemporaryDirectory(prefix="quarterday-notices-") as folder:
        files = _files(batch, connection, settings, Path(folder)) if channel == MAIL else []
        send(channel, message, to, files[:MOST_FILES], cause)


def _files(batch: Sequence[Notice], connection: Connection, settings: Settings, folder: Path) -> list[Path]:
    """Return what is attached: receipts of returns, as page and workbook, and correction notes."""
    files = []
    for notice in batch:
        if notice.kind in ("rejected", "quarantined", "asked") and "load_id" in notice.details:
            files += _receipt(notice.details["load_id"], connection, settings)
        elif notice.kind == "restated":
            files.append(_correction_note(notice.details["release_id"], connection, folder))
    return files


def _receipt(load_id: int, connection: Connection, settings: Settings) -> list[Path]:
    """Return a load's receipt; one that its task has not written yet is written."""
    found = sorted(settings.receipts.glob(f"receipt-{load_id}-*.html"))
    page = found[0] if found else receipts.write_receipt(load_id, connection, settings.receipts)
    return [page, page.with_suffix(".xlsx")]


def _correction_note(release_id: int, connection: Connection, folder: Path) -> Path:
    with connection.cursor() as cursor:
        cursor.execute("select html from ledger.correction_note where release_id = %s", (release_id,))
        (html,) = cursor.fetchone() or ("",)
    path = folder / f"correction-note-release-{release_id}.html"
    path.write_text(html, encoding="utf-8")
    return path


def _note_taken(channel: str, batch: Sequence[Notice], connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """update ledger.notice
            set sent_by = array_append(sent_by, %s), tried_at = clock_timestamp()
            where notice_id = any(%s)""",
            (channel, [notice.notice_id for notice in batch]),
        )
    connection.commit()


def _note_failure(batch: Sequence[Notice], reason: str, connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """update ledger.notice
            set error = %s, tried_at = clock_timestamp(), tried_count = tried_count + 1
            where notice_id = any(%s)""",
            (reason, [notice.notice_id for notice in batch]),
        )
    connection.commit()


def _mark_done(notices: Sequence[Notice], on: Sequence[str], connection: Connection, settings: Settings) -> None:
    """Note of what every channel that is on has taken that it is sent."""
    routes = load_routes(settings)
    with connection.cursor() as cursor:
        for notice in notices:
            wanted = [channel for channel in routes[notice.kind].channels if channel in on]
            cursor.execute(
                """update ledger.notice set sent_at = clock_timestamp(), error = null
                where notice_id = %s and sent_by <> '{}' and sent_by @> %s::text[]""",
                (notice.notice_id, wanted),
            )
    connection.commit()
