"""Finds work that lost its wake-up and records that lost their end, and mends both."""

from __future__ import annotations

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from quarterday.orchestration import RETURN_LOADED, RETURN_RECEIVED, SIGN_OFF_WANTED, TASK_DEFAULTS, doc_md, upkeep_at

with DAG(
    dag_id="ledger__reconcile",
    description="Wake what is unfinished and has been forgotten, and close the records of killed tasks",
    schedule=upkeep_at("40 5 * * *"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["upkeep"],
    doc_md=doc_md(
        "ledger__reconcile",
        "Holds the ledger against what Airflow has under way. Wakes `returns__load` for returns without a verdict,"
        " `quarter__release` for what is admitted and not released, and `returns__sign_off` for questions that nobody"
        " was asked; writes receipts that a crash kept back; closes records of tasks that were killed; notes returns"
        " that are late and that no deadline told of. The log of `find_lost` says what it found.",
        "The database was away, or Airflow did not answer. Nothing is lost by it: the next run finds the same.",
        "Yes, at any time. What is under way or in the queue is left alone, and what is woken twice has nothing to do.",
    ),
):

    @task
    def find_lost() -> dict[str, list[str]]:
        """Return the partition keys to wake, by DAG; and log what is kept back and why."""
        from quarterday import recovering
        from quarterday.settings import load_settings

        return recovering.keys_to_wake(load_settings())

    @task(outlets=[RETURN_RECEIVED])
    def wake_loads(lost: dict[str, list[str]], outlet_events=None) -> None:
        """Wake the loads of returns without a verdict."""
        outlet_events[RETURN_RECEIVED].add_partitions(_keys(lost, "returns__load"))

    @task(outlets=[RETURN_LOADED])
    def wake_releases(lost: dict[str, list[str]], outlet_events=None) -> None:
        """Wake a release of what is admitted."""
        outlet_events[RETURN_LOADED].add_partitions(_keys(lost, "quarter__release"))

    @task(outlets=[SIGN_OFF_WANTED])
    def wake_sign_offs(lost: dict[str, list[str]], outlet_events=None) -> None:
        """Have named persons asked about returns of which nobody was asked."""
        outlet_events[SIGN_OFF_WANTED].add_partitions(_keys(lost, "returns__sign_off"))

    @task
    def write_receipts() -> list[int]:
        """Write the receipts that are missing; returns their loads."""
        from quarterday import recovering
        from quarterday.settings import load_settings

        return recovering.write_lost_receipts(load_settings())

    @task
    def close_records() -> list[str]:
        """Close the records of tasks that were killed; returns a line for each."""
        from quarterday import recovering
        from quarterday.settings import load_settings

        return recovering.close_lost_records(load_settings())

    @task
    def note_late_returns() -> list[str]:
        """Have told of late returns whose deadline woke nobody, as when nothing ran while it passed; returns causes."""
        from quarterday.notifying.lateness import note_lateness
        from quarterday.settings import load_settings

        return note_lateness(load_settings())

    @task
    def count_unsent() -> int:
        """Return how many notices wait to be sent for over an hour."""
        from quarterday import recovering
        from quarterday.settings import load_settings

        return recovering.count_unsent(load_settings())

    def _keys(lost: dict[str, list[str]], dag_id: str) -> list[str]:
        if not lost.get(dag_id):
            raise AirflowSkipException(f"Nothing of {dag_id} is lost.")
        return lost[dag_id]

    found = find_lost()
    wake_loads(found)
    wake_releases(found)
    wake_sign_offs(found)
    write_receipts()
    close_records()
    note_late_returns()
    count_unsent()
