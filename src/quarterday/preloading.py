"""What the scheduler does once for its tasks, its forks: import what is heavy, and make them yield to it."""

from __future__ import annotations

import contextlib
import importlib
import os
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


# A task that waits for the processor is late once; a scheduler that waits makes every task late.
TASK_NICENESS = 10


def preload_in_scheduler(arguments: list[str] | None = None) -> bool:
    """Prepare for tasks if this process is Airflow's scheduler; return whether it is."""
    words = sys.argv if arguments is None else arguments
    if words[1:2] != ["scheduler"]:
        return False
    for name in HEAVY_MODULES:
        # A missing module must not keep the scheduler down: the task that needs it will say so.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    os.register_at_fork(after_in_child=_Forks(os.getpid()).yield_in_tasks)
    return True


class _Forks:
    """Knows how far down from the scheduler a process is: its children are workers, whose children are the tasks."""

    def __init__(self, scheduler: int) -> None:
        self._scheduler = scheduler

    def yield_in_tasks(self) -> None:
        """Lower the priority of a task's process. Its worker keeps the scheduler's: it reports for the task."""
        if os.getppid() != self._scheduler and os.nice(0) < TASK_NICENESS:
            os.nice(TASK_NICENESS - os.nice(0))
