"""Registers and archives what partners left in the inbox, and wakes the loads."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from quarterday.orchestration import RETURN_RECEIVED, TASK_DEFAULTS, doc_md

with DAG(
    dag_id="inbox__sweep",
    description="Register and archive new files in the inbox, and wake the loads",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["inbox"],
    doc_md=doc_md(
        "inbox__sweep",
        "Looks into every partner's inbox folder, keeps each file in the archive under its SHA-256, registers it in the"
        " ledger and wakes `returns__load` for its form and quarter. Unfinished work is woken again.",
        "A file could not be read, archived or registered because of a fault of ours (disk, database). Nothing is lost:"
        " what is not in the ledger is in the inbox or set aside in `archive/.taking`, and each sweep looks in both."
        " Mend the cause in the log.",
        "Yes, at any time. A file is known by its content and is registered once.",
    ),
):

    @task(outlets=[RETURN_RECEIVED])
    def register_files(outlet_events=None, run_id=None) -> dict[str, str]:
        """Emit a partition key, ``form|quarter``, for each return with work to do; returns what could not be taken."""
        from quarterday import inbox
        from quarterday.settings import load_settings

        swept = inbox.sweep(load_settings(), run_id)
        if not swept.keys and not swept.failures:
            raise AirflowSkipException("Nothing new in the inbox, and nothing unfinished in the ledger.")
        if swept.keys:
            outlet_events[RETURN_RECEIVED].add_partitions(swept.keys)
        return swept.failures

    @task
    def refuse_silence(failures: dict[str, str]) -> None:
        """Fail where a file could not be taken: the others are on their way, and this one must not go unseen."""
        from quarterday import inbox

        inbox.raise_failures(failures)

    refuse_silence(register_files())
