"""What the scheduler imports once, so that no task has to: its workers and their tasks are forks of it."""

from __future__ import annotations

import contextlib
import importlib
import sys

# Third parties' modules only: our own may change while the scheduler runs, and tasks import them fresh.
HEAVY_MODULES = (
    "great_expectations",
    "great_expectations.expectations",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "pandas",
    "openpyxl",
    "psycopg2.extras",
    "python_calamine",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.sdk.definitions.retry_policy",
)


def preload_in_scheduler(arguments: list[str] | None = None) -> bool:
    """Import the heavy modules if this process is Airflow's scheduler; return whether it is."""
    words = sys.argv if arguments is None else arguments
    if words[1:2] != ["scheduler"]:
        return False
    for name in HEAVY_MODULES:
        # A missing module must not keep the scheduler down: the task that needs it will say so.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    return True
