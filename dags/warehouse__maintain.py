"""Keeps the warehouse in shape, its archive verified and its backups proven."""

from __future__ import annotations

from airflow.sdk import DAG, task

from quarterday.orchestration import TASK_DEFAULTS, doc_md, upkeep_at

with DAG(
    dag_id="warehouse__maintain",
    description="Vacuum and analyse, verify the archive by hash, make a backup and prove it",
    schedule=upkeep_at("20 3 * * 0"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["upkeep"],
    doc_md=doc_md(
        "warehouse__maintain",
        "Vacuums and analyses what has changed. Reads every file of the archive and compares its SHA-256 with the"
        " ledger's. Backs the warehouse up with pg_dump, restores the backup into a scratch database, compares the"
        " checksums of every mart, history and ledger relation, and keeps the newest backups.",
        "`verify_archive`: a file is missing or damaged; the log names it and says what to do. `back_up`: no backup was"
        " made, or it did not prove right and was deleted; the former ones are kept. Readers notice neither.",
        "Yes, at any time; readers, loads and releases go on. Deploying new marts waits while a backup is made.",
    ),
):

    @task
    def vacuum_and_analyse() -> list[str]:
        """Vacuum and analyse what has changed; returns the tables."""
        from quarterday import maintaining
        from quarterday.settings import load_settings

        return maintaining.maintain(load_settings())

    @task
    def verify_archive() -> int:
        """Compare every archived file with its hash; returns how many there are."""
        from quarterday import verifying
        from quarterday.settings import load_settings

        return verifying.verify_archive(load_settings())

    @task
    def back_up() -> str:
        """Make a backup, prove it by restoring it, delete old ones; returns its file."""
        from quarterday import backing_up
        from quarterday.settings import load_settings

        return str(backing_up.back_up_and_prove(load_settings())[0].path)

    vacuum_and_analyse() >> back_up()
    verify_archive()
