"""What every DAG has to say of itself, held by Airflow when it reads a file: one that does not is never scheduled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PARTS_OF_PAGE = ("**Owner:**", "**If it fails:**", "**May it be run again?**", "Runbook:")


def dag_policy(dag: Any) -> None:
    """Refuse a DAG that does not keep to the rules. Airflow calls it for each; its file is shown as one that failed.

    Raises:
        AirflowClusterPolicyViolation: All that is wrong with it.
    """
    faults = list(faults_of(dag))
    if faults:
        from airflow.exceptions import AirflowClusterPolicyViolation

        told = "\n".join(f"  {fault}" for fault in faults)
        raise AirflowClusterPolicyViolation(
            f"DAG {dag.dag_id} in {dag.fileloc} is not scheduled.\n{told}\n"
            "quarterday.orchestration has owner, tags, retries and the page: see any file in dags/."
        )


def faults_of(dag: Any) -> Iterator[str]:
    """Yield what is wrong with a DAG's tags, page, owners and retries."""
    from quarterday.orchestration import OWNER, TAGS

    if not dag.tags or set(dag.tags) - TAGS:
        yield f"tags: expected some of {', '.join(sorted(TAGS))}; found {', '.join(sorted(dag.tags)) or 'none'}."
    missing = [part for part in PARTS_OF_PAGE if part not in (dag.doc_md or "")]
    if missing:
        yield f"doc_md: expected a page by doc_md(), with {', '.join(missing)}."
    for task in dag.tasks:
        if task.owner != OWNER:
            yield f"task {task.task_id}, owner: expected {OWNER}; found {task.owner}."
        if not task.retries:
            yield f"task {task.task_id}, retries: expected 1 or more, for a worker may be killed; found none."
