"""Sign-offs at the keyboard: what waits, and a decision by name, where no Airflow asks."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown

from quarterday.restating.signing_off import assess_pending, assessment_of, decide, waiting_loads
from quarterday.settings import Settings
from quarterday.warehouse import connect

AFTER = {
    True: "The next sweep of the inbox wakes the release.",
    False: "It will not be released; ask the partner for a new return.",
}


def show_waiting(settings: Settings) -> None:
    """Print each load that waits for a sign-off: what would change, why it is asked, and who may decide."""
    assess_pending(settings)
    waiting = waiting_loads("to sign off", settings)
    console = Console()
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        for load_id, form, quarter in waiting:
            found = assessment_of(load_id, cursor)
            console.rule(f"Load {load_id}: {form} {quarter}", align="left")
            console.print(Markdown(found.told))
            console.print(f"May decide: {', '.join(found.approvers)}\n", markup=False)
    console.print("Nothing waits for a sign-off." if not waiting else f"{len(waiting)} to sign off.")


def decide_by_hand(load_id: int, decision: str, decided_by: str, reason: str, settings: Settings) -> str:
    """Decide on what a load would change now; return its form and quarter.

    Raises:
        OperatorError: The load does not wait for a sign-off, the person may not decide, or there is no reason.
    """
    assess_pending(settings)
    return decide(load_id, decision, decided_by, reason, settings)
