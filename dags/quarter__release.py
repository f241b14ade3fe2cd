"""Builds, checks and publishes whatever has been admitted and not yet released."""

from __future__ import annotations

from airflow.sdk import DAG, PartitionedAssetTimetable, task

from quarterday.orchestration import RETURN_LOADED, SIGN_OFF_WANTED, TASK_DEFAULTS, doc_md
from quarterday.partitions import QuarterOfFormMapper, quarter_start

with DAG(
    dag_id="quarter__release",
    description="Build, check and publish the admitted returns",
    schedule=PartitionedAssetTimetable(assets=RETURN_LOADED, default_partition_mapper=QuarterOfFormMapper()),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["release"],
    doc_md=doc_md(
        "quarter__release",
        "One run per quarter, woken by any return of that quarter. Builds every admitted and unreleased return into"
        " `core` with one dbt build, checks the facts against what was admitted, and publishes them in one transaction."
        " Readers of `mart` see the former release until that moment and the new one after it. A return that restates"
        " what a rule asks about is held, and `returns__sign_off` waits for its approval; the others go on.",
        "The build, a dbt test or a check on the facts failed. Nothing was published; the last release stays readable."
        " The failing nodes and checks are named in the log and in `ledger.dbt_run`.",
        "Yes. A release that is published is left alone; one that was cut off is taken up where its loads stand.",
    ),
):

    @task.short_circuit(outlets=[SIGN_OFF_WANTED])
    def find_admitted(partition_key=None, run_id=None, outlet_events=None) -> int | None:
        """Open a release for what is admitted and unreleased; without any, the run ends here."""
        from quarterday import releasing
        from quarterday.restating import signing_off
        from quarterday.settings import load_settings

        quarter_start(partition_key or "")
        # Returns that are arriving ask for the release themselves, once they have their verdict.
        release = releasing.begin(load_settings(), run_id, wait_for_arriving=True)
        outlet_events[SIGN_OFF_WANTED].add_partitions(signing_off.keys_to_ask(load_settings()))
        return release

    @task
    def build_facts(release_id: int) -> int:
        """Build the release into ``core`` with dbt and run its tests."""
        from quarterday import releasing
        from quarterday.settings import load_settings

        return releasing.build_facts(release_id, load_settings())

    @task
    def check_facts(release_id: int) -> int:
        """Check with Great Expectations that the facts are what was admitted."""
        from quarterday import releasing
        from quarterday.settings import load_settings

        return releasing.check_facts(release_id, load_settings())

    @task
    def publish_release(release_id: int) -> int:
        """Publish in one transaction; returns the number of publication rows written."""
        from quarterday import releasing
        from quarterday.settings import load_settings

        return releasing.publish(release_id, load_settings())

    release = find_admitted()
    build_facts(release) >> check_facts(release) >> publish_release(release)
