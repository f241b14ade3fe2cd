"""Where files are fetched from: ``returns/connectors.csv``, a line per place, or the file QUARTERDAY_CONNECTORS names.

| column | what it says |
| --- | --- |
| name | what the place is called in errors and in the ledger, as ``stoke_sftp`` |
| kind | one of :data:`KINDS` |
| partner_code | whose inbox folder the files go to |
| connection | Airflow's connection with host, login and secrets; none of them stands in the file |
| path | which files: a folder and a pattern for the name, as ``/outgoing/*.csv``; for ``https`` a whole path |
| after | what becomes of a file that is archived: ``keep``, ``move`` (into ``fetched`` beside it) or ``delete`` |
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarterday.errors import OperatorError
from quarterday.strict_csv import faults_of, read_lines

COLUMNS = ("name", "kind", "partner_code", "connection", "path", "after")
KINDS = ("folder", "sftp", "s3", "azure", "https")
AFTER = ("keep", "move", "delete")
NAME = re.compile(r"[a-z][a-z0-9_]*")
CONNECTION = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Connector:
    """One place that files are fetched from."""

    name: str
    kind: str
    partner_code: str
    connection: str
    path: str
    after: str

    @property
    def folder(self) -> str:
        """The path without its last part; a bucket or container comes first."""
        return self.path.rpartition("/")[0]

    @property
    def pattern(self) -> str:
        """The path's last part, in which ``*``, ``?`` and ``[...]`` stand for other characters."""
        return self.path.rpartition("/")[2]


class ConnectorsAreWrong(OperatorError):
    """The file of connectors can't be used; the message names line, column, what was expected and what was found."""


def load_connectors(path: Path, partners: Container[str]) -> dict[str, Connector]:
    """Return the connectors by name; a file of the heading alone, or none, fetches nothing.

    Args:
        path: The file.
        partners: The codes of ``returns/partners.csv``.

    Raises:
        ConnectorsAreWrong: A column or a value is not as it has to be; all are named.
    """
    if not path.is_file():
        return {}
    rows, faults = read_lines(path, COLUMNS)
    faults += faults_of(rows, COLUMNS, lambda row, seen: _row_faults(row, partners, seen))
    if faults:
        raise _wrong(path, faults)
    return {row["name"]: Connector(*(row[column] for column in COLUMNS)) for _, row in rows}


def names_any_place(path: Path) -> bool:
    """Return whether a line stands below the file's heading, right or wrong: what is wrong is for a run to tell.

    Args:
        path: The file.
    """
    if not path.is_file():
        return False
    return len([line for line in path.read_bytes().splitlines() if line.strip()]) > 1


def _row_faults(row: Mapping[str, str], partners: Container[str], seen: set[str]) -> Iterator[tuple[str, str]]:
    """Give column and what was expected of each value that is wrong."""
    if not NAME.fullmatch(row["name"]) or row["name"] in seen:
        yield "name", "a name as stoke_sftp that no other line has"
    if row["kind"] not in KINDS:
        yield "kind", "one of " + ", ".join(KINDS)
    if row["partner_code"] not in partners:
        yield "partner_code", "a partner of returns/partners.csv"
    if not CONNECTION.fullmatch(row["connection"]):
        yield "connection", "the id of a connection of Airflow, in which the secrets are"
    yield from _path_faults(row)
    if row["after"] not in AFTER:
        yield "after", "one of " + ", ".join(AFTER)
    elif row["kind"] == "https" and row["after"] != "keep":
        yield "after", "keep, for nothing can be moved or deleted by https"


def _path_faults(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    folder, _, pattern = row["path"].rpartition("/")
    if "//" in row["path"] or "@" in folder or ".." in row["path"].split("/"):
        yield "path", "a path alone, without host, login or '..'"
    elif row["kind"] == "https":
        if not row["path"].startswith("/") or set(row["path"]) & set("*?["):
            yield "path", "the whole path of one file, as /returns/current.csv"
    elif not pattern or set(folder) & set("*?["):
        yield "path", "a folder, and a pattern for the file's name alone, as /outgoing/*.csv"
    elif row["kind"] in ("s3", "azure") and (row["path"].startswith("/") or not folder):
        yield "path", "a bucket or container first, as returns/outgoing/*.csv"


def _wrong(path: Path, faults: Sequence[str]) -> ConnectorsAreWrong:
    head = f"ConnectorsAreWrong: {path.name}: nothing was fetched."
    return ConnectorsAreWrong("\n".join([head, *faults, "Mend the file: docs/how-to/add-a-connector.md"]))
