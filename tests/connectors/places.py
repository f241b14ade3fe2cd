"""Places that files are fetched from, each a real one: a folder, OpenSSH's SFTP server, an S3 server, a web server."""

from __future__ import annotations

import csv
import functools
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest

from quarterday.connecting.connectors import COLUMNS
from quarterday.connecting.remote import Login
from quarterday.settings import Settings

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")
PASSWORD = "correct-horse-battery"
BUCKET = "partner-returns"


class Place(Protocol):
    """A place as its partner sees it; paths are below its folder ``outgoing``."""

    kind: str
    path: str
    login: Login

    def put(self, name: str, content: bytes, age: float = 60.0) -> None:
        """Leave a file there, last changed so many seconds ago."""

    def names(self) -> list[str]:
        """The names of the files that are there, also those in folders."""


@dataclass
class FolderPlace:
    """A folder, by itself or behind the SFTP server."""

    kind: str
    path: str
    login: Login
    root: Path

    def put(self, name: str, content: bytes, age: float = 60.0) -> None:
        file = self.root / name
        file.unlink(missing_ok=True)
        file.write_bytes(content)
        os.utime(file, (time.time() - age,) * 2)

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())


@dataclass
class BucketPlace:
    """A bucket of the S3 server."""

    kind: str
    path: str
    login: Login
    client: Any

    def put(self, name: str, content: bytes, age: float = 60.0) -> None:
        self.client.put_object(Bucket=BUCKET, Key=f"outgoing/{name}", Body=content)

    def names(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(one["Key"].removeprefix("outgoing/") for one in found)


def folder_place(root: Path) -> FolderPlace:
    """A folder of this machine."""
    outgoing = root / "outgoing"
    outgoing.mkdir()
    return FolderPlace("folder", "outgoing/*.csv", Login("share", extra={"path": str(root)}), outgoing)


@dataclass
class SshServer:
    """OpenSSH on a port of this machine, with keys of its own."""

    port: int
    host_key: str
    private_key: str
    process_id: int

    def place(self, root: Path) -> FolderPlace:
        """A folder behind the server."""
        outgoing = root / "outgoing"
        outgoing.mkdir()
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        extra = {"host_key": self.host_key, "private_key": self.private_key}
        login = Login("partner_sftp", "127.0.0.1", self.port, user, extra=extra)
        return FolderPlace("sftp", f"{outgoing}/*.csv", login, outgoing)


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Run sshd as an ordinary process until the block ends."""
    subsystem = next((path for path in SFTP_SERVERS if Path(path).exists()), None)
    if SSHD is None or subsystem is None:
        pytest.skip("needs OpenSSH's sshd and sftp-server (Debian: apt-get install openssh-server)")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # what Debian's service makes for a server that is root's
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"AllowTcpForwarding no\nX11Forwarding no\nSubsystem sftp {subsystem}\n"
    )
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        wait_for(port, folder / "sshd.log")
        key = " ".join((folder / "host.pub").read_text().split()[:2])
        yield SshServer(port, key, (folder / "user").read_text(), server.pid)
    finally:
        server.terminate()
        server.wait()


@contextmanager
def s3_server() -> Iterator[str]:
    """Run moto's S3 server until the block ends; gives its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def bucket_place(address: str) -> BucketPlace:
    """A bucket that is new and empty."""
    import boto3

    extra = {"endpoint_url": address, "region_name": "eu-west-2"}
    client = boto3.client(
        "s3", endpoint_url=address, region_name="eu-west-2", aws_access_key_id="id", aws_secret_access_key=PASSWORD
    )
    for found in client.list_buckets()["Buckets"]:
        for one in client.list_objects_v2(Bucket=found["Name"]).get("Contents", []):
            client.delete_object(Bucket=found["Name"], Key=one["Key"])
        client.delete_bucket(Bucket=found["Name"])
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    return BucketPlace(
        "s3", f"{BUCKET}/outgoing/*.csv", Login("partner_s3", None, None, "id", PASSWORD, None, extra), client
    )


class WebHandler(SimpleHTTPRequestHandler):
    """Serves a folder to who knows the password; a file called ``cut.csv`` breaks off in the middle."""

    def do_HEAD(self) -> None:
        if self.path.endswith("cut.csv"):
            self.send_error(405)
        else:
            super().do_HEAD()

    def do_GET(self) -> None:
        if "Authorization" not in self.headers:
            self.send_error(401)
        elif self.path.endswith("cut.csv"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def web_server(folder: Path) -> Iterator[Login]:
    """Serve a folder on a port of this machine; gives the login."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(WebHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield Login("partner_web", "127.0.0.1", server.server_port, "who", PASSWORD, "http")
    finally:
        server.shutdown()
        server.server_close()


def write_connectors(settings: Settings, *rows: tuple[str, ...]) -> None:
    """Write the file of connectors that the settings name."""
    settings.connectors.parent.mkdir(parents=True, exist_ok=True)
    with settings.connectors.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def wait_for(port: int, log: Path) -> None:
    """Wait until somebody listens on a port."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
