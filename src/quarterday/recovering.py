"""What was lost on the way: events that woke nobody, receipts not written, records of tasks that were killed.

Safe at any time: what Airflow has under way or in its queue is left alone, and what is woken twice finds nothing to do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quarterday.airflow_client import UNDER_WAY, AirflowClient, AirflowRefused, client_of_task
from quarterday.errors import OperatorError
from quarterday.receipts import write_missing
from quarterday.recording.task_runs import TaskTry, open_tries, record_end
from quarterday.restating import signing_off
from quarterday.settings import Settings
from quarterday.unfinished import standing_still, unfinished_keys
from quarterday.warehouse import connect

log = logging.getLogger(__name__)
LOADS, RELEASES, SIGN_OFFS = "returns__load", "quarter__release", "returns__sign_off"
WAKES = (LOADS, RELEASES, SIGN_OFFS)
# What Airflow says of a try, in the words of ledger.task_run. Of any other state the try is not over.
ENDS = {
    "success": "success",
    "failed": "failed",
    "upstream_failed": "failed",
    "removed": "failed",
    "skipped": "skipped",
    "up_for_retry": "up_for_retry",
}
KILLED = "ended without a word of its own, as when it is killed; closed by ledger__reconcile as Airflow has it"
# Younger records may be of a task that has just ended and is still writing.
SETTLED = "1 minute"
UNSENT = "1 hour"


@dataclass(frozen=True)
class Lost:
    """The partition keys to wake, by DAG; and why some are not woken."""

    to_wake: dict[str, list[str]] = field(default_factory=dict)
    kept_back: dict[str, str] = field(default_factory=dict)


def keys_to_wake(settings: Settings) -> dict[str, list[str]]:
    """Return the partition keys to wake, by DAG, and log them and what is kept back."""
    lost = find_lost(settings)
    for dag_id, keys in lost.to_wake.items():
        log.info("%s is woken for %s lost keys: %s", dag_id, len(keys), ", ".join(keys))
    for name, why in lost.kept_back.items():
        log.warning("%s %s", name, why)
    return lost.to_wake


def find_lost(settings: Settings, asked: AirflowClient | None = None) -> Lost:
    """Return what the ledger has begun and nobody has in hand: keys to load, to release, and to ask about.

    Where Airflow can't be asked, a key counts as lost by the rule of the inbox's sweep: nothing moves, or it has waited
    for too long. A DAG that is paused is woken in vain, so its keys are kept back and named.

    Args:
        settings: Whose warehouse.
        asked: Whom to ask what is under way; by default the Airflow that this process is a task of.
    """
    try:
        asked = asked or client_of_task()
        busy, paused = _under_way(asked), _paused(asked)
    except OperatorError as error:
        with connect(settings, "loader") as connection:
            keys = unfinished_keys(connection)
        return Lost({LOADS: keys} if keys else {}, {"Airflow": f"could not be asked what is under way: {error}"})
    wanted = _wanted(settings, busy)
    kept = {
        dag_id: f"is paused: {len(keys)} to wake once it is unpaused, by the next run of this or of inbox__sweep"
        for dag_id, keys in wanted.items()
        if dag_id in paused
    }
    return Lost({dag_id: keys for dag_id, keys in wanted.items() if dag_id not in paused}, kept)


def write_lost_receipts(settings: Settings) -> list[int]:
    """Write the receipts that a crash kept from being written after the verdict; return their loads."""
    with connect(settings, "loader") as connection:
        return write_missing(connection, settings.receipts)


def count_unsent(settings: Settings) -> int:
    """Return how many notices wait to be sent for over an hour, though somebody is to be told."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(
            f"""select count(*) from ledger.notice
            where sent_at is null and created_at < clock_timestamp() - interval '{UNSENT}'
                and created_at > (select sending_since - interval '1 day' from ledger.notifying)"""
        )
        (count,) = cursor.fetchone() or (0,)
        return int(count)


def close_lost_records(settings: Settings, asked: AirflowClient | None = None) -> list[str]:
    """Close the records of tasks that were killed, as Airflow says they ended; return a line for each.

    Raises:
        OperatorError: Airflow does not answer.
    """
    asked = asked or client_of_task()
    closed = []
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        for one in open_tries(cursor, SETTLED):
            end = _end_of(one, asked)
            if end is None:
                continue
            state, ended_at, message = end
            record_end(one, state, cursor, message=message, ended_at=ended_at)
            closed.append(f"{one.dag_id} {one.task_id}, try {one.try_number} of {one.run_id}: {state}")
    return closed


def _wanted(settings: Settings, busy: dict[str, set[str]]) -> dict[str, list[str]]:
    with connect(settings, "loader") as connection:
        unfinished = standing_still(connection)
    to_load = {one.key for one in unfinished if one.is_to_load} - busy[LOADS]
    # One is enough: a release takes in all that are admitted. One in the queue takes them in anyway.
    admitted = [one.key for one in unfinished if not one.is_to_load and one.state != "held"]
    to_release = set(admitted[:1]) if not busy[RELEASES] else set()
    to_ask = set(signing_off.keys_to_ask(settings)) - busy[SIGN_OFFS]
    found = {LOADS: sorted(to_load), RELEASES: sorted(to_release), SIGN_OFFS: sorted(to_ask)}
    return {dag_id: keys for dag_id, keys in found.items() if keys}


def _under_way(asked: AirflowClient) -> dict[str, set[str]]:
    """Return the keys that a run has in hand or in the queue; of releases only the queue: one under way has begun."""
    busy: dict[str, set[str]] = {dag_id: set() for dag_id in WAKES}
    for run in asked.runs(states=UNDER_WAY):
        if run["dag_id"] in busy and (run["dag_id"] != RELEASES or run["state"] == "queued"):
            busy[run["dag_id"]].add(run["partition_key"] or "")
    return busy


def _paused(asked: AirflowClient) -> set[str]:
    return {dag["dag_id"] for dag in asked.dags() if dag["is_paused"]}


def _end_of(one: TaskTry, asked: AirflowClient) -> tuple[str, datetime | None, str] | None:
    """Return state, moment and message of a try that is over; None while Airflow has it as under way or waiting."""
    name, _, index = one.task_id.removesuffix("]").partition("[")
    try:
        tries = {told["try_number"]: told for told in asked.tries(one.dag_id, one.run_id, name, int(index or -1))}
    except AirflowRefused as error:
        if not str(error).startswith("404"):
            raise
        return "failed", None, "Airflow does not know this run any more; closed by ledger__reconcile"
    told: dict[str, Any] = tries.get(one.try_number, {})
    state = ENDS.get(str(told.get("state")))
    is_tried_again = max(tries, default=0) > one.try_number
    if state is None and not is_tried_again:
        return None
    if is_tried_again and state in (None, "failed"):
        state = "up_for_retry"
    ended_at = datetime.fromisoformat(told["end_date"]) if told.get("end_date") else None
    return str(state), ended_at, KILLED
