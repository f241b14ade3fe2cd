"""The few questions we ask Airflow, over its REST interface."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from quarterday.errors import OperatorError

ANSWER_SECONDS = 30.0
PAGE = 100
# A role that may look at everything and start nothing.
LOOKS_ONLY = "viewer"
UNDER_WAY = ("queued", "running")
WAITING = "returns__expect_"
COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class AirflowRefused(OperatorError):
    """Airflow answered with an error; the message holds its reason."""


class AirflowDoesNotAnswer(OperatorError):
    """Nothing came back in time, or nobody listens."""


def client_of_task() -> AirflowClient:
    """Return a client that may only look, for the Airflow that this process is a task of.

    Raises:
        OperatorError: This is no task of ours, or Airflow's logins are not in a file of ours.
    """
    address = os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "")
    logins = os.environ.get("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", "")
    try:
        password = json.loads(Path(logins).read_text())[LOOKS_ONLY]
    except (OSError, ValueError, KeyError) as error:
        raise OperatorError(f"Airflow can't be asked: no login '{LOOKS_ONLY}' in {logins or 'any file'}.") from error
    return AirflowClient(address.partition("/execution")[0], LOOKS_ONLY, password)


@dataclass
class AirflowClient:
    """Speaks to one Airflow as one user. The token is fetched at the first question and again when it expires."""

    base_url: str
    username: str
    password: str = field(repr=False)
    _token: str | None = field(default=None, repr=False)

    def unhealthy_components(self) -> list[str]:
        """Return the components that are not healthy; all of them while Airflow does not answer."""
        try:
            answer = self._send("GET", "/api/v2/monitor/health", login=False)
        except OperatorError:
            return ["api_server", *COMPONENTS]
        return [name for name in COMPONENTS if (answer.get(name) or {}).get("status") != "healthy"]

    def warm_up(self) -> None:
        """Ask the interface that tasks use for its health: it is built at the first question, which takes seconds."""
        self._send("GET", "/execution/health", login=False)

    def dags(self) -> list[dict[str, Any]]:
        """Return every DAG that Airflow knows and that is not stale."""
        return self._all("/api/v2/dags", "dags", exclude_stale="true")

    def import_errors(self) -> list[dict[str, Any]]:
        """Return the DAG files that could not be imported, with ``filename`` and ``stack_trace``."""
        return self._all("/api/v2/importErrors", "import_errors")

    def trigger(self, dag_id: str, partition_key: str | None = None) -> str:
        """Start a run and return its id.

        Raises:
            AirflowRefused: There is no such DAG, or it takes no such partition.
        """
        body = {"logical_date": None, **({"partition_key": partition_key} if partition_key else {})}
        answer = self._send("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", body)
        return str(answer["dag_run_id"])

    def runs(self, since: str | None = None, states: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """Return the runs of all DAGs.

        Args:
            since: Only runs queued at this moment (ISO 8601) or later.
            states: Only runs in one of these states.
        """
        asked: dict[str, Any] = {"state": list(states)}
        if since:
            asked["run_after_gte"] = since
        return self._all("/api/v2/dags/~/dagRuns", "dag_runs", **asked)

    def busy_runs(self) -> list[dict[str, Any]]:
        """Return the runs that are queued or running, but for those that wait for a partner's return, for weeks."""
        return [run for run in self.runs(states=UNDER_WAY) if not run["dag_id"].startswith(WAITING)]

    def task_instances(self, dag_id: str = "~", run_id: str = "~") -> list[dict[str, Any]]:
        """Return the task instances of a run; of all runs when none is named."""
        path = f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='~')}/taskInstances"
        return self._all(path, "task_instances")

    def tries(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> list[dict[str, Any]]:
        """Return every try of a task of a run, each with ``try_number``, ``state`` and ``end_date``.

        Raises:
            AirflowRefused: There is no such run or task any more (404).
        """
        index = "" if map_index < 0 else f"/{map_index}"
        run = f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"
        return list(self._send("GET", f"{run}/taskInstances/{quote(task_id)}{index}/tries")["task_instances"])

    def questions(self) -> list[dict[str, Any]]:
        """Return what waits for a person's answer, each with ``subject``, ``assigned_users`` and ``task_instance``."""
        path = "/api/v2/dags/~/dagRuns/~/hitlDetails"
        return self._all(path, "hitl_details", response_received="false", state="awaiting_input")

    def answer(self, question: dict[str, Any], option: str, **given: str) -> None:
        """Answer a question as this user.

        Raises:
            AirflowRefused: The user is not one of those who are asked (403), or it was answered already (409).
        """
        asked = question["task_instance"]
        run = f"/api/v2/dags/{quote(asked['dag_id'])}/dagRuns/{quote(asked['dag_run_id'], safe='')}"
        path = f"{run}/taskInstances/{quote(asked['task_id'])}/{asked['map_index']}/hitlDetails"
        self._send("PATCH", path, {"chosen_options": [option], "params_input": given})

    def _all(self, path: str, name: str, **asked: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            query = urlencode({**asked, "limit": PAGE, "offset": len(found)}, doseq=True)
            answer = self._send("GET", f"{path}?{query}")
            found += answer[name]
            if not answer[name] or len(found) >= answer.get("total_entries", 0):
                return found

    def _send(self, method: str, path: str, body: Any = None, login: bool = True) -> dict[str, Any]:
        if login and self._token is None:
            self._log_in()
        try:
            return self._ask(method, path, body, login)
        except AirflowRefused as error:
            if not login or not str(error).startswith("401"):
                raise
            self._log_in()
            return self._ask(method, path, body, login)

    def _log_in(self) -> None:
        credentials = {"username": self.username, "password": self.password}
        self._token = str(self._ask("POST", "/auth/token", credentials, login=False)["access_token"])

    def _ask(self, method: str, path: str, body: Any, login: bool) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if login:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data=data, headers=headers, method=method)
        # No proxy: the address is on this machine, whatever the shell's proxy settings say.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise AirflowRefused(f"{error.code} from Airflow at {method} {path}: {_reason(error)}") from None
        except (OSError, ValueError) as error:
            told = f"Airflow does not answer at {self.base_url} ({error}). Run 'quarterday up'."
            raise AirflowDoesNotAnswer(told) from None


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text).get("detail", text))
    except (ValueError, AttributeError):
        return text[:500]
