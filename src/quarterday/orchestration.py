"""What every DAG shares: assets, retries, and the page that tells an operator what the DAG is for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule

from quarterday import runbooks
from quarterday.notifying.failing import tell_of_failure

OWNER = "data-engineering"
TAGS = frozenset({"inbox", "returns", "release", "notices", "upkeep"})

# Events on these are wake-ups: they coalesce and can be lost. The work itself is read from the inbox and the ledger.
RETURN_RECEIVED = Asset(name="return_received", uri="x-quarterday://inbox/return")
RETURN_LOADED = Asset(name="return_loaded", uri="x-quarterday://ledger/load")
SIGN_OFF_WANTED = Asset(name="sign_off_wanted", uri="x-quarterday://ledger/sign_off")

# Only what can pass on a second try is tried again: a database that restarts or is locked, and (with no exception
# at all) a worker that was killed. Anything else would fail the same way and hide for longer.
RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=["psycopg2.OperationalError", "psycopg2.InterfaceError"],
            action=RetryAction.RETRY,
            retry_delay=timedelta(seconds=10),
            reason="the database was away or a lock was held",
        ),
    ],
    default=RetryAction.FAIL,
)

TASK_DEFAULTS: dict[str, Any] = {
    "owner": OWNER,
    "retries": 3,
    "retry_delay": timedelta(seconds=5),
    "retry_policy": RETRY_POLICY,
    "on_failure_callback": tell_of_failure,
}


def upkeep_at(cron: str) -> CronTriggerTimetable:
    """Return a schedule, in London's time, whose first run is in the future; give its DAG no start date.

    With one, Airflow runs the last missed time at once: upkeep in the first minutes of every new installation.
    """
    return CronTriggerTimetable(cron, timezone="Europe/London", run_immediately=timedelta(0))


def doc_md(runbook: str, purpose: str, failure: str, rerun: str) -> str:
    """Return a DAG's page: what it does, what a failure means, whether it may be run again.

    Args:
        runbook: The DAG, whose runbook has the same name; DAGs that are made from the forms share one.
        purpose: What the DAG does, for somebody who sees it for the first time.
        failure: What a red run means and what to do about it.
        rerun: Whether and how a run may be repeated.
    """
    return (
        f"{purpose}\n\n**Owner:** {OWNER}\n\n**If it fails:** {failure}\n\n**May it be run again?** {rerun}\n\n"
        # Airflow takes a page that ends in .md for a file's name.
        f"Runbook: {runbooks.link(runbook)} says more."
    )
