"""A Superset on loopback that reads the warehouse through a login of its own: ``make superset``.

Superset pins what Airflow and dbt pin otherwise, so it has an environment outside of ours, made from its own lock by
``scripts/superset``. It is started here, given the dashboards in ``bi/superset/bundle``, and ends with this process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from quarterday.errors import OperatorError
from quarterday.server import free_port
from quarterday.settings import Settings, secret, server_address
from quarterday.superset.bundle import BUNDLE, FOLDER
from quarterday.supervising import stop_at_signal

ADMIN_PASSWORD = "superset_admin_password"
SECRET_KEY = "superset_secret_key"
OWN_NAME = "superset"
PATIENCE_SECONDS = 180.0
# What Superset's environment gets of ours: who we are and where programs are, and no variable of the warehouse.
KEPT = ("HOME", "LANG", "PATH", "TMPDIR", "TZ", "USER")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Login:
    """Who reads the warehouse for Superset: the role, and the name of the secret that is its password."""

    role: str = "quarterday_reader"
    secret_name: str = "reader_password"


@dataclass(frozen=True)
class Superset:
    """A Superset that runs: where, and the process that has it."""

    address: str
    server: subprocess.Popen[bytes]


def own_login(settings: Settings) -> Login:
    """Return the login that Superset reads with, ``quarterday_superset``; it is made where there is none."""
    from quarterday import readers, warehouse

    with warehouse.connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", (warehouse.MIGRATION_LOCK,))
        if OWN_NAME not in {reader.name for reader in readers.list_readers(cursor)}:
            readers.add_reader(OWN_NAME, None, readers.Limits(), "make superset", cursor, settings)
        reader = readers.find_reader(OWN_NAME, cursor)
    return Login(reader.role, reader.secret_name)


def home_of(settings: Settings) -> Path:
    """Return the folder of Superset's own state."""
    return settings.home / "superset"


def environment_of(settings: Settings) -> Path:
    """Return the folder of Superset's environment, which ``QUARTERDAY_SUPERSET_ENV`` moves."""
    return Path(os.environ.get("QUARTERDAY_SUPERSET_ENV") or home_of(settings) / "env").absolute()


@contextmanager
def running(settings: Settings, login: Login, tell: Tell = lambda step: None) -> Iterator[Superset]:
    """Have Superset run with the dashboards in it, and give it; it is stopped at the end.

    Raises:
        OperatorError: Its environment is not there, or it did not come up; the message names its log.
    """
    _refuse_without_environment(settings)
    home_of(settings).mkdir(parents=True, exist_ok=True)
    tell("Superset's own database is brought up to it")
    _run(["superset", "db", "upgrade"], settings, login)
    _run(["superset", "init"], settings, login)
    tell("The dashboards are imported")
    import_bundle(settings, login)
    tell("Superset starts")
    port = free_port(settings, "superset_port")
    address = f"http://127.0.0.1:{port}"
    with _log(settings).open("ab") as output:
        environment = _variables(settings, login)
        server = subprocess.Popen(_server(port, settings), env=environment, stdout=output, stderr=output)
    try:
        _wait(address, server, _log(settings))
        yield Superset(address, server)
    finally:
        server.terminate()
        server.wait()


def _refuse_without_environment(settings: Settings) -> None:
    if not _program("superset", settings).exists():
        raise OperatorError(
            f"Superset is not installed in {environment_of(settings)}: nothing was started. make superset installs it, "
            "or QUARTERDAY_SUPERSET_ENV names an environment that has it."
        )


def _program(name: str, settings: Settings) -> Path:
    return environment_of(settings) / "bin" / name


def _variables(settings: Settings, login: Login) -> dict[str, str]:
    """Return the whole environment of Superset's processes. Secrets are told by the file that they are in."""
    for name in (ADMIN_PASSWORD, SECRET_KEY, login.secret_name):
        secret(settings, name)  # made at first use
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "FLASK_APP": "superset.app:create_app()",
        "PYTHONPATH": str(settings.project / FOLDER),
        "SUPERSET_CONFIG_PATH": str(settings.project / FOLDER / "superset_config.py"),
        "QUARTERDAY_SUPERSET_HOME": str(home_of(settings)),
        "QUARTERDAY_SUPERSET_SECRET_KEY_FILE": str(settings.secrets / SECRET_KEY),
        "QUARTERDAY_SUPERSET_PASSWORD_FILE": str(settings.secrets / login.secret_name),
        "SUPERSET_HOME": str(home_of(settings)),
        "SCARF_ANALYTICS": "false",
    }


def warehouse_uri(settings: Settings, login: Login) -> str:
    """Return the warehouse's address as Superset writes it, without the password."""
    parts = urlsplit(server_address(settings))
    return f"postgresql+psycopg2://{login.role}@{parts.hostname}:{parts.port or 5432}{parts.path}"


def import_bundle(settings: Settings, login: Login) -> None:
    """Make Superset's admin and give it the bundle; what is there of it already is replaced.

    Raises:
        OperatorError: Superset refused it; the message names the log.
    """
    folder = settings.project / FOLDER
    words = [str(folder / "prepare.py"), str(folder / BUNDLE), warehouse_uri(settings, login)]
    _run(["python", *words, str(settings.secrets / ADMIN_PASSWORD)], settings, login)


def _log(settings: Settings) -> Path:
    return home_of(settings) / "superset.log"


def _run(command: list[str], settings: Settings, login: Login) -> None:
    program = [str(_program(command[0], settings)), *command[1:]]
    with _log(settings).open("ab") as output:
        ended = subprocess.run(program, env=_variables(settings, login), stdout=output, stderr=output, check=False)
    if ended.returncode:
        raise OperatorError(
            f"{' '.join(command[:3])} failed ({ended.returncode}): nothing was started. See {_log(settings)}"
        )


def _server(port: int, settings: Settings) -> list[str]:
    bind = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "8", "--timeout", "300"]
    return [str(_program("gunicorn", settings)), *bind, "superset.app:create_app()"]


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not _answers(address):
        if server.poll() is not None or time.monotonic() > until:
            raise OperatorError(f"Superset did not come up at {address}. See {log}")
        time.sleep(0.5)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stay(settings: Settings) -> None:
    """Start Superset on the warehouse that runs, say where it is, and stay until it ends.

    Raises:
        OperatorError: It did not come up, or ended by itself; the message names its log.
    """
    with running(settings, own_login(settings), lambda step: print(f"{step} ...", flush=True)) as superset:
        print(f"Superset   {superset.address}   login admin, password in {settings.secrets / ADMIN_PASSWORD}")
        print("It stays until Ctrl-C.", flush=True)
        superset.server.wait()
    raise OperatorError(f"Superset ended by itself ({superset.server.returncode}). See {_log(settings)}")


def main() -> None:
    """Have Superset up until Ctrl-C or a plain kill, which end it alike."""
    from quarterday.settings import load_settings

    os.umask(0o077)  # what Superset keeps of its users is nobody else's on this machine
    try:
        with stop_at_signal():
            stay(load_settings())
    except KeyboardInterrupt:
        print("Superset is stopped.")
    except OperatorError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
