"""Who is told of what, and by which channel: ``returns/notices.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from quarterday.errors import OperatorError
from quarterday.settings import Settings

COLUMNS = ("kind", "to", "channels")
KINDS = (
    "rejected",
    "quarantined",
    "asked",
    "failed",
    "reminder",
    "late",
    "escalation",
    "sign_off",
    "released",
    "restated",
)
MAIL, SLACK, WEBHOOK = CHANNELS = ("mail", "slack", "webhook")
# Stands in a route for the contacts of the return's contract.
PARTNER = "partner"


@dataclass(frozen=True)
class Route:
    """Where a kind of notice goes: addresses, ``partner`` among them, and channels; no channel means nowhere."""

    kind: str
    to: tuple[str, ...]
    channels: tuple[str, ...]


def load_routes(settings: Settings) -> dict[str, Route]:
    """Return the route of each kind of notice.

    Raises:
        OperatorError: The file is missing or wrong; the message names file, line and column. Nothing was sent.
    """
    path = settings.notices
    if not path.exists():
        raise OperatorError(f"{path}: missing, so nothing was sent. It says who is told of what: {','.join(COLUMNS)}.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise OperatorError(f"{path}: expected the columns {','.join(COLUMNS)}, found {reader.fieldnames}.")
        routes: dict[str, Route] = {}
        for row in reader:
            route = _route(row, f"{path}, line {reader.line_num}")
            if routes.setdefault(route.kind, route) is not route:
                raise OperatorError(f"{path}, line {reader.line_num}: a second line for '{route.kind}'. Join them.")
    if missing := [kind for kind in KINDS if kind not in routes]:
        raise OperatorError(f"{path}: no line for {', '.join(missing)}. A kind that nobody wants has no channels.")
    return routes


def recipients_of(route: Route, contacts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses of a notice, each once: ``partner`` stands for the contacts of its contract."""
    named = (address for name in route.to for address in (contacts if name == PARTNER else (name,)))
    return tuple(dict.fromkeys(named))


def _route(row: dict[str, str | None], where: str) -> Route:
    kind, to, channels = (str(row[column] or "").strip() for column in COLUMNS)
    route = Route(kind, tuple(to.split()), tuple(channels.split()))
    if kind not in KINDS:
        raise OperatorError(f"{where}, column kind: expected one of {', '.join(KINDS)}, found '{kind}'.")
    for channel in route.channels:
        if channel not in CHANNELS:
            raise OperatorError(f"{where}, column channels: expected {', '.join(CHANNELS)}, found '{channel}'.")
    for name in route.to:
        if name != PARTNER and not _is_address(name):
            raise OperatorError(f"{where}, column to: expected an address or '{PARTNER}', found '{name}'.")
    if MAIL in route.channels and not route.to:
        raise OperatorError(f"{where}, column to: a mail needs an address or '{PARTNER}', found nothing.")
    return route


def _is_address(name: str) -> bool:
    local, _, domain = name.rpartition("@")
    return bool(local and domain) and name.isprintable() and not set(name) & set(',;<>()"')
