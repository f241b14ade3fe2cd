"""Azure Blob storage. Each request names the version that it is about by its ETag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, BlobServiceClient, ContainerClient

from quarterday.connecting.connectors import Connector
from quarterday.connecting.remote import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    FileChanged,
    Login,
    RemoteFile,
    fetched_path,
    is_wanted,
)
from quarterday.errors import OperatorError

SAME = MatchConditions.IfNotModified


class Container:
    """The blobs below one prefix of a container. Paths are ``container/blob``."""

    def __init__(self, connector: Connector, client: ContainerClient, address: str) -> None:
        self._connector, self._client = connector, client
        self._container, _, folder = connector.folder.partition("/")
        self._prefix = f"{folder}/" if folder else ""
        self.address = address

    def files(self) -> list[RemoteFile]:
        """Return the blobs that the connector's path means; those deeper down are not among them."""
        found = self._client.walk_blobs(name_starts_with=self._prefix, delimiter="/")
        return [
            RemoteFile(f"{self._container}/{one.name}", str(one.etag), one.size)
            for one in found
            if isinstance(one, BlobProperties) and is_wanted(one.name.removeprefix(self._prefix), self._connector)
        ]

    def read(self, file: RemoteFile) -> Iterator[bytes]:
        """Yield the bytes of exactly this version."""
        with _or_changed(file):
            blob = self._client.get_blob_client(_key(file.path))
            yield from blob.download_blob(etag=file.version, match_condition=SAME).chunks()

    def move(self, file: RemoteFile, name: str) -> None:
        """Copy the blob to ``fetched/``, then delete it; each only if it is still this version."""
        target = self._client.get_blob_client(_key(fetched_path(file, name)))
        target.upload_blob(self.read(file), length=file.size, overwrite=False)
        self.delete(file)

    def delete(self, file: RemoteFile) -> None:
        """Delete exactly this version."""
        with _or_changed(file):
            self._client.get_blob_client(_key(file.path)).delete_blob(etag=file.version, match_condition=SAME)


@contextmanager
def open_azure(connector: Connector, login: Login) -> Iterator[Container]:
    """Open a container: by the extra ``connection_string``, or by account name (login) and key (password) or SAS.

    Raises:
        OperatorError: The connection holds neither.
    """
    options: dict[str, Any] = {
        "connection_timeout": int(CONNECT_SECONDS),
        "read_timeout": int(ANSWER_SECONDS),
        "retry_total": 2,
    }
    if text := login.extra.get("connection_string"):
        service = BlobServiceClient.from_connection_string(str(text), **options)
    elif login.user or login.host:
        url = login.host or f"https://{login.user}.blob.core.windows.net"
        url = url if "://" in url else f"https://{url}"
        key = {"account_name": login.user or "", "account_key": login.password} if login.password else None
        credential: Any = key or login.extra.get("sas_token")
        service = BlobServiceClient(url, credential, **options)
    else:
        raise OperatorError(f"connection {login.connection} names no account: give a login, or a 'connection_string'")
    with service:
        container = connector.folder.partition("/")[0]
        address = str(service.primary_hostname or service.account_name)
        yield Container(connector, service.get_container_client(container), address)


def _key(path: str) -> str:
    return path.partition("/")[2]


@contextmanager
def _or_changed(file: RemoteFile) -> Iterator[None]:
    try:
        yield
    except (ResourceModifiedError, ResourceNotFoundError):
        raise FileChanged(file.path) from None
