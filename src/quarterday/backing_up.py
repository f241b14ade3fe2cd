"""Backups of the warehouse by PostgreSQL's own pg_dump, each with what proves it: the checksums of the same moment.

A backup is two files, ``quarterday-<moment>.dump`` and ``.json`` beside it, in the folder of QUARTERDAY_BACKUPS. Both
get their names when they are whole and on the disk. A backup counts only once it was restored into a scratch database
and has there the checksums that the warehouse had. The archive of files is not in it: its files never change, so that
any copy of the folder does, and ``verifying`` holds it against the ledger.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from psycopg2 import sql

from quarterday import server
from quarterday.checksums import Checksum, differences, read_checksums
from quarterday.errors import OperatorError, QuarterdayError
from quarterday.settings import Settings, database_url
from quarterday.versioning import code_version
from quarterday.warehouse import connect

FORMAT = 1
# What is compared: what readers see, and the ledger from which the past is told.
COMPARED = ("mart", "history", "ledger")
# A quarter of the time of the usual, for a file that is a fifth larger.
COMPRESSION = "--compress=gzip:1"
PREFIX = "quarterday-"


class BackupFailed(QuarterdayError):
    """A backup could not be made, or what was restored from it is not what was there."""


@dataclass(frozen=True)
class Backup:
    """A backup on the disk. ``made_at`` is the moment of its state; ``checksums`` are of that state."""

    path: Path
    made_at: datetime
    code_version: str
    checksums: dict[str, Checksum]

    @property
    def day(self) -> date:
        """The day that the marts took for today."""
        return self.made_at.astimezone(UTC).date()


def back_up(settings: Settings) -> Backup:
    """Write the whole warehouse, as of one moment, to the folder of backups. Readers, loads and releases go on.

    Raises:
        BackupFailed: pg_dump failed; its message is in it. There is no new backup.
        OperatorError: There is no pg_dump that fits the server.
    """
    program = _program("pg_dump", settings)
    settings.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    with connect(settings, "owner") as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("select pg_export_snapshot(), statement_timestamp()")
            snapshot, made_at = cursor.fetchone() or ("", datetime.now(UTC))
            path = settings.backups / f"{PREFIX}{made_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}.dump"
            draft = path.with_name(f".{path.name}.part")
            try:
                _run(program, settings, "--format=custom", COMPRESSION, f"--snapshot={snapshot}", f"--file={draft}")
                # Of the same snapshot, in this transaction.
                sums = read_checksums(cursor, COMPARED, made_at.astimezone(UTC).date())
                backup = Backup(path, made_at, code_version(), sums)
                _settle(draft, _manifest(backup), path)
            finally:
                draft.unlink(missing_ok=True)
    return backup


def prove(backup: Backup, settings: Settings) -> int:
    """Restore a backup into a scratch database of the warehouse's server and compare; drop the database.

    Returns:
        The number of relations that are the same, all of them.

    Raises:
        BackupFailed: It can't be restored, or a relation differs; which, is told.
    """
    with _scratch(settings) as scratch:
        _restore(backup, scratch, settings)
        return _compare(backup, scratch)


def restore(path: Path, settings: Settings, into: str | None = None) -> tuple[str, int]:
    """Restore a backup into an empty database and compare it with what was there when it was made.

    Args:
        path: The ``.dump`` file; its ``.json`` stands beside it.
        settings: Whose server, and whose warehouse where ``into`` is not given.
        into: A database's name on the same server, made if it is missing; by default the warehouse's own.

    Returns:
        The database, and the number of relations that are the same, all of them.

    Raises:
        OperatorError: There is no such backup, or the database is not empty. Nothing was changed.
        BackupFailed: It can't be restored, or a relation differs.
    """
    backup = open_backup(path)
    url = urlsplit(database_url(settings, "owner"))
    target = url if into is None else url._replace(path=f"/{into}")
    server.make_database(urlunsplit(target))
    _refuse_full(urlunsplit(target))
    _restore(backup, urlunsplit(target), settings)
    return target.path.lstrip("/"), _compare(backup, urlunsplit(target))


def open_backup(path: Path) -> Backup:
    """Read what a backup says of itself.

    Raises:
        OperatorError: A file of it is missing, or it is of another format.
    """
    manifest = path.with_suffix(".json")
    for needed in (path, manifest):
        if not needed.is_file():
            raise OperatorError(f"There is no file {needed}. A backup is a .dump and the .json beside it.")
    try:
        told = json.loads(manifest.read_text())
        if told["format"] != FORMAT:
            raise OperatorError(f"{manifest} is of format {told['format']}, and {FORMAT} is known.")
        sums = {name: Checksum.from_json(one) for name, one in told["checksums"].items()}
        return Backup(path, datetime.fromisoformat(told["made_at"]), told["code_version"], sums)
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(f"{manifest} is damaged ({error}). Take another backup.") from None


def backups_of(settings: Settings) -> list[Path]:
    """Return the backups in the folder, the newest first."""
    found = settings.backups.glob(f"{PREFIX}*.dump")
    return sorted((path for path in found if path.with_suffix(".json").is_file()), reverse=True)


def forget_old(settings: Settings) -> list[Path]:
    """Delete all but the newest backups, as many as QUARTERDAY_BACKUPS_KEPT says; return those deleted."""
    old = backups_of(settings)[settings.backups_kept :]
    for path in old:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
    return old


def back_up_and_prove(settings: Settings) -> tuple[Backup, int]:
    """Make a backup, prove it by restoring it, and only then delete old ones; return it and the relations compared.

    Raises:
        BackupFailed: As :func:`back_up` and :func:`prove`. A backup that is not what it should be is deleted.
    """
    backup = back_up(settings)
    try:
        compared = prove(backup, settings)
    except BackupFailed:
        for path in (backup.path, backup.path.with_suffix(".json")):
            path.unlink(missing_ok=True)
        raise
    forget_old(settings)
    return backup, compared


def _restore(backup: Backup, url: str, settings: Settings) -> None:
    """Restore into an empty database, whose roles are made first where they are missing: a dump has none."""
    with server.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute((resources.files("quarterday") / "sql" / "000_roles.sql").read_text(encoding="utf-8"))
    program = _program("pg_restore", settings)
    _run(program, settings, "--exit-on-error", f"--dbname={_without_password(url)}", str(backup.path), connects=False)


def _compare(backup: Backup, url: str) -> int:
    with server.connect(url) as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            found = read_checksums(cursor, COMPARED, backup.day)
        connection.rollback()
    unlike = differences(backup.checksums, found)
    if unlike:
        raise BackupFailed(
            "\n".join(
                [f"{backup.path} is not what was there: {len(unlike)} relations differ after it was restored."]
                + [f"  {line}" for line in unlike]
                + ["Do not rely on it. Look at the disk and the server's log, and make another: quarterday backup"]
            )
        )
    return len(found)


@contextmanager
def _scratch(settings: Settings) -> Iterator[str]:
    """Give the URL of an empty database of the warehouse's server, and drop it at the end."""
    url = urlsplit(database_url(settings, "owner"))
    name = f"{url.path.lstrip('/')}_restored_{os.getpid()}"
    drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    with server.connect(urlunsplit(url)) as connection, connection.cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        try:
            yield urlunsplit(url._replace(path=f"/{name}"))
        finally:
            cursor.execute(drop)


def _refuse_full(url: str) -> None:
    with server.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            """select nspname from pg_catalog.pg_namespace
            where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') order by 1"""
        )
        found = [name for (name,) in cursor.fetchall()]
    if found:
        raise OperatorError(
            f"The database {urlsplit(url).path.lstrip('/')} is not empty: it has the schemas {', '.join(found[:4])}. "
            "Nothing was changed. Restore into another with --into NAME, or rename this one first."
        )


def _run(program: Path, settings: Settings, *words: str, connects: bool = True) -> None:
    """Run one of PostgreSQL's programs as the warehouse's owner, whose password stands in no command line."""
    url = database_url(settings, "owner")
    place = [f"--dbname={_without_password(url)}"] if connects else []
    password = unquote(urlsplit(url).password or "")
    done = subprocess.run(
        [str(program), "--no-password", *place, *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": password},
    )  # fmt: skip
    if done.returncode:
        raise BackupFailed(
            f"{program.name} failed, so there is no new backup or restore: {done.stderr.strip()[-2000:]}"
        )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))


def _program(name: str, settings: Settings) -> Path:
    """Return a program of PostgreSQL that is at least of the server's version: the embedded server's own, or PATH's."""
    with connect(settings, "owner") as connection:
        wanted = connection.server_version // 10000
    found = [path for path in (_embedded(name), shutil.which(name)) if path and Path(path).is_file()]
    versions = {str(path): _version_of(Path(path)) for path in found}
    for path, version in versions.items():
        if version >= wanted:
            return Path(path)
    there = ", ".join(f"{path} is of {version}" for path, version in versions.items()) or "there is none"
    raise OperatorError(
        f"No {name} fits PostgreSQL {wanted}: {there}. Install the client programs of PostgreSQL {wanted}."
    )


def _embedded(name: str) -> Path | None:
    try:
        return server.programs() / name
    except OperatorError:
        return None


def _version_of(program: Path) -> int:
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    digits = told.rpartition(" ")[2].partition(".")[0].strip()
    return int(digits) if digits.isdecimal() else 0


def _manifest(backup: Backup) -> str:
    told = {
        "format": FORMAT,
        "made_at": backup.made_at.isoformat(),
        "code_version": backup.code_version,
        "checksums": {name: one.as_json() for name, one in backup.checksums.items()},
    }
    return json.dumps(told, indent=1)


def _settle(draft: Path, manifest: str, path: Path) -> None:
    """Give a dump its name once it and what it says of itself are on the disk."""
    draft.chmod(0o600)
    part = path.with_name(f".{path.stem}.json.part")
    part.write_text(manifest)
    part.chmod(0o600)
    for each in (draft, part):
        with each.open("rb") as file:
            os.fsync(file.fileno())
    part.rename(path.with_suffix(".json"))
    draft.rename(path)
