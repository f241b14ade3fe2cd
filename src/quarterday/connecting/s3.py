"""S3, and whatever speaks its language, by boto3. Each request names the version that it is about by its ETag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from quarterday.connecting.connectors import Connector
from quarterday.connecting.remote import (
    ANSWER_SECONDS,
    CHUNK_BYTES,
    CONNECT_SECONDS,
    FileChanged,
    Login,
    RemoteFile,
    fetched_path,
    is_wanted,
)

# The object has gone, or is another version by now.
CHANGED = {"PreconditionFailed", "NoSuchKey", "404", "412"}


class Bucket:
    """The objects below one prefix of a bucket. Paths are ``bucket/key``.

    A server may know no condition for a copy or a deletion: before each it is asked which version it has.
    """

    def __init__(self, connector: Connector, client: Any, address: str) -> None:
        self._connector, self._client = connector, client
        self._bucket, _, folder = connector.folder.partition("/")
        self._prefix = f"{folder}/" if folder else ""
        self.address = address

    def files(self) -> list[RemoteFile]:
        """Return the objects that the connector's path means; those deeper down are not among them."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        found = [entry for page in pages for entry in page.get("Contents", [])]
        return [
            RemoteFile(f"{self._bucket}/{one['Key']}", one["ETag"], one["Size"])
            for one in found
            if is_wanted(one["Key"].removeprefix(self._prefix), self._connector)
        ]

    def read(self, file: RemoteFile) -> Iterator[bytes]:
        """Yield the bytes of exactly this version."""
        with _or_changed(file):
            answer = self._client.get_object(**self._place(file.path), IfMatch=file.version)
        with closing(answer["Body"]) as body:
            yield from body.iter_chunks(CHUNK_BYTES)

    def move(self, file: RemoteFile, name: str) -> None:
        """Copy the object to ``fetched/``, then delete it; each only if it is still this version."""
        target = self._place(fetched_path(file, name))
        with _or_changed(file):
            self._client.head_object(**self._place(file.path), IfMatch=file.version)
            self._client.copy_object(**target, CopySource=self._place(file.path), CopySourceIfMatch=file.version)
        self.delete(file)

    def delete(self, file: RemoteFile) -> None:
        """Delete the object, if it is still this version."""
        with _or_changed(file):
            self._client.head_object(**self._place(file.path), IfMatch=file.version)
            self._client.delete_object(**self._place(file.path), IfMatch=file.version)

    def _place(self, path: str) -> dict[str, str]:
        bucket, _, key = path.partition("/")
        return {"Bucket": bucket, "Key": key}


@contextmanager
def open_s3(connector: Connector, login: Login) -> Iterator[Bucket]:
    """Open a bucket: login and password are the access key and its secret; extras ``endpoint_url``, ``region_name``."""
    endpoint = login.extra.get("endpoint_url") or None
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=login.extra.get("region_name") or "eu-west-2",
        aws_access_key_id=login.user or None,
        aws_secret_access_key=login.password or None,
        aws_session_token=login.extra.get("aws_session_token") or None,
        config=Config(connect_timeout=CONNECT_SECONDS, read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 3}),
    )
    try:
        yield Bucket(connector, client, str(client.meta.endpoint_url))
    finally:
        client.close()


@contextmanager
def _or_changed(file: RemoteFile) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in CHANGED:
            raise FileChanged(file.path) from None
        raise
