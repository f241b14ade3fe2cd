"""A file by HTTPS, told from another version by its ETag or its date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import httpx

from quarterday.connecting.connectors import Connector
from quarterday.connecting.remote import ANSWER_SECONDS, CHUNK_BYTES, CONNECT_SECONDS, FileChanged, Login, RemoteFile
from quarterday.errors import OperatorError

NOT_ALLOWED = (405, 501)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WebFile:
    """One file of a web server."""

    def __init__(self, connector: Connector, client: httpx.Client, address: str) -> None:
        self._connector, self._client = connector, client
        self.address = address

    def files(self) -> list[RemoteFile]:
        """Return the file, with its version where the server tells one without sending the file."""
        answer = self._client.head(quote(self._connector.path))
        if answer.status_code in NOT_ALLOWED:
            return [RemoteFile(self._connector.path, "")]
        self._refuse(answer)
        size = answer.headers.get("content-length")
        return [RemoteFile(self._connector.path, _version(answer), int(size) if size else None)]

    def read(self, file: RemoteFile) -> Iterator[bytes]:
        """Yield the bytes as the server sends them."""
        with self._client.stream("GET", quote(file.path)) as answer:
            self._refuse(answer)
            if file.version and _version(answer) != file.version:
                raise FileChanged(file.path)
            yield from answer.iter_raw(CHUNK_BYTES)

    def move(self, file: RemoteFile, name: str) -> None:
        """Refuse: nothing can be moved by https."""
        raise OperatorError(f"{file.path} can't be moved by https")

    def delete(self, file: RemoteFile) -> None:
        """Refuse: nothing can be deleted by https."""
        raise OperatorError(f"{file.path} can't be deleted by https")

    def _refuse(self, answer: httpx.Response) -> None:
        if answer.url.scheme != "https" and answer.url.host not in LOOPBACK:
            raise OperatorError(f"the server leads on to {answer.url.host} without https")
        if answer.status_code != httpx.codes.OK:
            raise OperatorError(f"the server answered {answer.status_code} {answer.reason_phrase}")


@contextmanager
def open_web(connector: Connector, login: Login) -> Iterator[WebFile]:
    """Open a server: login and password, or the extra ``headers``, say who asks.

    Raises:
        OperatorError: The connection names no host, or one that is asked without https.
    """
    host, _, scheme = str(login.host or "").rpartition("://")[::-1]
    scheme = scheme or login.schema or "https"
    if not host or (scheme != "https" and host not in LOOPBACK):
        raise OperatorError(f"connection {login.connection} names no host that is reached by https")
    address = f"{scheme}://{host}" + (f":{login.port}" if login.port else "")
    headers = {"Accept-Encoding": "identity", **dict(login.extra.get("headers") or {})}
    auth = (login.user, login.password or "") if login.user else None
    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    with httpx.Client(base_url=address, headers=headers, auth=auth, timeout=timeout, follow_redirects=True) as client:
        yield WebFile(connector, client, address)


def _version(answer: httpx.Response) -> str:
    told = [answer.headers.get(name) for name in ("etag", "last-modified")]
    return " ".join(part for part in told if part)
