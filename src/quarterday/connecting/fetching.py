"""Fetches what a connector's place has and the inbox has not had: whole or not at all, and each version once.

A file is first whole in the inbox and then noted in ``ledger.fetched_file``: cut off in between, it is fetched again,
and the sweep knows its bytes. It is moved or deleted where it came from only once the archive has it.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

import psycopg2
from psycopg2.extensions import connection as Connection

from quarterday import runbooks
from quarterday.archiving import TAKING
from quarterday.connecting.connectors import Connector, load_connectors
from quarterday.connecting.remote import FileChanged, Login, Remote, RemoteFile, open_remote
from quarterday.errors import OperatorError, QuarterdayError
from quarterday.inbox import SETTLE_SECONDS, settled_files
from quarterday.reference import read_partners
from quarterday.settings import Settings
from quarterday.warehouse import connect

FETCH_LOCK = "quarterday.fetch"
# After so many files that failed one after the other it is the place that is at fault.
PATIENCE_FILES = 3
LONGEST_REASON = 500
LOGIN_IN_ADDRESS = re.compile(r"://[^/\s@]+@")


class ConnectorFailed(QuarterdayError):
    """Files could not be fetched from a place; they are still there."""


@dataclass
class Fetched:
    """What a fetch did: inbox paths brought, remote paths left for the next time, and those moved or deleted."""

    brought: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def connectors_of(settings: Settings) -> dict[str, Connector]:
    """Return the connectors by name.

    Raises:
        ConnectorsAreWrong: The file can't be used.
    """
    return load_connectors(settings.connectors, read_partners(settings.returns))


def fetch(name: str, settings: Settings) -> Fetched:
    """Fetch by one connector.

    Args:
        name: The connector's, in ``returns/connectors.csv``.
        settings: Whose inbox, archive and ledger.

    Raises:
        ConnectorFailed: The place can't be reached or a file of it can't be fetched; the others were.
    """
    connector = connectors_of(settings)[name]
    login = Login(connector.connection)
    fetched = Fetched()
    try:
        login = login_of(connector.connection)
        _fetch(connector, login, settings, fetched)
    except psycopg2.Error:
        raise  # the warehouse is away: no fault of the place, and tried again
    except Exception as error:
        raise ConnectorFailed(_told(connector, login, {connector.path: error}, fetched)) from None
    if fetched.failures:
        raise ConnectorFailed(_told(connector, login, fetched.failures, fetched))
    return fetched


def login_of(connection_id: str) -> Login:
    """Return what a connection of Airflow holds: of its own store, or of the variable ``AIRFLOW_CONN_<ID>``.

    Raises:
        OperatorError: There is no such connection.
    """
    from airflow.sdk import Connection as AirflowConnection

    try:
        found = AirflowConnection.get(connection_id)
    except Exception as error:  # each way of asking has an exception of its own
        raise OperatorError(f"there is no connection {connection_id} ({type(error).__name__})") from None
    return Login(
        connection_id, found.host, found.port, found.login, found.password, found.schema, dict(found.extra_dejson)
    )


def _fetch(connector: Connector, login: Login, settings: Settings, fetched: Fetched) -> None:
    in_a_row = 0
    with connect(settings, "loader") as connection, open_remote(connector, login) as remote:
        _hold(connector, connection)
        connection.commit()  # the lock stays; no transaction is open while files come
        for file in sorted(remote.files(), key=_by_age):
            try:
                _bring_or_clear(file, connector, remote, connection, settings, fetched)
                in_a_row = 0
            except FileChanged:
                connection.rollback()
                fetched.left.append(file.path)
            except psycopg2.Error:
                raise
            except Exception as error:
                connection.rollback()
                fetched.failures[file.path] = _reason(error, login)
                in_a_row += 1
            if in_a_row == PATIENCE_FILES:
                return


def _bring_or_clear(
    file: RemoteFile,
    connector: Connector,
    remote: Remote,
    connection: Connection,
    settings: Settings,
    fetched: Fetched,
) -> None:
    sha256 = _known(file, connector, connection)
    if sha256 and _is_on_its_way(file.name, connector, settings):
        fetched.left.append(file.path)
    elif sha256 and _is_archived(sha256, connector, connection):
        if connector.after != "keep":
            _clear(file, connector, remote)
            fetched.cleared.append(file.path)
    elif not _is_settled(file):
        fetched.left.append(file.path)
    elif brought := _bring(file, connector, remote, connection, settings):
        fetched.brought.append(brought)
    else:
        fetched.left.append(file.path)


def _bring(
    file: RemoteFile, connector: Connector, remote: Remote, connection: Connection, settings: Settings
) -> str | None:
    """Put a file into the inbox and note it; None where another of its name waits there, or nothing is new."""
    target = settings.inbox / connector.partner_code / file.name
    if target.name != file.name:
        raise OperatorError(f"'{file.name}' is no name for a file")
    if target.exists():
        return None  # it would have to wait in any case
    with _draft(target.parent) as draft:
        sha256 = _receive(file, remote, draft)
        if not file.version and _is_archived(sha256, connector, connection):
            return None
        changed = file.changed_at.timestamp() if file.changed_at else time.time()
        arrived = min(changed, time.time() - SETTLE_SECONDS - 1)  # it is whole: the sweep need not wait for it
        os.utime(draft, (arrived, arrived))
        if not _give_name(draft, target):
            return None
    _note(file, sha256, connector, connection)
    return f"{connector.partner_code}/{file.name}"


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as made:
        path = Path(made.name)
    try:
        yield path
    finally:
        path.unlink()


def _receive(file: RemoteFile, remote: Remote, draft: Path) -> str:
    """Write a file's bytes to the disk; return their SHA-256."""
    digest = hashlib.sha256()
    size = 0
    with draft.open("wb") as opened:
        for chunk in remote.read(file):
            opened.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        opened.flush()
        os.fchmod(opened.fileno(), 0o640)
        os.fsync(opened.fileno())
    if file.size is not None and size != file.size:
        raise OperatorError(f"it has {file.size} bytes, and {size} came")
    return digest.hexdigest()


def _give_name(draft: Path, target: Path) -> bool:
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def _note(file: RemoteFile, sha256: str, connector: Connector, connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.fetched_file (
                connector, remote_path, version, file_sha256, partner_code, file_name
            ) values (%s, %s, %s, %s, %s, %s)
            on conflict (connector, remote_path, version) do update
            set file_sha256 = excluded.file_sha256, fetched_at = clock_timestamp()""",
            (connector.name, file.path, file.version, sha256, connector.partner_code, file.name),
        )
    connection.commit()


def _clear(file: RemoteFile, connector: Connector, remote: Remote) -> None:
    if connector.after == "delete":
        remote.delete(file)
    else:
        remote.move(file, f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{file.name}")


def _known(file: RemoteFile, connector: Connector, connection: Connection) -> str | None:
    """Return the SHA-256 of a version that was fetched; None where its place can't tell versions apart."""
    if not file.version:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "select file_sha256 from ledger.fetched_file where connector = %s and remote_path = %s and version = %s",
            (connector.name, file.path, file.version),
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _is_on_its_way(name: str, connector: Connector, settings: Settings) -> bool:
    """Say whether the inbox has the file. Ask before the ledger is: a sweep writes there first, and clears then."""
    places = (settings.inbox, settings.archive / TAKING)
    return any((place / connector.partner_code / name).exists() for place in places)


def _is_archived(sha256: str, connector: Connector, connection: Connection) -> bool:
    """Say whether the ledger has the partner's file. Where it has not, and the inbox neither, somebody took it away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select 1 from ledger.load where file_sha256 = %s and partner_code = %s limit 1",
            (sha256, connector.partner_code),
        )
        return cursor.fetchone() is not None


def _is_settled(file: RemoteFile) -> bool:
    return file.changed_at is None or time.time() - file.changed_at.timestamp() >= SETTLE_SECONDS


def _by_age(file: RemoteFile) -> tuple[float, str]:
    return (file.changed_at.timestamp() if file.changed_at else 0.0, file.path)


def _hold(connector: Connector, connection: Connection) -> None:
    """Keep other fetches by this connector waiting until the connection ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtext(%s), hashtext(%s))", (FETCH_LOCK, connector.name))


def _told(connector: Connector, login: Login, failures: Mapping[str, Exception | str], fetched: Fetched) -> str:
    host = login.host or login.extra.get("endpoint_url") or login.extra.get("path") or login.user or "an unnamed host"
    reasons = [
        f"  {path}: {reason if isinstance(reason, str) else _reason(reason, login)}"
        for path, reason in failures.items()
    ]
    return _scrubbed(
        "\n".join(
            [
                f"Connector {connector.name} ({connector.kind}, {host}, connection {connector.connection}): "
                f"not everything was fetched for {connector.partner_code}; {len(fetched.brought)} files were.",
                *reasons,
                "What is there stays there, other connectors go on, and the next run tries again. Mend the connection "
                f"or the line in connectors.csv, or ask the partner: {runbooks.link('inbox__fetch')}",
            ]
        ),
        login,
    )


def _reason(error: Exception, login: Login) -> str:
    text = " ".join(str(error).split())[:LONGEST_REASON]
    name = "" if isinstance(error, OperatorError) else f"{type(error).__name__}: "
    return _scrubbed(f"{name}{text}", login)


def _scrubbed(text: str, login: Login) -> str:
    """Take the connection's secrets out of a text: a library may quote the address or header that it used."""
    for held in login.secrets():
        text = text.replace(held, "***")
    return LOGIN_IN_ADDRESS.sub("://***@", text)


def any_file_waits(settings: Settings) -> bool:
    """Say whether the inbox has a file for the sweep; without connectors nobody asks."""
    return next(settled_files(settings.inbox), None) is not None
