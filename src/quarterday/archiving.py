"""Keeps every file ever received, by the hash of its bytes. Nothing in the archive is ever changed or deleted."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

CHUNK_BYTES = 1 << 20
LONGEST_NAME = 120


@dataclass(frozen=True)
class ArchivedFile:
    """A file in the archive; ``path`` is relative to the archive's root."""

    sha256: str
    size: int
    path: str


def archive_file(source: Path, archive: Path) -> ArchivedFile:
    """Copy a file into the archive under its SHA-256, once, and return where it is under its own name.

    The same bytes under another name are a second name of the one copy. The copy is complete on the disk before it gets
    its name, so a crash leaves no half file under a hash.

    Args:
        source: The file as it arrived.
        archive: Root of the archive.
    """
    archive.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=archive, prefix=".arriving-", delete=False) as copy:
        temporary = Path(copy.name)
        try:
            with source.open("rb") as original:
                digest, size = _copy(original, copy)
            os.fsync(copy.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return _settle(temporary, source.name, digest, size, archive)


def safe_name(name: str) -> str:
    """Return a file name that is only a name: no folders, no control characters, not hidden, not overlong."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character if character.isprintable() else "_" for character in last).lstrip(".")
    stem, dot, suffix = printable.rpartition(".")
    return f"{stem[:LONGEST_NAME]}{dot}{suffix[:10]}" if dot else (printable[:LONGEST_NAME] or "unnamed")


def _copy(original: object, copy: object) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    while chunk := original.read(CHUNK_BYTES):  # type: ignore[attr-defined]
        digest.update(chunk)
        copy.write(chunk)  # type: ignore[attr-defined]
        size += len(chunk)
    return digest.hexdigest(), size


def _settle(temporary: Path, name: str, digest: str, size: int, archive: Path) -> ArchivedFile:
    folder = archive / digest[:2] / digest
    present = next(folder.iterdir(), None) if folder.is_dir() else None
    target = folder / safe_name(name)
    if present is not None:
        temporary.unlink()
        if not target.exists():
            os.link(present, target)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o440)
        shutil.move(temporary, target)
    _sync_folder(folder)
    return ArchivedFile(digest, size, str(target.relative_to(archive)))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
