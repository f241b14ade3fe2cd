"""Open places: what a draft of a contract or layout cannot know, marked so that nothing loads with one."""

from __future__ import annotations

import re
from pathlib import Path

from quarterday.errors import OperatorError

OPEN = "FILL IN"
_PLACE = re.compile(rf"{OPEN}:? *(?P<wanted>[^'\"\n]*)")
_TOLD_AT_MOST = 40


def open_places(text: str) -> list[tuple[int, str]]:
    """Return the line (from 1) and the wanted thing of every open place of a YAML text; comments don't count."""
    return [
        (number, match["wanted"].strip().rstrip("}],"))
        for number, line in enumerate(text.splitlines(), start=1)
        if OPEN in line and not line.lstrip().startswith("#")
        for match in _PLACE.finditer(line.partition(" # ")[0])
    ]


def refuse_open_places(path: Path, text: str) -> None:
    """Refuse a form's file that still has open places.

    Raises:
        OperatorError: With the line of every open place and what is to be written there.
    """
    places = open_places(text)
    if not places:
        return
    told = [f"  line {number}: {wanted}" for number, wanted in places[:_TOLD_AT_MOST]]
    told += [f"  ... and {len(places) - _TOLD_AT_MOST} more"] if len(places) > _TOLD_AT_MOST else []
    count = "1 place is" if len(places) == 1 else f"{len(places)} places are"
    raise OperatorError(
        f"{path}: {count} still open, so no form was read. Write over each '{OPEN}':\n"
        + "\n".join(told)
        + "\nSee docs/how-to/add-a-form.md."
    )
