"""Takes files out of the inbox: archive, register, and say which form and quarter has work.

The inbox has a folder per partner (``inbox/<partner_code>/<file>``); the folder says who sent the file. Until a file is
in the ledger it stands in the inbox or is set aside below the archive, and a sweep looks in both places: a crash at any
point loses nothing and doubles nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from quarterday import runbooks
from quarterday.archiving import ArchivedFile, clear_half_copies, files_left, only_taker, state_of, take_file
from quarterday.checking.judging import judge_findings
from quarterday.contracts import Form, load_forms
from quarterday.errors import QuarterdayError, ReturnRejected
from quarterday.identifying import Identity, identify
from quarterday.ledger import insert_load
from quarterday.receipts import write_missing
from quarterday.settings import Settings
from quarterday.unfinished import unfinished_keys
from quarterday.warehouse import connect

# A file that changed this recently may still be on its way in.
SETTLE_SECONDS = 30.0
# A file that another program has held open for so long, without a change to it, needs somebody to look.
HELD_SECONDS = 3600.0
UNFINISHED_SUFFIXES = {".part", ".tmp", ".crdownload", ".filepart"}
SWEEP_LOCK = "quarterday.sweep"


@dataclass(frozen=True)
class Arrival:
    """A file found in the inbox, or set aside by a sweep that was cut off."""

    path: Path
    partner_code: str
    modified_at: datetime

    @property
    def file_name(self) -> str:
        """The name as text; bytes of it that are none are shown by a replacement sign."""
        return _as_text(self.path.name)

    @property
    def inbox_path(self) -> str:
        """Where the file stood, below the inbox."""
        return f"{self.partner_code}/{self.file_name}"


@dataclass
class Swept:
    """What a sweep did: the loads registered, the keys with work to do, and the files that could not be taken."""

    registered: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def sweep(settings: Settings, run_id: str | None = None) -> Swept:
    """Register every settled file in the inbox and tell the keys (``form|quarter``) that have work to do.

    Receipts of returns with a verdict that a crash kept from being written are written, too.

    Keys of returns that were registered or admitted earlier and stand still are among them, so that a wake-up lost to a
    crash is given again. A file that can't be taken, by a fault of ours, is put back and keeps no other waiting.
    """
    forms = load_forms(settings.returns)
    with connect(settings, "loader") as connection, only_taker(settings.archive):
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(hashtext(%s))", (SWEEP_LOCK,))
        clear_half_copies(settings.archive)
        swept = Swept()
        for arrival in (*files_cut_off(settings.archive), *settled_files(settings.inbox)):
            _register_or_note(arrival, swept, forms, connection, settings, run_id)
        write_missing(connection, settings.receipts, swept.registered)
        swept.keys = unfinished_keys(connection, swept.registered)
    return swept


class FilesNotTaken(QuarterdayError):
    """Files are still in the inbox, by a fault of ours."""


def raise_failures(failures: Mapping[str, str]) -> None:
    """Name the files that a sweep could not take.

    Raises:
        FilesNotTaken: There are any.
    """
    if failures:
        named = "\n".join(f"  {name}: {error}" for name, error in failures.items())
        raise FilesNotTaken(
            f"{len(failures)} files stay in the inbox by a fault of ours; every other was taken.\n{named}\n"
            f"Mend the cause: the next sweep takes them. {runbooks.link('inbox__sweep')}"
        )


def settled_files(inbox: Path) -> Iterator[Arrival]:
    """Yield the files that have arrived completely, oldest first."""
    for arrival in _arrivals(path for path in inbox.glob("*/*") if _is_whole(path)):
        if time.time() - arrival.modified_at.timestamp() >= SETTLE_SECONDS:
            yield arrival


def files_cut_off(archive: Path) -> list[Arrival]:
    """Return the files that a sweep took out of the inbox and didn't register before it was cut off, oldest first."""
    return _arrivals(files_left(archive))


def _arrivals(paths: Iterable[Path]) -> list[Arrival]:
    found = sorted((state[2], path.name, path) for path in paths if (state := state_of(path)))
    return [
        Arrival(path, _as_text(path.parent.name), datetime.fromtimestamp(modified_ns / 1e9, UTC))
        for modified_ns, _, path in found
    ]


def _is_whole(path: Path) -> bool:
    # '..\\..\\q3.csv' is a path of Windows in a name; '.q3.csv' is hidden, as a copy is while it comes in.
    is_unfinished = path.name.rpartition("\\")[2].startswith(".") or path.suffix.lower() in UNFINISHED_SUFFIXES
    return not is_unfinished and path.is_file() and not path.is_symlink()


def register(
    arrival: Arrival, forms: dict[str, Form], connection: Connection, settings: Settings, run_id: str | None
) -> int | None:
    """Archive and register one file, commit, and take it out of the inbox; return its load id.

    A file that no form claims is registered too, and rejected at once; the sweep writes its receipt. One that somebody
    writes to is left for the next sweep; the answer is None.

    Raises:
        FilesNotTaken: Another program holds the file open for writing and has not changed it for an hour.
    """
    with take_file(arrival.path, settings.archive) as taken:
        if taken is None:
            refuse_endless_wait(arrival)
            return None
        archived = taken.archived
        try:
            told: Identity | ReturnRejected = identify(settings.archive / archived.path, arrival.partner_code, forms)
        except ReturnRejected as rejection:
            told = rejection
        known = known_load(arrival, archived.sha256, told if isinstance(told, Identity) else None, connection)
        load_id = known or _register_new(arrival, archived, told, connection, run_id)
        _note_arrival(arrival, load_id, known is not None, connection)
        if not taken.keep():
            connection.rollback()
            return None
        connection.commit()
    return load_id


def refuse_endless_wait(arrival: Arrival) -> None:
    """Say of a file that must wait that it has waited for too long.

    Raises:
        FilesNotTaken: It was last changed an hour ago.
    """
    changed = arrival.path.stat().st_ctime
    if time.time() - changed > HELD_SECONDS:
        raise FilesNotTaken(
            f"not taken: another program holds it open for writing and has not changed it since "
            f"{datetime.fromtimestamp(changed, UTC):%d %B %Y %H:%M} UTC. See which with 'fuser' and end that upload."
        )


def _register_or_note(
    arrival: Arrival,
    swept: Swept,
    forms: dict[str, Form],
    connection: Connection,
    settings: Settings,
    run_id: str | None,
) -> None:
    try:
        load_id = register(arrival, forms, connection, settings, run_id)
    except psycopg2.OperationalError:
        raise  # the database is away: no other file would fare better
    except Exception as error:
        connection.rollback()
        swept.failures[arrival.inbox_path] = f"{type(error).__name__}: {error}"
        return
    if load_id is not None:
        swept.registered.append(load_id)


def known_load(arrival: Arrival, sha256: str, identity: Identity | None, connection: Connection) -> int | None:
    """Return the load that a file is already: the same bytes from the same partner as the same return.

    A file that was refused for its name, its folder or for want of an edition is none, once it is rightly named or has
    its edition: its partner is told to send it again.
    """
    told = (identity.form, identity.reporting_quarter) if identity else (None, arrival.file_name)
    with connection.cursor() as cursor:
        cursor.execute(
            """select load.load_id from ledger.load left join ledger.verdict using (load_id)
            where file_sha256 = %s and partner_code = %s and form is not distinct from %s
                and case when form is null then file_name else reporting_quarter end = %s
                and (edition is not distinct from %s or verdict.verdict is distinct from 'rejected')
            order by load.load_id desc limit 1""",
            (sha256, arrival.partner_code, *told, identity.edition if identity else None),
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _register_new(
    arrival: Arrival,
    archived: ArchivedFile,
    told: Identity | ReturnRejected,
    connection: Connection,
    run_id: str | None,
) -> int:
    if isinstance(told, ReturnRejected):
        load_id = insert_load(archived, arrival.file_name, arrival.partner_code, None, connection, run_id)
        judge_findings(load_id, told.findings, connection)
        return load_id
    return insert_load(archived, arrival.file_name, arrival.partner_code, told, connection, run_id)


def _note_arrival(arrival: Arrival, load_id: int, was_known: bool, connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """insert into ledger.arrival (load_id, inbox_path, file_modified_at, was_known)
            values (%s, %s, %s, %s) on conflict do nothing""",
            (load_id, arrival.inbox_path, arrival.modified_at, was_known),
        )


def _as_text(name: str) -> str:
    return name.encode(errors="surrogateescape").decode(errors="replace")
