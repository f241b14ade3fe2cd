"""The board's pages: server-rendered, usable without a mouse or scripts, with nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quarterday import runbooks
from quarterday.operating.board import Asked, Board, Cell, day_shown, of_quarters, quarter_shown
from quarterday.operating.states import EMPTY, STATES
from quarterday.operating.story import size_shown
from quarterday.receipts import ACTION_WORDS, REFUSED_WORDS, plain_words

QUARTERS_SHOWN = 8
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def render(name: str, depth: int, values: Mapping[str, Any]) -> str:
    """Return a page of ``templates/board``.

    Args:
        name: The template without its endings.
        depth: How many folders below the board's own address the page stands: every link is relative, so that the
            board may stand behind any proxy.
        values: What the template shows.
    """
    up = "../" * depth
    return _environment().get_template(f"{name}.html.j2").render({**values, "up": up, "airflow": f"{up}../"})


@dataclass(frozen=True)
class Window:
    """Some of the board's quarters, oldest first, and the last quarter of the windows before and after."""

    quarters: tuple[str, ...]
    earlier: str | None
    later: str | None


def board_values(board: Board, asked: Asked, last: str | None) -> dict[str, Any]:
    """Return what the board's page shows: some quarters as a table, and where to go from there.

    Args:
        board: The cells of all quarters and states.
        asked: What to show of them.
        last: The newest quarter to show; by default the newest in which something came or is owed.
    """
    wanted = [cell for cell in board.cells if asked.state in (None, cell.state)]
    window = window_of(wanted, last)
    rows = of_quarters(wanted, window.quarters)
    told = {sender: cells for sender, cells in rows.items() if _has_anything(cells, asked)}
    return {
        "board": board,
        "asked": asked,
        "window": window,
        "rows": told,
        "left_out": len(rows) - len(told),
        "states": STATES,
    }


def window_of(cells: Sequence[Cell], last: str | None) -> Window:
    """Return the quarters of some cells that are shown at once.

    Args:
        cells: Only quarters of these are shown.
        last: The newest to show; by default the newest in which something came or is owed.
    """
    quarters = sorted({cell.reporting_quarter for cell in cells})
    told = [cell.reporting_quarter for cell in cells if cell.load_id is not None or cell.state in ("due", "late")]
    newest = last if last in quarters else max(told, default=quarters[-1] if quarters else None)
    end = quarters.index(newest) + 1 if newest else 0
    start = max(end - QUARTERS_SHOWN, 0)
    return Window(
        tuple(quarters[start:end]),
        quarters[start - 1] if start else None,
        quarters[min(end + QUARTERS_SHOWN, len(quarters)) - 1] if end < len(quarters) else None,
    )


def _has_anything(cells: Mapping[str, Cell], asked: Asked) -> bool:
    """Return whether a row says more than that nothing is owed; who asks for it sees that, too."""
    return bool(asked.form or asked.state) or any(cell.state not in EMPTY for cell in cells.values())


def cell_address(cell: Cell) -> str:
    """Return where a cell leads, from the board: to its load, or to what is known of a return that has not come."""
    if cell.load_id is not None and cell.state in STATES and cell.state_at is not None:
        return f"loads/{cell.load_id}"
    return f"returns/{quote(cell.form)}/{quote(cell.partner_code)}/{cell.reporting_quarter}"


def query_of(asked: Asked, **changed: str | None) -> str:
    """Return the board's address with what is asked for, and with changes to it."""
    words = {name: value for name, value in (vars(asked) | changed).items() if value}
    return f"?{urlencode(words)}" if words else "."


def runbook_address(up: str, name: str) -> str:
    """Return where a page leads for a runbook: to the place that the office names, else to our own copy."""
    address = runbooks.link(name)
    return address if "://" in address else f"{up}{address}"


def as_document(text: str) -> Markup:
    """Return a document of ours as HTML; any HTML in it is shown as text, and each heading can be linked to."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    for token, words in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", "-".join(re.findall(r"\w+", words.content.lower())))
    return Markup(reader.renderer.render(tokens, reader.options, {}))


def moment_shown(moment: datetime | None) -> str:
    """Return a moment in UTC as it is shown: ``3 May 2018, 14:05``."""
    return f"{day_shown(moment.date())}, {moment:%H:%M}" if moment else ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("quarterday", "templates/board"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": day_shown,
        "moment": moment_shown,
        "quarter": quarter_shown,
        "name": plain_words,
        "size": size_shown,
        "address": cell_address,
        "urlquote": lambda text: quote(str(text), safe=""),
    }
    environment.globals |= {
        "query_of": query_of,
        "runbook_address": runbook_address,
        "action_words": ACTION_WORDS,
        "refused_words": REFUSED_WORDS,
        "state_of": STATES.__getitem__,
    }
    return environment
