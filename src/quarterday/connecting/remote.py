"""What every kind of place can do, and how one is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Protocol

from quarterday.connecting.connectors import Connector

CHUNK_BYTES = 1 << 20
CONNECT_SECONDS = 20.0
ANSWER_SECONDS = 60.0
# Beside the files that were fetched, where `move` puts them.
FETCHED_FOLDER = "fetched"
UNFINISHED_SUFFIXES = (".part", ".tmp", ".crdownload", ".filepart")
# Words in the names of a connection's extras whose values are never shown.
SECRET_WORDS = ("key", "pass", "secret", "token", "connection_string", "headers", "credential", "sas")


@dataclass(frozen=True)
class Login:
    """What a connection of Airflow holds."""

    connection: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    schema: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def secrets(self) -> list[str]:
        """Return what must stand in no message: the longest first, lest a part of it be left."""
        held = [self.password, *_secret_values(self.extra)]
        return sorted({text for text in held if text and len(text) > 2}, key=len, reverse=True)


@dataclass(frozen=True)
class RemoteFile:
    """A file as a place lists it.

    ``version`` tells it from another file that had its path; empty where the place says nothing that does.
    ``changed_at`` is None where a file appears only when it is whole, as an object in a bucket does.
    """

    path: str
    version: str
    size: int | None = None
    changed_at: datetime | None = None

    @property
    def name(self) -> str:
        """The path's last part."""
        return self.path.rpartition("/")[2]


class FileChanged(Exception):
    """The file is no longer the version that was listed: it is left for the next time."""


class Remote(Protocol):
    """A place that is open. ``address`` names it without any secret."""

    address: str

    def files(self) -> list[RemoteFile]:
        """Return the files that the connector's path means."""

    def read(self, file: RemoteFile) -> Iterator[bytes]:
        """Yield the bytes of exactly this version; :class:`FileChanged` where there is another."""

    def move(self, file: RemoteFile, name: str) -> None:
        """Give the file this name in the folder ``fetched`` beside it; :class:`FileChanged` where it is another."""

    def delete(self, file: RemoteFile) -> None:
        """Delete exactly this version; :class:`FileChanged` where there is another."""


def open_remote(connector: Connector, login: Login) -> AbstractContextManager[Remote]:
    """Open a place. The library that speaks to it is imported here, for one kind only."""
    if connector.kind == "folder":
        from quarterday.connecting.folders import open_folder

        return open_folder(connector, login)
    if connector.kind == "sftp":
        from quarterday.connecting.sftp import open_sftp

        return open_sftp(connector, login)
    if connector.kind == "s3":
        from quarterday.connecting.s3 import open_s3

        return open_s3(connector, login)
    if connector.kind == "azure":
        from quarterday.connecting.azure import open_azure

        return open_azure(connector, login)
    from quarterday.connecting.web import open_web

    return open_web(connector, login)


def is_wanted(name: str, connector: Connector) -> bool:
    """Say whether a name fits the connector's pattern and is not that of a file on its way."""
    visible = name.rpartition("\\")[2]
    is_finished = bool(visible) and not visible.startswith(".") and not name.lower().endswith(UNFINISHED_SUFFIXES)
    return is_finished and fnmatchcase(name, connector.pattern)


def fetched_path(file: RemoteFile, name: str) -> str:
    """Return where `move` puts a file."""
    folder = file.path.rpartition("/")[0]
    return f"{folder}/{FETCHED_FOLDER}/{name}" if folder else f"{FETCHED_FOLDER}/{name}"


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since 1970 as a moment in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _secret_values(extra: Mapping[str, Any]) -> Iterator[str]:
    for name, value in extra.items():
        if name in ("host_key", "key_file"):
            continue
        if isinstance(value, Mapping):
            yield from (str(inner) for inner in value.values())
        elif any(word in name.lower() for word in SECRET_WORDS):
            yield str(value)
