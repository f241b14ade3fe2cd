"""Wakes the sweep from a task, once something was fetched."""

from __future__ import annotations

from quarterday.settings import Settings


def wake_sweep(settings: Settings, run_id: str) -> None:
    """Start a sweep of the inbox if there are connectors and a file waits; ends the task in any case.

    Airflow's own operator for this raises the same exception; its module takes most of a second to import.

    Raises:
        DagRunTriggerException: By which Airflow starts the sweep.
        AirflowSkipException: Nothing waits.
    """
    from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

    from quarterday.connecting import fetching

    if not fetching.connectors_of(settings) or not fetching.any_file_waits(settings):
        raise AirflowSkipException("Nothing in the inbox waits for a sweep.")
    raise DagRunTriggerException(
        trigger_dag_id="inbox__sweep",
        dag_run_id=f"fetched__{run_id}",
        conf=None,
        reset_dag_run=False,
        skip_when_already_exists=True,
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
    )
