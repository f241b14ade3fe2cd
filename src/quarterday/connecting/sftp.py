"""SFTP by paramiko. The server must show the host key that the connection holds; any other is refused."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from stat import S_ISREG
from typing import Any

import paramiko

from quarterday.connecting.connectors import Connector
from quarterday.connecting.folders import Entry, Folder
from quarterday.connecting.remote import ANSWER_SECONDS, CONNECT_SECONDS, Login
from quarterday.errors import OperatorError

PORT = 22


class SftpFolder(Folder):
    """A folder of an SFTP server."""

    def __init__(self, connector: Connector, folder: str, client: paramiko.SFTPClient, address: str) -> None:
        super().__init__(connector, folder)
        self._client = client
        self.address = address

    def entries(self) -> list[Entry]:
        """Return what is in the folder."""
        return [_entry(found.filename, found) for found in self._client.listdir_attr(self.folder)]

    def entry(self, path: str) -> Entry:
        """Return one file's entry."""
        return _entry(posixpath.basename(path), self._client.lstat(path))

    def opened(self, path: str) -> paramiko.SFTPFile:
        """Open a file for reading, several requests ahead of the answers."""
        file = self._client.open(path, "rb")
        file.prefetch()
        return file

    def rename(self, path: str, target: str) -> None:
        """Give a file another name; OpenSSH refuses one that is taken."""
        self._client.rename(path, target)

    def remove(self, path: str) -> None:
        """Delete a file."""
        self._client.remove(path)

    def make_folder(self, path: str) -> None:
        """Make a folder unless it is there."""
        try:
            self._client.stat(path)
        except FileNotFoundError:
            self._client.mkdir(path)


@contextmanager
def open_sftp(connector: Connector, login: Login) -> Iterator[SftpFolder]:
    """Log in by password or private key (extra ``private_key`` or ``key_file``) and open the folder.

    Raises:
        OperatorError: The connection names no host, or no ``host_key`` by which the server is known.
    """
    port = login.port or PORT
    if not login.host:
        raise OperatorError(f"connection {login.connection} names no host")
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        _trust(client, login, port)
        client.connect(
            login.host, port, login.user, login.password, _private_key(login), login.extra.get("key_file"),
            timeout=CONNECT_SECONDS, banner_timeout=CONNECT_SECONDS, auth_timeout=CONNECT_SECONDS,
            allow_agent=False, look_for_keys=False,
        )  # fmt: skip
        with client.open_sftp() as sftp:
            channel = sftp.get_channel()
            if channel:
                channel.settimeout(ANSWER_SECONDS)
            yield SftpFolder(connector, connector.folder or "/", sftp, f"{login.host}:{port}")


def _trust(client: paramiko.SSHClient, login: Login, port: int) -> None:
    name = str(login.host) if port == PORT else f"[{login.host}]:{port}"
    lines = [line for line in str(login.extra.get("host_key") or "").splitlines() if line.strip()]
    if not lines:
        raise OperatorError(
            f"connection {login.connection} has no extra 'host_key', without which anybody could answer for "
            f"{login.host}; ask its people for the key (as 'ssh-ed25519 AAAA...')"
        )
    for line in lines:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {line.strip()}")
        if entry is None or entry.key is None:
            raise OperatorError(f"connection {login.connection} has a 'host_key' that is none")
        client.get_host_keys().add(name, entry.key.get_name(), entry.key)


def _private_key(login: Login) -> paramiko.PKey | None:
    text, phrase = login.extra.get("private_key"), login.extra.get("private_key_passphrase")
    if not text:
        return None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key: paramiko.PKey = kind.from_private_key(io.StringIO(str(text)), password=phrase)
        except (paramiko.SSHException, ValueError):
            continue
        return key
    raise OperatorError(
        f"connection {login.connection} has a 'private_key' that can't be read, or its passphrase is wrong"
    )


def _entry(name: str, found: Any) -> Entry:
    size, changed = found.st_size or 0, found.st_mtime or 0
    return Entry(name, f"{size}-{changed}", size, changed, S_ISREG(found.st_mode or 0))
