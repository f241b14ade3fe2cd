"""A mail server on loopback that keeps what it is sent, refuses whom it is told to, and can be stopped."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller


@dataclass
class Mail:
    """A mail as it came."""

    to: list[str]
    subject: str
    html: str
    attachments: dict[str, bytes]
    message_id: str


@dataclass
class MailSink:
    """Takes mails; ``refused`` are addresses that it takes none for."""

    port: int
    mails: list[Mail] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The server as QUARTERDAY_NOTIFY_MAIL names it."""
        return f"smtp+plain://127.0.0.1:{self.port}"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take or refuse a recipient."""
        if address in self.refused:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep a mail."""
        message = cast(EmailMessage, email.message_from_bytes(envelope.content, policy=default))
        attachments = {part.get_filename() or "": part.get_content() for part in message.iter_attachments()}
        body = next(part for part in message.walk() if part.get_content_type() == "text/html")
        html = str(cast(EmailMessage, body).get_content())
        self.mails.append(
            Mail(envelope.rcpt_tos, str(message["Subject"]), html, attachments, str(message["Message-ID"]))
        )
        return "250 OK"


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_sink(port: int | None = None) -> Iterator[MailSink]:
    """Run a mail server in a thread."""
    sink = MailSink(port or free_port())
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
