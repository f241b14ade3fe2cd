"""Takes in the returns of one form and quarter: land, check, verdict, receipt."""

from __future__ import annotations

from airflow.sdk import DAG, PartitionedAssetTimetable, task

from quarterday.orchestration import RETURN_LOADED, RETURN_RECEIVED, TASK_DEFAULTS, doc_md
from quarterday.partitions import FormQuarterMapper, split_key

with DAG(
    dag_id="returns__load",
    description="Land and check the returns of one form and quarter",
    schedule=PartitionedAssetTimetable(assets=RETURN_RECEIVED, default_partition_mapper=FormQuarterMapper()),
    catchup=False,
    max_active_runs=2,
    default_args=TASK_DEFAULTS,
    tags=["returns"],
    doc_md=doc_md(
        "returns__load",
        "One run per form and quarter (partition key `victim_gateway|2017-18-Q3`). Lands every return of that form and"
        " quarter that has no verdict yet, checks it with Great Expectations, writes verdict, line issues and the"
        " partner's receipt to the ledger, and wakes `quarter__release`.",
        "It is our fault, never the partner's: a bad return gets a verdict and a receipt, and the run is green. Mend"
        " the cause in the log and clear the failed task; what was half written is written anew.",
        "Yes. A return that has its verdict is left alone, so a second run changes nothing.",
    ),
):

    @task
    def land_return(partition_key=None, run_id=None) -> list[int]:
        """Write the lines of each return as sent; returns the ids of the loads landed."""
        from quarterday import loading
        from quarterday.settings import load_settings

        return loading.land_pending(*split_key(partition_key), load_settings(), run_id)

    @task(outlets=[RETURN_LOADED])
    def check_return(partition_key=None, run_id=None) -> dict[str, str]:
        """Judge each landed return; returns the verdict per load id."""
        from quarterday import loading
        from quarterday.settings import load_settings

        return loading.judge_pending(*split_key(partition_key), load_settings(), run_id)

    land_return() >> check_return()
