"""Where the runbooks are: the one place from which errors, alerts and the board take their links."""

from __future__ import annotations

import os

DEFAULT_BASE = "docs/runbooks"


def link(name: str) -> str:
    """Return the link to a runbook.

    Args:
        name: The file in ``docs/runbooks`` without its ending, a DAG or a failure; ``#`` and a heading may follow.

    Returns:
        Below the address that ``QUARTERDAY_RUNBOOKS`` names, else the file's path in the project.
    """
    page, hash_sign, heading = name.partition("#")
    base = os.environ.get("QUARTERDAY_RUNBOOKS") or DEFAULT_BASE
    return f"{base.rstrip('/')}/{page}.md{hash_sign}{heading}"
