"""The states of a return in words: what each means, and what an operator does next.

Which state a return is in is told by ``ledger.board_cell`` and ``ledger.load_standing`` alone (``sql/091_board.sql``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """A state as people read it.

    ``tone`` is what it asks for: ``wrong`` (act), ``wants`` (look), ``moves`` (wait), ``good``, ``quiet``.
    ``next_step`` is one sentence; ``runbook`` is a file of docs/runbooks without its ending.
    """

    name: str
    tone: str
    meaning: str
    next_step: str
    runbook: str

    @property
    def shown(self) -> str:
        """The name as it begins a line."""
        return self.name[0].upper() + self.name[1:]

    @property
    def slug(self) -> str:
        """The name as a part of an address."""
        return self.name.replace(" ", "-")


STATES = {
    state.name: state
    for state in (
        State(
            "failed",
            "wrong",
            "A task of ours failed, and nothing has gone on since.",
            "Read the log of the failed task, mend the cause, and run it again.",
            "returns__load",
        ),
        State(
            "rejected",
            "wrong",
            "The return was sent back: nothing of it was taken in.",
            "Ask the partner to mend what is listed and to send the whole return again; the receipt says it for them.",
            "returns__load",
        ),
        State(
            "late",
            "wrong",
            "The return was due and has not come.",
            "Ask the partner for the return.",
            "returns__expect",
        ),
        State(
            "waiting for sign-off",
            "wants",
            "It restates what was published, or brings lines in by exception: a named person has to approve.",
            "Have it decided by who may: in Airflow under Browse, Required Actions, or with quarterday sign-off.",
            "returns__sign_off",
        ),
        State(
            "quarantined",
            "wants",
            "It was taken in, but for some lines that are set aside.",
            "Ask the partner to mend the lines and to send the whole return again, or take them in by exception.",
            "returns__load",
        ),
        State(
            "received",
            "moves",
            "It is in the archive and has no verdict yet.",
            "Wait for its verdict; if it has none after a quarter of an hour, run it again.",
            "returns__load",
        ),
        State(
            "admitted",
            "moves",
            "It was taken in and is not released yet.",
            "Wait for the release; if there is none after a quarter of an hour, run it again.",
            "quarter__release",
        ),
        State(
            "due", "moves", "The quarter has ended and the day it is due has not.", "Wait for it.", "returns__expect"
        ),
        State("released", "good", "Readers see it.", "Nothing is to be done.", "quarter__release"),
        State(
            "restated",
            "good",
            "Readers see a later version of it; the earlier ones stay in history.",
            "Nothing is to be done.",
            "quarter__release",
        ),
        State(
            "withdrawn",
            "wants",
            "It was taken back, and speaks for nobody.",
            "Ask the partner for a new return, unless a later one has come.",
            "quarter__release",
        ),
        State(
            "declined",
            "wants",
            "A named person declined it, and it is never released.",
            "Ask the partner for a new return, unless a later one has come.",
            "returns__sign_off",
        ),
        State(
            "not available until",
            "quiet",
            "Its figures appear quarters after the period they are about.",
            "Nothing before that day.",
            "returns__expect",
        ),
        State("not due", "quiet", "Nothing is owed for this quarter now.", "Nothing is to be done.", "returns__expect"),
        State(
            "not commissioned",
            "quiet",
            "The service was not commissioned in this quarter.",
            "Nothing is to be done.",
            "returns__expect",
        ),
    )
}
# What a load can be in, but a cell of the board never.
OF_LOADS_ONLY = ("withdrawn", "declined")
OF_CELLS = tuple(name for name in STATES if name not in OF_LOADS_ONLY)
# Where nothing is owed and nothing came: left out where only what matters is listed.
EMPTY = ("not due", "not commissioned")
