"""How a message leaves: Airflow's own notifiers, with the connections that the settings name.

Mail goes by ``SmtpNotifier``; Slack and any other webhook by ``HttpNotifier``, as JSON. A connection is given to
Airflow for the moment of sending, in this process alone; it stands in no database, file or log.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from quarterday.errors import OperatorError, QuarterdayError
from quarterday.notifying.composing import Message, one_line
from quarterday.notifying.routing import CHANNELS, MAIL, SLACK
from quarterday.settings import notify_variables

TIMEOUT_SECONDS = 10
CONNECTION = "quarterday_notices"
MAIL_SCHEMES = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
HIDDEN = "***"


class NotTaken(QuarterdayError):
    """A channel did not take a message. ``is_down`` where it would take no other either."""

    def __init__(self, reason: str, is_down: bool) -> None:
        super().__init__(reason)
        self.is_down = is_down


def channels_on() -> tuple[str, ...]:
    """Return the channels for which there is a setting."""
    set_up = notify_variables()
    return tuple(channel for channel in CHANNELS if f"QUARTERDAY_NOTIFY_{channel.upper()}" in set_up)


def send(channel: str, message: Message, to: Sequence[str], files: Sequence[Path], cause: str) -> None:
    """Hand a message over to a channel; when this returns, the channel has taken it.

    Args:
        channel: One of :func:`channels_on`.
        message: What is said.
        to: Addresses, for a mail.
        files: Attached to a mail; elsewhere left out.
        cause: Tells one message from another: a mail that is sent a second time has the same Message-ID.

    Raises:
        NotTaken: It could not be handed over; the reason holds no password and no address of a webhook.
    """
    setting = notify_variables()[f"QUARTERDAY_NOTIFY_{channel.upper()}"]
    try:
        connection = _mail_connection(setting) if channel == MAIL else {"conn_type": "http", "host": setting}
    except OperatorError as error:  # the other channels go on
        raise NotTaken(str(error), is_down=True) from None
    with _connection(connection):
        try:
            notifier = _mail(message, to, files, cause) if channel == MAIL else _post(channel, message, cause)
            notifier.notify({})
        except Exception as error:  # whatever a server answers, the message stays in the outbox
            raise NotTaken(_reason(error, channel, setting), _is_down(error)) from None


def _mail(message: Message, to: Sequence[str], files: Sequence[Path], cause: str) -> Any:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    return SmtpNotifier(
        to=list(to),
        subject=message.subject,
        html_content=message.html,
        files=[str(file) for file in files],
        custom_headers={"Message-ID": f"<{hashlib.sha256(cause.encode()).hexdigest()[:32]}@quarterday>"},
        smtp_conn_id=CONNECTION,
    )


def _post(channel: str, message: Message, cause: str) -> Any:
    from airflow.providers.http.notifications import HttpNotifier

    text = f"*{message.subject}*\n{message.text}"
    said = {"text": text} if channel == SLACK else {"cause": cause, "subject": message.subject, "text": message.text}
    return HttpNotifier(http_conn_id=CONNECTION, json=said, extra_options={"timeout": TIMEOUT_SECONDS})


def _mail_connection(setting: str) -> dict[str, Any]:
    """Return the connection that a URL means: ``smtp`` with STARTTLS, ``smtps`` with TLS, ``smtp+plain`` neither."""
    parts = urlsplit(setting)
    if parts.scheme not in MAIL_SCHEMES or not parts.hostname:
        raise OperatorError(
            "QUARTERDAY_NOTIFY_MAIL: expected a URL as smtp://user:password@host:587 (STARTTLS), smtps://... (TLS) "
            "or smtp+plain://localhost:25 (a relay on this machine). Nothing was sent."
        )
    sender = notify_variables().get("QUARTERDAY_NOTIFY_FROM") or f"quarterday@{parts.hostname}"
    return {
        "conn_type": "smtp",
        "host": parts.hostname,
        "port": parts.port or MAIL_SCHEMES[parts.scheme],
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "extra": {
            "from_email": sender,
            "timeout": TIMEOUT_SECONDS,
            "retry_limit": 0,  # the outbox tries again
            "disable_ssl": parts.scheme != "smtps",
            "disable_tls": parts.scheme != "smtp",
        },
    }


@contextmanager
def _connection(connection: dict[str, Any]) -> Iterator[None]:
    variable = f"AIRFLOW_CONN_{CONNECTION.upper()}"
    os.environ[variable] = json.dumps(connection)
    try:
        yield
    finally:
        del os.environ[variable]


def _is_down(error: Exception) -> bool:
    """Say whether other messages would fare the same, as where nobody answers; a refusal of this one is its own."""
    from smtplib import SMTPDataError, SMTPRecipientsRefused

    return isinstance(error, OSError) and not isinstance(error, SMTPRecipientsRefused | SMTPDataError)


def _reason(error: Exception, channel: str, setting: str) -> str:
    """Return what went wrong on one line, without what the setting keeps secret."""
    parts = urlsplit(setting)
    told = f"{channel} to {parts.hostname}: {type(error).__name__}: {one_line(str(error))}"
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    path = f"{parts.path}?{parts.query}".strip("/?")
    for secret in sorted(
        {setting, parts.path, path, *login, *parts.path.split("/"), parts.query}, key=len, reverse=True
    ):
        if len(secret.strip("/")) > 3:
            told = told.replace(secret, HIDDEN)
    return told[:500]
