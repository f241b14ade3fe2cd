"""Waits for a named person's decision on a return that restates what was published."""

from __future__ import annotations

from airflow.sdk import DAG, PartitionedAssetTimetable

from quarterday.approving import SignOffOperator
from quarterday.orchestration import RETURN_LOADED, SIGN_OFF_WANTED, TASK_DEFAULTS, doc_md
from quarterday.partitions import HeldLoadMapper

with DAG(
    dag_id="returns__sign_off",
    description="Ask a named person about a return that restates",
    schedule=PartitionedAssetTimetable(assets=SIGN_OFF_WANTED, default_partition_mapper=HeldLoadMapper()),
    catchup=False,
    max_active_runs=64,
    default_args=TASK_DEFAULTS,
    tags=["release"],
    doc_md=doc_md(
        "returns__sign_off",
        "One run per held return (partition key `victim_gateway|2017-18-Q3|76`, the last being the load). Shows what"
        " the return would change of what readers see, and waits, without a worker, for one of the people whom"
        " `returns/sign_off_rules.csv` names: Browse, Required Actions. The decision goes into the ledger with its"
        " reason, and wakes `quarter__release`. Other releases go on meanwhile.",
        "The answer could not be kept: the load was withdrawn or decided on otherwise meanwhile, or the database was"
        " away. The log says which. Nothing was published.",
        "Yes. The question is asked again as the changes stand then; a load that waits for nobody is skipped.",
    ),
):
    SignOffOperator(task_id="sign_off", outlets=[RETURN_LOADED])
