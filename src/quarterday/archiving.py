"""Keeps every file ever received, by the hash of its bytes. Nothing in the archive is ever changed or deleted.

A file is not copied where it can be moved: it is on the archive's file system, is ours, and has no second name. It
first leaves the inbox for a folder that nobody else writes to, so that nobody reaches its bytes by the name they had
there; then it is read, and gets its name in the archive. Meanwhile a lease tells of anybody who opens it for writing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

CHUNK_BYTES = 1 << 20
LONGEST_NAME = 120
# Below the archive: files that have left the inbox and are in no ledger yet, a folder per partner.
TAKING = ".taking"
# And copies that are being made.
ARRIVING = ".arriving-"
READ_ONLY = 0o440
# Where the kernel can't know of writers on other machines, and may refuse a lease as if there were one.
SHARED_KINDS = ("nfs", "cifs", "smb", "9p", "fuse", "ceph", "afs", "lustre", "gfs", "ocfs", "virtiofs")


@dataclass(frozen=True)
class ArchivedFile:
    """A file in the archive; ``path`` is relative to the archive's root."""

    sha256: str
    size: int
    path: str


@dataclass
class Taken:
    """A file in the archive that is about to be registered."""

    archived: ArchivedFile
    _is_unchanged: Callable[[], bool]
    is_kept: bool = False

    def keep(self) -> bool:
        """Say whether the archive has the file as it is; if so it isn't put back any more. Call before the commit."""
        self.is_kept = self._is_unchanged()
        return self.is_kept


@contextmanager
def take_file(source: Path, archive: Path) -> Iterator[Taken | None]:
    """Take a file out of the inbox and into the archive, under its SHA-256 and its own name.

    When the block ends without :meth:`Taken.keep`, the file is put back. When it breaks off after it, as with a commit
    that fails, the file stays in ``.taking``, of which :func:`files_left` tells; so does one whose process is killed.

    Args:
        source: The file, in a folder of its partner.
        archive: Root of the archive.

    Yields:
        The file, or None where it must wait: somebody has it open for writing, or it changed while it was read.
    """
    with source.open("rb", buffering=0) as file:
        has_lease = _lease(file)
        if has_lease is None:
            yield None
            return
        way = _moved if has_lease and _is_ours_alone(file, archive) else _copied
        with way(file, source, archive, has_lease) as taken:
            yield taken


def archive_file(source: Path, archive: Path) -> ArchivedFile:
    """Copy a file into the archive under its SHA-256, once, and return where it is under its own name.

    The same bytes under another name are a second name of the one copy. The copy is complete on the disk before it gets
    its name, so a crash leaves no half file under a hash.

    Args:
        source: The file as it arrived.
        archive: Root of the archive.
    """
    archive.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=archive, prefix=ARRIVING, delete=False) as copy:
        temporary = Path(copy.name)
        try:
            with source.open("rb", buffering=0) as original:
                digest, size = _copy(original, copy)
            os.fchmod(copy.fileno(), READ_ONLY)
            os.fsync(copy.fileno())
            return _settle(temporary, source.name, digest, size, archive)[0]
        finally:
            temporary.unlink()


def files_left(archive: Path) -> list[Path]:
    """Return the files that have left the inbox and were not registered, because a sweep was cut off."""
    return sorted(path for path in (archive / TAKING).glob("*/*") if path.is_file())


def clear_half_copies(archive: Path) -> None:
    """Delete the copies that were being made when their process was killed; only while no other file is taken."""
    for half in archive.glob(f"{ARRIVING}*"):
        half.unlink()


@contextmanager
def only_taker(archive: Path) -> Iterator[None]:
    """Wait until no other process of this machine takes files into an archive, and keep others waiting."""
    (archive / TAKING).mkdir(parents=True, exist_ok=True)
    with _opened(archive / TAKING) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield


def safe_name(name: str) -> str:
    """Return a file name that is only a name: no folders, no control characters, not hidden, not overlong."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character if character.isprintable() else "_" for character in last).lstrip(".")
    stem, dot, suffix = printable.rpartition(".")
    return f"{stem[:LONGEST_NAME]}{dot}{suffix[:10]}" if dot else (printable[:LONGEST_NAME] or "unnamed")


def state_of(path: Path) -> tuple[int, int, int] | None:
    """Return what tells a file from another version of it; None when it is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _copied(file: IO[bytes], source: Path, archive: Path, has_lease: bool) -> Iterator[Taken | None]:
    before = state_of(source)
    archived = archive_file(source, archive)
    if state_of(source) != before or (has_lease and not _has_lease(file)):
        yield None
        return
    taken = Taken(archived, lambda: True)  # what happens to the file from now on, the copy has no part in
    yield taken
    if taken.is_kept and state_of(source) == before:  # another version may have taken its place meanwhile
        source.unlink(missing_ok=True)


@contextmanager
def _moved(file: IO[bytes], source: Path, archive: Path, _: bool) -> Iterator[Taken | None]:
    move = _Move(file, source, archive)
    if not move.is_free():
        yield None
        return
    taken: Taken | None = None
    try:
        if move.set_aside():
            taken = Taken(move.settle(), lambda: _has_lease(file))
        yield taken
    except BaseException:
        if not (taken and taken.is_kept):
            move.put_back()
        raise
    if taken and taken.is_kept:
        move.place.unlink()
    else:
        move.put_back()


class _Move:
    """A file on its way from the inbox into the archive, by names alone."""

    def __init__(self, file: IO[bytes], source: Path, archive: Path) -> None:
        self.file, self.source, self.archive = file, source, archive
        self.place = archive / TAKING / source.parent.name / source.name
        self.mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        self.made: Path | None = None

    def is_free(self) -> bool:
        """Say whether no earlier file of this name is still to be registered."""
        return self.place == self.source or not self.place.exists()

    def set_aside(self) -> bool:
        """Take the file's name from it, and the right to write to it; False if the name was another file's by now."""
        if self.place != self.source:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            self.source.rename(self.place)
        found = os.fstat(self.file.fileno())
        if found.st_nlink != 1 or found.st_ino != self.place.stat().st_ino:
            return False
        os.fchmod(self.file.fileno(), READ_ONLY)
        return True

    def settle(self) -> ArchivedFile:
        """Give the file its name in the archive, when its bytes are on the disk."""
        digest = hashlib.file_digest(self.file, "sha256").hexdigest()  # type: ignore[arg-type]
        os.fsync(self.file.fileno())
        size = os.fstat(self.file.fileno()).st_size
        archived, self.made = _settle(self.place, self.source.name, digest, size, self.archive)
        _sync_folder(self.source.parent)
        return archived

    def put_back(self) -> None:
        """Undo all. Where the inbox has a newer file of the name, this one is left for :func:`files_left`."""
        if self.made:
            self.made.unlink()
        os.fchmod(self.file.fileno(), self.mode)
        if self.place != self.source:
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                os.link(self.place, self.source)
                self.place.unlink()


def _lease(file: IO[bytes]) -> bool | None:
    """Ask to be told when somebody opens a file for writing; None when somebody has, False where it can't be known.

    The kernel keeps whoever opens it waiting until the file is closed here, or for ``fs.lease-break-time`` (45 s).
    """
    try:
        # The signal that then comes would end the process if it weren't one that is ignored. The lease itself is asked.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return None if error.errno == errno.EAGAIN and not _is_shared(file) else False
    return True


def _has_lease(file: IO[bytes]) -> bool:
    return fcntl.fcntl(file, fcntl.F_GETLEASE) == fcntl.F_RDLCK


def _is_shared(file: IO[bytes]) -> bool:
    """Say whether a file is on a file system to which other machines may write."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()]
    kinds = [mount[mount.index("-") + 1] for mount in mounts if mount[0] == _mount(file.fileno())]
    return any(kind.startswith(SHARED_KINDS) for kind in kinds)


def _is_ours_alone(file: IO[bytes], archive: Path) -> bool:
    """Say whether a file can become one of the archive: nobody else may change its mode or has a name for it."""
    archive.mkdir(parents=True, exist_ok=True)
    found = os.fstat(file.fileno())
    with _opened(archive) as folder:
        return found.st_uid == os.geteuid() and found.st_nlink == 1 and _mount(file.fileno()) == _mount(folder)


def _mount(descriptor: int) -> str | None:
    """Return the number of the mount that an open file was reached by: no file has names in two."""
    found = re.search(r"^mnt_id:\s*(\d+)$", Path(f"/proc/self/fdinfo/{descriptor}").read_text(), re.MULTILINE)
    return found.group(1) if found else None


def _copy(original: IO[bytes], copy: IO[bytes]) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    while chunk := original.read(CHUNK_BYTES):
        digest.update(chunk)
        copy.write(chunk)
        size += len(chunk)
    copy.flush()
    return digest.hexdigest(), size


def _settle(place: Path, name: str, digest: str, size: int, archive: Path) -> tuple[ArchivedFile, Path | None]:
    """Give a whole file its name in the archive; return it, and the name if it's new."""
    folder = archive / digest[:2] / digest
    folder.mkdir(parents=True, exist_ok=True)
    present = next(folder.iterdir(), None)
    target = folder / safe_name(name)
    is_new = not target.exists()
    if is_new:
        os.link(present or place, target)
    for each in (folder, folder.parent, archive):
        _sync_folder(each)
    return ArchivedFile(digest, size, str(target.relative_to(archive))), target if is_new else None


def _sync_folder(folder: Path) -> None:
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
