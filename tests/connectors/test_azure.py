"""Azure Blob storage against Azurite, Microsoft's own emulator, where the machine has it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday.connecting.connectors import Connector
from quarterday.connecting.remote import FileChanged, Login, open_remote
from tests.connectors.places import free_port, wait_for

AZURITE = os.environ.get("QUARTERDAY_TEST_AZURITE") or shutil.which("azurite-blob")
ACCOUNT, KEY = "quarterday", base64.b64encode(b"a key of this test's own").decode()
PATH = "returns/outgoing/*.csv"


@pytest.fixture
def login(tmp_path: Path) -> Iterator[Login]:
    """An emulator with an empty container."""
    if not AZURITE:
        pytest.skip("needs Azurite (npm install azurite; QUARTERDAY_TEST_AZURITE names its azurite-blob)")
    from azure.storage.blob import BlobServiceClient

    port = free_port()
    log = tmp_path / "azurite.log"
    words = [AZURITE, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(tmp_path), "--silent"]
    with log.open("wb") as opened:
        server = subprocess.Popen(
            [*words, "--skipApiVersionCheck"],
            env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdout=opened,
            stderr=opened,
        )
    try:
        wait_for(port, log)
        where = f"http://127.0.0.1:{port}/{ACCOUNT}"
        text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={where};"
        with BlobServiceClient.from_connection_string(text) as service:
            service.create_container("returns")
        yield Login("azure", extra={"connection_string": text})
    finally:
        server.terminate()
        server.wait()


def put(login: Login, name: str, content: bytes) -> None:
    from azure.storage.blob import BlobClient

    text = str(login.extra["connection_string"])
    with BlobClient.from_connection_string(text, "returns", f"outgoing/{name}") as blob:
        blob.upload_blob(content, overwrite=True)


@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_blob_is_read_and_cleared_as_one_version(login: Login, after: str) -> None:
    put(login, "q3.csv", b"first")
    put(login, "notes.txt", b"not asked for")
    put(login, "deeper/q3.csv", b"not asked for")
    with open_remote(Connector("one", "azure", "rj_hub", "azure", PATH, after), login) as remote:
        (file,) = remote.files()
        assert (file.path, file.size, b"".join(remote.read(file))) == ("returns/outgoing/q3.csv", 5, b"first")
        put(login, "q3.csv", b"second one")
        for clear in (
            lambda: remote.delete(file),
            lambda: remote.move(file, "old.csv"),
            lambda: list(remote.read(file)),
        ):
            with pytest.raises(FileChanged):
                clear()
        (newer,) = remote.files()
        assert b"".join(remote.read(newer)) == b"second one"
        remote.delete(newer) if after == "delete" else remote.move(newer, "old.csv")
        assert remote.files() == []
    moved = Connector("one", "azure", "rj_hub", "azure", "returns/outgoing/fetched/*.csv", "keep")
    with open_remote(moved, login) as remote:
        assert [file.path for file in remote.files()] == (
            [] if after == "delete" else ["returns/outgoing/fetched/old.csv"]
        )
