"""OpenLineage events of dbt's nodes, to the collector that ``QUARTERDAY_OPENLINEAGE_URL`` names; none without it.

Airflow's provider sends those of tasks and runs by the same setting. The library reads what dbt writes of a run, so
with the setting a release writes these files, which it else leaves out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAMESPACE = "quarterday"
PRODUCER = "https://openlineage.io/producer/quarterday"
NO_FILES = "--no-write-json"
TIMEOUT_SECONDS = 5.0
log = logging.getLogger("quarterday")


def collector() -> str | None:
    """Return the collector's address; None where events go nowhere."""
    return os.environ.get("QUARTERDAY_OPENLINEAGE_URL") or None


def airflow_variables() -> dict[str, str]:
    """Return the settings of Airflow's OpenLineage provider: it is off without a collector, whatever the shell says."""
    url = collector()
    if url is None:
        return {"AIRFLOW__OPENLINEAGE__DISABLED": "True"}
    import json

    return {
        "AIRFLOW__OPENLINEAGE__DISABLED": "False",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(_transport(url)),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": NAMESPACE,
        # Code is in the repository; a collector may be anybody's.
        "AIRFLOW__OPENLINEAGE__DISABLE_SOURCE_CODE": "True",
    }


def with_files(arguments: Sequence[str]) -> list[str]:
    """Return dbt's arguments; with a collector without the one that keeps dbt from writing of its run."""
    return [word for word in arguments if word != NO_FILES or collector() is None]


def tell_dbt_run(command: Sequence[str], project: Path, target: Path) -> int:
    """Send an event for the start and the end of each model and test of the dbt run whose files are in ``target``.

    What can't be sent is logged and fails nothing.

    Returns:
        How many events were sent; 0 without a collector.
    """
    url = collector()
    if url is None:
        return 0
    try:
        return _send(url, command, project, target)
    except Exception as error:
        log.warning("OpenLineage events could not be sent to %s: %s: %s", url, type(error).__name__, error)
        return 0


def _send(url: str, command: Sequence[str], project: Path, target: Path) -> int:
    from openlineage.client import OpenLineageClient
    from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor

    processor = DbtLocalArtifactProcessor(
        producer=PRODUCER,
        job_namespace=NAMESPACE,
        project_dir=str(project),
        target_path=str(target),
        dbt_command_line=["dbt", *command],
        skip_errors=True,
    )
    processor.should_raise_on_unsupported_command = False
    client = OpenLineageClient(config={"transport": _transport(url)})
    events: list[Any] = processor.parse().events()
    for event in events:
        client.emit(event)
    return len(events)


def _transport(url: str) -> dict[str, Any]:
    return {"type": "http", "url": url, "timeout": TIMEOUT_SECONDS, "retry": {"total": 1}}
