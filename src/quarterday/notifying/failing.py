"""What Airflow calls when a task of ours has failed for good: a notice to the office, written and sent at once.

Imports stand inside: every DAG file reads this module.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from quarterday import runbooks

log = logging.getLogger(__name__)
ERROR_CHARACTERS = 300
# A database or a library quotes the value that it stumbled over; the value may be about a person.
QUOTED = re.compile(r"(\"[^\"]*\"|'[^']*'|\([^()]*\)=\([^()]*\))")
MASKED = "'...'"


def tell_of_failure(context: Any) -> None:
    """Write a notice of a task that failed, and send what is unsent. Never raises: the task has failed already.

    One notice per try that was the last; a task that is cleared and fails again is told of again.

    Args:
        context: Airflow's, from ``on_failure_callback``.
    """
    details = details_of(context)
    try:
        from quarterday.notifying.outbox import note
        from quarterday.notifying.sending import send_notices
        from quarterday.settings import load_settings
        from quarterday.warehouse import connect

        settings = load_settings()
        cause = "failed {dag_id} {run_id} {task_id} try {try_number}".format(**details)
        with connect(settings, "loader") as connection, connection.cursor() as cursor:
            note(cause, "failed", "office", details, cursor)
        send_notices(settings)
    except Exception as error:
        log.warning("Nobody could be told by the outbox of %s: %s", details, first_line(error))
        _tell_without_outbox(details)


def details_of(context: Any) -> dict[str, Any]:
    """Return what a message about a failed task says."""
    task = context["ti"] if "ti" in context else context["task_instance"]
    run = context.get("dag_run")
    index = getattr(task, "map_index", None)
    return {
        "dag_id": task.dag_id,
        "task_id": task.task_id if index is None or index < 0 else f"{task.task_id}[{index}]",
        "run_id": task.run_id,
        "key": getattr(run, "partition_key", None),
        "try_number": task.try_number,
        "error": first_line(context.get("exception")),
        "log_url": getattr(task, "log_url", None),
        "runbook": runbooks.link(runbook_of(task.dag_id)),
    }


def first_line(error: object) -> str:
    """Return the kind of an error and its first line; what stands in quotes is masked."""
    if error is None:
        return "not known: the task's process was killed, or ended without a word"
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    told = f"{type(error).__name__}: {line}" if isinstance(error, BaseException) else line
    return QUOTED.sub(MASKED, told)[:ERROR_CHARACTERS]


def runbook_of(dag_id: str) -> str:
    """Return the runbook of a DAG: one for all that are made from the forms."""
    return "returns__expect" if dag_id.startswith("returns__expect_") else dag_id


def _tell_without_outbox(details: dict[str, Any]) -> None:
    """Send the notice past an outbox that is away, as it is when the database is what failed."""
    try:
        from quarterday.notifying.channels import channels_on, send
        from quarterday.notifying.composing import compose, words_of_failure
        from quarterday.notifying.routing import load_routes
        from quarterday.settings import load_settings

        route = load_routes(load_settings())["failed"]
        message = compose("failed", words_of_failure(details))
        for channel in channels_on():
            if channel in route.channels:
                send(channel, message, route.to, (), str(details))
    except Exception as error:
        log.warning("Nor by mail or webhook: %s", first_line(error))
