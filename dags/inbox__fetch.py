"""Brings files from where partners leave them into their inbox folders, and wakes the sweep."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, task

from quarterday.connecting.connectors import names_any_place
from quarterday.orchestration import TASK_DEFAULTS, doc_md
from quarterday.settings import load_settings

with DAG(
    dag_id="inbox__fetch",
    description="Fetch files from folders, SFTP, S3, Azure Blob and HTTPS into the inbox",
    # Without a place to fetch from nothing runs; Airflow reads this again within a minute of a place being named.
    schedule="*/15 * * * *" if names_any_place(load_settings().connectors) else None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["inbox"],
    doc_md=doc_md(
        "inbox__fetch",
        "One task per line of `returns/connectors.csv`. Each brings the files that its place has and the inbox has not"
        " had into the partner's inbox folder, whole or not at all, and moves or deletes, where the line says so, what"
        " the archive has. Then `inbox__sweep` is woken.",
        "A place could not be reached, refused the login, or a file of it could not be read. The log names connector,"
        " host and path, never a secret. Nothing is lost: what was not fetched is still there. The other connectors"
        " have gone on.",
        "Yes, at any time. Each version of a file is fetched once, and the sweep knows bytes that come twice.",
    ),
) as dag:

    @task
    def list_connectors() -> list[str]:
        """Read which connectors there are; without any, the run ends here."""
        from airflow.sdk.exceptions import AirflowSkipException

        from quarterday.connecting import fetching

        names = list(fetching.connectors_of(load_settings()))
        if not names:
            raise AirflowSkipException("returns/connectors.csv names no place to fetch from.")
        return names

    @task(execution_timeout=timedelta(minutes=30), max_active_tis_per_dagrun=4)
    def fetch_files(connector: str) -> list[str]:
        """Fetch by one connector; returns the inbox paths of what came."""
        from quarterday.connecting import fetching

        return fetching.fetch(connector, load_settings()).brought

    @task
    def wake_sweep(run_id=None) -> None:
        """Start a sweep of the inbox if something came."""
        from quarterday import waking

        waking.wake_sweep(load_settings(), run_id)

    # A teardown: it comes after the fetches, whatever became of them, and hides none that failed.
    fetch_files.expand(connector=list_connectors()) >> wake_sweep().as_teardown()
