"""Small pieces of YAML text, written so that an engineer can read and edit them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import yaml

from quarterday.openplaces import OPEN

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _/()£%.-]*[A-Za-z0-9)%]|[A-Za-z]")


def scalar(text: str) -> str:
    """Return a text as a YAML scalar that reads back as the same text, in quotes only where it needs them."""
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    """Return texts as a YAML list on one line."""
    return "[" + ", ".join(scalar(text) for text in texts) + "]"


def open_place(wanted: str) -> str:
    """Return a scalar that no form loads with, saying what is wanted in its place."""
    return "'" + f"{OPEN}: {wanted}".replace("'", "’").replace('"', "”") + "'"
