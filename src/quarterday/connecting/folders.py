"""Places that are folders: on this machine or a mounted drive, and the part that SFTP shares with them.

Nothing takes a file's name from it for good before it is known to be the version that was fetched: it first gets a
name of ours, is looked at, and gets its own back if a newer one had come.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
from typing import IO, Any

from quarterday.connecting.connectors import Connector
from quarterday.connecting.remote import (
    CHUNK_BYTES,
    FETCHED_FOLDER,
    FileChanged,
    Login,
    RemoteFile,
    fetched_path,
    is_wanted,
    moment,
)
from quarterday.errors import OperatorError

# A file on its way out of the folder; found at the next listing, it gets its name back.
LEAVING = ".quarterday-leaving-"
# What a drive of another kind of system says that knows no second names.
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


@dataclass(frozen=True)
class Entry:
    """A name in a folder, and what tells one version of its file from another."""

    name: str
    version: str
    size: int
    changed: float
    is_file: bool


class Folder(ABC):
    """A folder, by the few things that a file system and SFTP both can do."""

    address: str

    def __init__(self, connector: Connector, folder: str) -> None:
        self.connector = connector
        self.folder = folder

    @abstractmethod
    def entries(self) -> list[Entry]:
        """Return what is in the folder; links are not followed."""

    @abstractmethod
    def entry(self, path: str) -> Entry:
        """Return one file's entry, or raise FileNotFoundError."""

    @abstractmethod
    def opened(self, path: str) -> Any:
        """Open a file for reading, as a context."""

    @abstractmethod
    def rename(self, path: str, target: str) -> None:
        """Give a file another name that is free."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Delete a file."""

    @abstractmethod
    def make_folder(self, path: str) -> None:
        """Make a folder unless it is there."""

    def files(self) -> list[RemoteFile]:
        """Return the files that the connector's path means."""
        found = self.entries()
        self._give_names_back(found)
        return [
            RemoteFile(posixpath.join(self.folder, one.name), one.version, one.size, moment(one.changed))
            for one in found
            if one.is_file and is_wanted(one.name, self.connector)
        ]

    def read(self, file: RemoteFile) -> Iterator[bytes]:
        """Yield the file's bytes; it must be the same after the last of them as when it was listed."""
        with self._or_changed(), self.opened(file.path) as opened:
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk
        self._refuse_another(file, file.path)

    def move(self, file: RemoteFile, name: str) -> None:
        """Move the file into the folder ``fetched`` beside it."""
        self.make_folder(posixpath.join(self.folder, FETCHED_FOLDER))
        self.rename(self._taken_aside(file), fetched_path(file, name))

    def delete(self, file: RemoteFile) -> None:
        """Delete the file."""
        self.remove(self._taken_aside(file))

    def _taken_aside(self, file: RemoteFile) -> str:
        aside = posixpath.join(self.folder, f"{LEAVING}{token_hex(4)}-{file.name}")
        with self._or_changed():
            self.rename(file.path, aside)
        try:
            self._refuse_another(file, aside)
        except FileChanged:
            self.rename(aside, file.path)
            raise
        return aside

    def _give_names_back(self, found: list[Entry]) -> None:
        names = {one.name for one in found}
        for one in found:
            if one.name.startswith(LEAVING):
                name = one.name.removeprefix(LEAVING).partition("-")[2]
                if name not in names:
                    self.rename(posixpath.join(self.folder, one.name), posixpath.join(self.folder, name))

    def _refuse_another(self, file: RemoteFile, path: str) -> None:
        with self._or_changed():
            if self.entry(path).version != file.version:
                raise FileChanged(file.path)

    @contextmanager
    def _or_changed(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise FileChanged(str(error)) from None


class LocalFolder(Folder):
    """A folder of this machine, or a drive that is mounted."""

    def __init__(self, connector: Connector, folder: str) -> None:
        super().__init__(connector, folder)
        self.address = "this machine"

    def entries(self) -> list[Entry]:
        """Return what is in the folder."""
        found = []
        for path in Path(self.folder).iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append(self.entry(str(path)))
        return found

    def entry(self, path: str) -> Entry:
        """Return one file's entry; the inode tells versions apart that came at one moment."""
        found = os.lstat(path)
        version = f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"
        return Entry(Path(path).name, version, found.st_size, found.st_mtime, S_ISREG(found.st_mode))

    def opened(self, path: str) -> IO[bytes]:
        """Open a file for reading."""
        return Path(path).open("rb")

    def rename(self, path: str, target: str) -> None:
        """Give a file another name; one that is taken is not written over."""
        try:
            os.link(path, target)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            Path(path).rename(target)  # names of ours are drawn at random or dated: nobody else takes them
        else:
            Path(path).unlink()

    def remove(self, path: str) -> None:
        """Delete a file."""
        Path(path).unlink()

    def make_folder(self, path: str) -> None:
        """Make a folder unless it is there."""
        Path(path).mkdir(exist_ok=True)


@contextmanager
def open_folder(connector: Connector, login: Login) -> Iterator[LocalFolder]:
    """Open a folder below the connection's extra ``path``, as Airflow's File (path) connections have it.

    Raises:
        OperatorError: The connection names no path.
    """
    root = str(login.extra.get("path") or "")
    if not root.startswith("/"):
        raise OperatorError(f"connection {login.connection} has no extra 'path' that begins with /")
    yield LocalFolder(connector, posixpath.join(root, connector.folder.lstrip("/")))
