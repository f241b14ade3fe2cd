"""Every DAG says who owns it, what a failure means and whether it may be run again, and its file only wires."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))
HEAVY = {"pandas", "great_expectations", "dbt", "psycopg2", "sqlalchemy", "python_calamine", "openpyxl"}
PARSE_SECONDS = 0.3


def test_every_file_holds_the_dag_of_its_name_or_one_for_each_form(dags: dict[str, Any]) -> None:
    for name, dag in dags.items():
        stem = Path(dag.fileloc).stem
        assert name == stem or name.startswith(f"{stem}_"), name
    assert {Path(dag.fileloc) for dag in dags.values()} == set(FILES)


def test_every_dag_has_owner_tags_and_a_page(dags: dict[str, Any]) -> None:
    from quarterday.orchestration import OWNER, TAGS

    for name, dag in dags.items():
        assert dag.tags and set(dag.tags) <= TAGS, name
        assert {task.owner for task in dag.tasks} == {OWNER}, name
        runbook = f"docs/runbooks/{Path(dag.fileloc).stem}.md"
        assert (DAGS.parent / runbook).is_file(), runbook
        for heading in ("**Owner:**", "**If it fails:**", "**May it be run again?**", runbook):
            assert heading in dag.doc_md, f"{name}: {heading}"


def test_every_task_is_retried_only_for_what_can_pass_the_second_time(dags: dict[str, Any]) -> None:
    import psycopg2
    from airflow.sdk import RetryAction

    for dag in dags.values():
        for task in dag.tasks:
            assert task.retries >= 1, f"{task}: a killed worker is noticed only where a retry is left"
            decide = task.retry_policy.evaluate
            assert decide(psycopg2.OperationalError("away"), 1, 3).action is RetryAction.RETRY
            assert decide(ValueError("a fault of ours"), 1, 3).action is RetryAction.FAIL


def test_every_dag_runs_without_catching_up(dags: dict[str, Any]) -> None:
    assert not any(dag.catchup for dag in dags.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_imports_nothing_heavy_when_parsed(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name or "").split(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not imported & HEAVY


PARSE = """
import runpy, sys, time, airflow.sdk, airflow.plugins_manager
import psycopg2  # Airflow's retry rules import the exceptions that they name
airflow.plugins_manager.get_timetables_plugins()
SEEN = ("socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen", "os.system", "os.fork")
asked = []
sys.addaudithook(lambda event, words: asked.append(event) if event in SEEN else None)
for path in sys.argv[1:]:
    before, start = set(sys.modules), time.process_time()
    asked.clear()
    runpy.run_path(path)
    seconds = time.process_time() - start
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    print("read", path, seconds, ",".join(sorted(new)) or "-", ",".join(asked) or "-")
"""


@dataclass(frozen=True)
class Reading:
    """What reading a DAG file took: processor seconds, packages imported, and what was asked of the world outside."""

    seconds: float
    packages: frozenset[str]
    asked: str


@pytest.fixture(scope="module")
def readings() -> dict[str, Reading]:
    """Each file, read in a process that has Airflow and its plugins; what those import is Airflow's own affair."""
    return _read_files()


def test_files_parse_fast_once_airflow_and_its_plugins_are_imported(readings: dict[str, Reading]) -> None:
    """At most three times: a busy machine makes one slow, a heavy import makes all slow."""
    best = {name: reading.seconds for name, reading in readings.items()}
    for _ in range(2):
        if max(best.values()) < PARSE_SECONDS:
            break
        best = {name: min(best[name], reading.seconds) for name, reading in _read_files().items()}
    assert max(best.values()) < PARSE_SECONDS, best


def test_reading_a_file_imports_nothing_heavy_and_asks_nobody(readings: dict[str, Reading]) -> None:
    assert set(readings) == {str(path) for path in FILES}
    for name, reading in readings.items():
        assert not reading.packages & HEAVY, f"{name}: {sorted(reading.packages & HEAVY)}"
        assert reading.asked == "-", f"{name}: {reading.asked}"


def test_a_dag_that_keeps_to_no_rule_is_refused_with_all_that_is_wrong(dags: dict[str, Any]) -> None:
    from airflow.exceptions import AirflowClusterPolicyViolation
    from airflow.sdk import DAG, task

    from quarterday.policies import dag_policy
    from quarterday.services import LOCAL_SETTINGS

    for dag in dags.values():
        dag_policy(dag)
    with DAG("anything", tags=["misc"], doc_md="nothing") as wrong:
        task(task_id="any", retries=0, owner="somebody")(lambda: None)()
    with pytest.raises(AirflowClusterPolicyViolation) as told:
        dag_policy(wrong)
    for word in ("anything", "tags:", "misc", "doc_md:", "owner:", "somebody", "retries:"):
        assert word in str(told.value)
    assert '__all__ = ["dag_policy"]' in LOCAL_SETTINGS


def _read_files() -> dict[str, Reading]:
    arguments = [sys.executable, "-c", PARSE, *map(str, FILES)]
    output = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in output.splitlines() if line.startswith("read ")]
    return {
        name: Reading(float(seconds), frozenset(packages.split(",")), asked)
        for _, name, seconds, packages, asked in lines
    }


@pytest.mark.parametrize("name", ["ledger__reconcile", "warehouse__maintain"])
def test_upkeep_waits_for_its_hour_on_a_new_installation(name: str, dags: dict[str, Any]) -> None:
    """Though its hour was a minute ago: with a start date, or none and a loose schedule, Airflow runs it at once."""
    from unittest.mock import patch

    import pendulum
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    dag = DagSerialization.from_dict(DagSerialization.to_dict(dags[name]))
    a_minute_after = dag.timetable._align_to_prev(pendulum.now("UTC")).add(minutes=1)
    with patch("airflow.timetables.trigger.utcnow", return_value=a_minute_after):
        found = dag.timetable.next_dagrun_info(
            last_automated_data_interval=None, restriction=TimeRestriction(dag.start_date, None, catchup=False)
        )
    assert found is not None and found.run_after > a_minute_after
