"""Holds the archive against the ledger: every file that was ever received is there, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from quarterday import runbooks
from quarterday.errors import QuarterdayError
from quarterday.settings import Settings
from quarterday.warehouse import connect

SHOWN = 20


class ArchiveIsDamaged(QuarterdayError):
    """Files of the archive are missing or not what was received; the message names them and says what to do."""


class Kept(NamedTuple):
    """A file that the ledger says the archive has; ``archive_path`` is below the archive's root."""

    load_id: str
    file_name: str
    archive_path: str
    file_sha256: str


def verify_archive(settings: Settings) -> int:
    """Read every file of ``ledger.load`` in the archive and compare its SHA-256; return how many files there are.

    Raises:
        ArchiveIsDamaged: A file is missing or has changed.
    """
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute("select load_id::text, file_name, archive_path, file_sha256 from ledger.load order by load_id")
        kept = [Kept(*row) for row in cursor.fetchall()]
    wrong = problems_of(settings.archive, kept)
    if wrong:
        more = [f"  and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise ArchiveIsDamaged(
            "\n".join(
                [f"{len(wrong)} files of the archive {settings.archive} are not what was received:"]
                + [f"  {problem}" for problem in wrong[:SHOWN]]
                + more
                + [
                    "What is published is untouched. Put each file back from a copy of the archive, or ask its partner"
                    f" for the same file; then run this again: {runbooks.link('damaged-archive')}"
                ]
            )
        )
    return len({one.archive_path for one in kept})


def problems_of(archive: Path, kept: Iterable[Kept]) -> list[str]:
    """Return a line for each file that is missing or has changed, by its path; each file is read once."""
    files = {one.archive_path: one for one in kept}
    return [problem for path, one in sorted(files.items()) if (problem := _problem(archive / path, one))]


def _problem(path: Path, one: Kept) -> str | None:
    said = f"load {one.load_id} {one.file_name}: {path}"
    if not path.is_file():
        return f"{said} is missing"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == one.file_sha256:
        return None
    return f"{said} has changed: expected SHA-256 {one.file_sha256}, found {found}"
