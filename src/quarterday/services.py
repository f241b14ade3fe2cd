"""Everything that runs: the database server and Airflow's four services, brought up and down as one."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg2 import sql

from quarterday import server
from quarterday.airflow_client import AirflowClient, AirflowDoesNotAnswer
from quarterday.errors import OperatorError
from quarterday.recording.lineage import airflow_variables
from quarterday.recording.watching import statsd_address
from quarterday.settings import Settings, notify_variables, secret, server_address
from quarterday.supervising import (
    PATIENCE_SECONDS,
    Service,
    find_service,
    only_one,
    service_processes,
    start_service,
    stop_services,
)

SERVICES = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "api-server": ("api-server", "--host", "127.0.0.1", "--workers", "1"),
}
# Everything that Quarterday makes in its home; the Makefile's clean names the same.
STATE_FOLDERS = {"airflow", "archive", "backups", "correction_notes", "dbt", "inbox", "logs"}
STATE_FOLDERS |= {"postgres", "postgres.new", "receipts", "run", "secrets", "superset"}
STATE = STATE_FOLDERS | {"runtime.json", "server.url"}
# What a service writes is its owner's alone.
UMASK = 0o077
USERS = {"admin": "admin", "operator": "op", "approver": "op", "viewer": "viewer"}
METADATA_ROLE = "quarterday_airflow"
# More than run at a time: measured, tasks wait a second to start with 4 workers and a tenth with 8, likely because a
# worker is held until its last task's process has gone (docs/measurements.md).
PARALLELISM = 8
READY_SECONDS = 180.0
API_PATIENCE_SECONDS = 1.0
# Airflow reads its logs from the folder it shares with the web server, so no service has to listen for them.
LOCAL_SETTINGS = '''"""Read by Airflow in each of its processes. Written by Quarterday at every start."""

from quarterday.policies import dag_policy
from quarterday.preloading import preload_in_scheduler

__all__ = ["dag_policy"]
preload_in_scheduler()
'''

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Running:
    """What is up, and which of it was started just now."""

    database_was_started: bool
    services_started: tuple[str, ...]
    seconds: float


def up(settings: Settings, tell: Tell = lambda step: None) -> Running:
    """Bring up the database, its schema and Airflow, and wait until every part is healthy. Safe to repeat.

    Args:
        tell: Called with a few words as each step begins.

    Raises:
        OperatorError: A part did not come up; the message names its log.
    """
    began = time.monotonic()
    make_folders(settings)
    with _lock(settings):
        database_was_started = not settings.server_url and not server.is_running(settings)
        tell("starting PostgreSQL")
        server.start(settings)
        started = _up_airflow(settings, tell)
    return Running(database_was_started, started, time.monotonic() - began)


def prepare(settings: Settings) -> None:
    """Bring warehouse, marts and Airflow's database up to the code and start nothing: what a container does first.

    Raises:
        OperatorError: The server can't be used, or a migration failed; the message names its log.
    """
    from quarterday import releasing

    make_folders(settings)
    with _lock(settings):
        server.start(settings)
        server.free_port(settings, "airflow_port")
        _write_local_settings(settings)
        _migrate_warehouse(settings)
        _migrate_airflow(settings)
        releasing.deploy_marts(settings)


def make_folders(settings: Settings) -> None:
    """Make what is missing of the home, and close it to other users: partners' data and logins lie there.

    A home that holds other things too stays as open as it is; what is ours in it is closed. A folder that is named
    elsewhere, such as an inbox into which another user uploads, keeps its own mode.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    folders = [settings.inbox, settings.archive, settings.receipts, settings.secrets]
    folders += [settings.home / name for name in ("airflow", "dbt", "logs", "run")]
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ours = [folder for folder in folders if folder.parent == settings.home]
    if {entry.name for entry in settings.home.iterdir()} <= STATE:
        ours.append(settings.home)
    for folder in ours:
        folder.chmod(0o700)


def down(settings: Settings) -> list[str]:
    """Stop Airflow's services and the embedded server; return the names of what was running."""
    with _lock(settings):
        (run_folder(settings) / "stay").unlink(missing_ok=True)
        workers = [name for name in SERVICES if name != "api-server"]
        stopped = stop_services(run_folder(settings), workers, PATIENCE_SECONDS)
        # Last, because a task that ends reports to it; quickly, because it then has nothing left to do.
        stopped += stop_services(run_folder(settings), ["api-server"], API_PATIENCE_SECONDS)
        if server.stop(settings):
            stopped.append("postgres")
    return stopped


def is_to_stay(settings: Settings) -> bool:
    """Return whether somebody brought the services up to stay, so that a demo leaves them running."""
    return (run_folder(settings) / "stay").exists()


def keep_up(settings: Settings) -> None:
    """Note that the services are to stay up until ``down``."""
    (run_folder(settings) / "stay").touch()


def status(settings: Settings) -> dict[str, bool]:
    """Return for the database and each service whether it runs."""
    found = {name: find_service(run_folder(settings), name) is not None for name in SERVICES}
    return {"postgres": bool(settings.server_url) or server.is_running(settings), **found}


def process_ids(settings: Settings) -> list[int]:
    """Return the processes of all services and of the embedded server."""
    found = [process for name in SERVICES for process in service_processes(run_folder(settings), name)]
    leader = server.server_process(settings)
    return found + ([leader, *_children(leader)] if leader else [])


def client(settings: Settings, user: str = "admin") -> AirflowClient:
    """Return a client for this installation's Airflow."""
    return AirflowClient(airflow_url(settings), user, secret(settings, f"airflow_{user}_password"))


def airflow_url(settings: Settings) -> str:
    """Return the address of Airflow's pages.

    Raises:
        OperatorError: Airflow was never started here.
    """
    port = server.read_runtime(settings).get("airflow_port")
    if not port:
        raise OperatorError("Airflow was never started here: run 'quarterday up'.")
    return f"http://127.0.0.1:{port}"


def login_file(settings: Settings) -> Path:
    """The file with the users and passwords of Airflow's pages; its owner alone can read it."""
    return settings.secrets / "airflow_logins.json"


def run_folder(settings: Settings) -> Path:
    """Where the records of running services are kept."""
    return settings.home / "run"


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Return all of Airflow's settings as environment variables; the same settings give the same answer.

    Raises:
        OperatorError: No database or no port has been chosen yet.
    """
    return {
        "AIRFLOW_HOME": str(settings.home / "airflow"),
        **_quarterday_variables(settings),
        **_core_variables(settings),
        **_web_variables(settings),
        **_timing_variables(),
        **_watching_variables(),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url(settings),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        # A task's log may quote a partner's line.
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        # Nothing is sent anywhere, by anyone.
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "NO_PROXY": _no_proxy(),
        "no_proxy": _no_proxy(),
        # Compiled files save seconds per process, whatever the shell says.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def metadata_url(settings: Settings) -> str:
    """Return SQLAlchemy's URL of Airflow's own database, which stands beside the warehouse on the same server."""
    parts = urlsplit(server_address(settings))
    login = f"{METADATA_ROLE}:{quote(secret(settings, 'airflow_password'), safe='')}"
    place = f"{login}@{parts.hostname}:{parts.port or 5432}"
    return urlunsplit(parts._replace(scheme="postgresql+psycopg2", netloc=place, path=f"{parts.path}_airflow"))


def _quarterday_variables(settings: Settings) -> dict[str, str]:
    named = {"QUARTERDAY_DATABASE_URL": settings.server_url} if settings.server_url else {}
    return {
        "QUARTERDAY_HOME": str(settings.home),
        "QUARTERDAY_PROJECT": str(settings.project),
        "QUARTERDAY_INBOX": str(settings.inbox),
        "QUARTERDAY_ARCHIVE": str(settings.archive),
        "QUARTERDAY_RECEIPTS": str(settings.receipts),
        "QUARTERDAY_SECRETS": str(settings.secrets),
        "QUARTERDAY_BACKUPS": str(settings.backups),
        "QUARTERDAY_NOTICES": str(settings.notices),
        **notify_variables(),
        **named,
    }


def _core_variables(settings: Settings) -> dict[str, str]:
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.project / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.project / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Europe/London",
        # A paused DAG loses for good the events that arrive meanwhile.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(settings),
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(login_file(settings)),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{airflow_url(settings)}/execution/",
        # Forked workers share what the scheduler has imported.
        "AIRFLOW__CORE__MP_START_METHOD": "fork",
    }


def _web_variables(settings: Settings) -> dict[str, str]:
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(urlsplit(airflow_url(settings)).port),
        "AIRFLOW__API__BASE_URL": airflow_url(settings),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secret(settings, "airflow_api_key"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secret(settings, "airflow_jwt_secret"),
        "AIRFLOW__API__INSTANCE_NAME": "Quarterday",
    }


def _timing_variables() -> dict[str, str]:
    return {
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # A hard-killed task is noticed within half a minute, not five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
    }


def _watching_variables() -> dict[str, str]:
    """Return what those who watch Airflow get: nothing, unless a setting of ours asks for it."""
    statsd = statsd_address()
    host, port = statsd or ("localhost", 8125)
    return {
        **airflow_variables(),
        "AIRFLOW__LOGGING__JSON_LOGS": str(os.environ.get("QUARTERDAY_JSON_LOGS", "") not in {"", "0"}),
        "AIRFLOW__METRICS__STATSD_ON": str(statsd is not None),
        "AIRFLOW__METRICS__STATSD_HOST": host,
        "AIRFLOW__METRICS__STATSD_PORT": str(port),
        "AIRFLOW__METRICS__STATSD_PREFIX": "airflow",
    }


def _lock(settings: Settings) -> AbstractContextManager[None]:
    return only_one(run_folder(settings) / "up.lock", f"Another 'quarterday' is starting or stopping {settings.home}.")


def _up_airflow(settings: Settings, tell: Tell) -> tuple[str, ...]:
    tell("preparing the warehouse and Airflow's database")
    if not find_service(run_folder(settings), "api-server"):
        server.free_port(settings, "airflow_port")
    _write_airflow_files(settings)
    with ThreadPoolExecutor(2) as pool:
        warehouse_done = pool.submit(_migrate_warehouse, settings)
        airflow_done = pool.submit(_migrate_airflow, settings)
        warehouse_done.result()
        airflow_done.result()
    tell("deploying the marts and starting Airflow")
    since = datetime.now(UTC)
    deployment = _begin_deployment(settings)
    started = _start_services(settings, [name for name in SERVICES if name != "scheduler"])
    _finish_deployment(deployment, settings)
    started += _start_services(settings, ["scheduler"])  # last: it may take up an unfinished release at once
    if started:
        tell("waiting for Airflow to be healthy and to read the DAGs")
    _wait_until_ready(settings, since if "dag-processor" in started else None)
    return started


def _migrate_warehouse(settings: Settings) -> None:
    from quarterday import warehouse  # its imports would slow down every command

    warehouse.migrate(settings)


def _begin_deployment(settings: Settings) -> subprocess.Popen[bytes]:
    """Start bringing the marts up to the code in a process of its own: dbt prints, and holds much memory."""
    command = [sys.executable, "-m", "quarterday.cli", "migrate"]
    with _deployment_log(settings).open("wb") as log:
        return subprocess.Popen(
            command, env=_environment(settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", umask=UMASK
        )


def _finish_deployment(deployment: subprocess.Popen[bytes], settings: Settings) -> None:
    if deployment.wait():
        raise OperatorError(f"The marts could not be deployed. {_end_of(_deployment_log(settings))}")


def _deployment_log(settings: Settings) -> Path:
    return settings.home / "logs" / "deployment.log"


def _migrate_airflow(settings: Settings) -> None:
    """Make Airflow's role and database and bring them up to its version; skipped when the database says it is."""
    server.make_login(settings, METADATA_ROLE)
    owner_url = urlsplit(server_address(settings))
    name = f"{owner_url.path.lstrip('/')}_airflow"
    server.make_database(urlunsplit(owner_url._replace(path=f"/{name}")), owner=METADATA_ROLE)
    wanted = f"Airflow's metadata, at version {importlib.metadata.version('apache-airflow-core')}"
    with server.connect(urlunsplit(owner_url)) as connection, connection.cursor() as cursor:
        cursor.execute("select shobj_description(oid, 'pg_database') from pg_database where datname = %s", (name,))
        if (cursor.fetchone() or ("",))[0] == wanted:
            return
        _run_airflow(settings, ("db", "migrate"))
        cursor.execute(sql.SQL("comment on database {} is %s").format(sql.Identifier(name)), (wanted,))


def _run_airflow(settings: Settings, words: tuple[str, ...]) -> None:
    log = settings.home / "logs" / f"airflow-{'-'.join(words)}.log"
    with log.open("w") as file:
        done = subprocess.run(
            _airflow_command(words), env=_environment(settings), stdout=file, stderr=file, cwd="/", umask=UMASK
        )
    if done.returncode:
        raise OperatorError(f"'airflow {' '.join(words)}' failed. {_end_of(log)}")


def _start_services(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """Start what does not run; start all anew when what runs was started with other settings."""
    environment = _environment(settings)
    fingerprint = _fingerprint(airflow_environment(settings))
    folder = run_folder(settings)
    found = {name: find_service(folder, name) for name in names}
    unfit = [name for name, record in found.items() if record is None or record.fingerprint != fingerprint]
    stop_services(folder, unfit)
    for name in unfit:
        log = settings.home / "logs" / f"{name}.log"
        start_service(folder, Service(name, _airflow_command(SERVICES[name]), environment, log, UMASK), fingerprint)
    return tuple(unfit)


def _wait_until_ready(settings: Settings, parsed_since: datetime | None) -> None:
    """Wait until every component is healthy and every DAG file has been read since a moment.

    Raises:
        OperatorError: A service ended, a DAG file can't be imported, or the patience is over.
    """
    asked = client(settings)
    deadline = time.monotonic() + READY_SECONDS
    waiting_for = ["Airflow"]
    warm = False
    while time.monotonic() < deadline:
        _refuse_ended_services(settings)
        waiting_for = asked.unhealthy_components()
        try:
            if "api_server" not in waiting_for and not warm:
                asked.warm_up()
                warm = True
            waiting_for = waiting_for or _unread_dag_files(settings, asked, parsed_since)
        except AirflowDoesNotAnswer:  # on a machine with much else to do its first answer takes long
            waiting_for = ["an answer of Airflow's"]
        if not waiting_for:
            return
        time.sleep(0.3)
    logs = settings.home / "logs"
    raise OperatorError(f"After {READY_SECONDS:.0f} s still waiting for {', '.join(waiting_for)}. Look into {logs}.")


def _refuse_ended_services(settings: Settings) -> None:
    for name in SERVICES:
        if not find_service(run_folder(settings), name):
            raise OperatorError(f"Airflow's {name} ended. {_end_of(settings.home / 'logs' / f'{name}.log')}")


def _unread_dag_files(settings: Settings, asked: AirflowClient, parsed_since: datetime | None) -> list[str]:
    errors = asked.import_errors()
    if errors:
        told = "\n".join(f"{error['filename']}:\n{error['stack_trace'].strip()}" for error in errors)
        raise OperatorError(f"Airflow can't import {len(errors)} DAG file(s):\n{told}")
    read = {Path(dag["fileloc"]) for dag in asked.dags() if _was_parsed(dag["last_parsed_time"], parsed_since)}
    return [path.name for path in dag_files(settings) if path not in read]


def _was_parsed(at: str | None, since: datetime | None) -> bool:
    return since is None or (at is not None and datetime.fromisoformat(at) >= since)


def dag_files(settings: Settings) -> list[Path]:
    """Return the files in which Airflow looks for DAGs: Python that mentions both words, as Airflow's own rule is."""
    files = sorted((settings.project / "dags").rglob("*.py"))
    return [path for path in files if all(word in path.read_bytes().lower() for word in (b"dag", b"airflow"))]


def _write_airflow_files(settings: Settings) -> None:
    logins = {user: secret(settings, f"airflow_{user}_password") for user in USERS}
    descriptor = os.open(login_file(settings), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(logins, file)
    _write_local_settings(settings)


def _write_local_settings(settings: Settings) -> None:
    local_settings = settings.home / "airflow" / "config" / "airflow_local_settings.py"
    local_settings.parent.mkdir(parents=True, exist_ok=True)
    local_settings.write_text(LOCAL_SETTINGS)


def _environment(settings: Settings) -> dict[str, str]:
    """Return a service's whole environment: the shell's, without any other Airflow's settings, and ours.

    Of Airflow's, the shell's connections (``AIRFLOW_CONN_<ID>``) are kept: connectors take their secrets from them.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("AIRFLOW_CONN_") or not name.startswith(("AIRFLOW_", "PYTHONPATH"))
    }
    programs = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}"
    return {**inherited, "PATH": programs, **airflow_environment(settings)}


def _airflow_command(words: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "airflow", *words]


def _fernet_key(settings: Settings) -> str:
    digest = hashlib.sha256(secret(settings, "airflow_fernet_key").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()


def _fingerprint(environment: dict[str, str]) -> str:
    words = json.dumps([environment, sys.executable, importlib.metadata.version("apache-airflow-core")], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()


def _no_proxy() -> str:
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    words = [word.strip() for word in given.split(",") if word.strip()]
    return ",".join(dict.fromkeys([*words, "127.0.0.1", "localhost"]))


def _children(process_id: int) -> list[int]:
    try:
        listed = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in listed]


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
    return "\n".join([f"The end of {log}:", *lines])
