"""Files come from real servers into the inbox: whole or not at all, once, and are cleared only when archived."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2 import sql

from quarterday.connecting import fetching
from quarterday.connecting.connectors import Connector
from quarterday.connecting.fetching import ConnectorFailed, fetch
from quarterday.connecting.folders import LEAVING
from quarterday.connecting.remote import FileChanged, Login, open_remote
from quarterday.inbox import sweep
from quarterday.settings import Settings
from tests.conftest import database_named, run_on_server, session_settings
from tests.connectors import places
from tests.path_support import DEMO, expected_returns, rows_of

GOOD = next(row for row in expected_returns(1) if row["form"] == "restorative_justice_hub")
PARTNER, NAME = GOOD["partner_code"], GOOD["file"]
numbers = itertools.count()
CONTENT = (DEMO / "returns" / PARTNER / NAME).read_bytes()
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEZAahrGnAjJlYrgdl+LRtEwOIoTYJeqQDgbCvtGMgXG"


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[places.SshServer]:
    with places.ssh_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with places.s3_server() as address:
        yield address


@pytest.fixture(params=["folder", "sftp", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> places.Place:
    root = tmp_path / "partner"
    root.mkdir()
    if request.param == "sftp":
        return request.getfixturevalue("ssh").place(root)  # type: ignore[no-any-return]
    if request.param == "s3":
        return places.bucket_place(request.getfixturevalue("s3"))
    return places.folder_place(root)


@pytest.fixture(scope="module")
def database(template: str) -> Iterator[str]:
    """One warehouse for all: each test has partners' bytes and a connector of its own."""
    name = f"quarterday_test_connectors_{os.getpid()}"
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    run_on_server(sql.SQL("grant connect on database {} to quarterday_loader").format(sql.Identifier(name)))
    yield name
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The warehouse with folders and a file of connectors of its own, and the logins that a test gives it."""
    logins: dict[str, Login] = {}
    monkeypatch.setattr(fetching, "login_of", lambda connection: logins[connection])
    monkeypatch.setattr(fetching, "_test_logins", logins, raising=False)
    return replace(
        session_settings(),
        home=tmp_path / "home",
        inbox=tmp_path / "inbox",
        archive=tmp_path / "archive",
        receipts=tmp_path / "receipts",
        server_url=database_named(database),
        named_connectors=tmp_path / "connectors.csv",
    )


@pytest.fixture
def content() -> bytes:
    """A return that no other test has sent."""
    return CONTENT + b"\n" * next(numbers)


def connect_to(place: places.Place, settings: Settings, after: str = "keep") -> Connector:
    fetching._test_logins[place.login.connection] = place.login  # type: ignore[attr-defined]
    row = (
        settings.home.parent.name.replace("-", "_").lower(),
        place.kind,
        PARTNER,
        place.login.connection,
        place.path,
        after,
    )
    places.write_connectors(settings, row)
    return Connector(*row)


def fetch_all(settings: Settings) -> fetching.Fetched:
    """Fetch by the test's one connector."""
    (name,) = fetching.connectors_of(settings)
    return fetch(name, settings)


def inbox(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in settings.inbox.glob("*/*")}


def test_a_file_comes_whole_and_once(place: places.Place, home: Settings, content: bytes) -> None:
    connect_to(place, home)
    place.put(NAME, content)
    place.put("notes.txt", b"not asked for")
    place.put("half.csv.part", b"on its way")
    assert fetch_all(home).brought == [f"{PARTNER}/{NAME}"]
    assert inbox(home) == {NAME: content}
    assert fetch_all(home).left != [] and inbox(home) == {NAME: content}
    assert len(sweep(home).registered) == 1
    assert fetch_all(home) == fetching.Fetched()
    assert inbox(home) == {} and len(place.names()) == 3


def test_a_file_that_changed_comes_again(place: places.Place, home: Settings, content: bytes) -> None:
    connect_to(place, home)
    place.put(NAME, content)
    fetch_all(home)
    place.put(NAME, content + b"\n", age=50)
    assert fetch_all(home).brought == [], "the first one still waits under the name"
    sweep(home)
    assert fetch_all(home).brought == [f"{PARTNER}/{NAME}"]
    assert inbox(home) == {NAME: content + b"\n"}


@pytest.mark.parametrize(
    ("place", "after"),
    [("folder", "move"), ("folder", "delete"), ("sftp", "move"), ("s3", "delete")],
    indirect=["place"],
)
def test_a_file_leaves_its_place_only_when_it_is_archived(
    after: str, place: places.Place, home: Settings, content: bytes
) -> None:
    connect_to(place, home, after)
    place.put(NAME, content)
    for _ in range(2):
        fetch_all(home)
        assert place.names() == [NAME]
    sweep(home)
    assert len(fetch_all(home).cleared) == 1
    left = place.names()
    assert left == [] if after == "delete" else (len(left) == 1 and left[0].startswith("fetched/") and NAME in left[0])


@pytest.mark.parametrize(
    ("place", "after"),
    [("folder", "move"), ("folder", "delete"), ("sftp", "delete"), ("s3", "move")],
    indirect=["place"],
)
def test_a_newer_version_is_never_cleared_for_the_older(
    after: str, place: places.Place, home: Settings, content: bytes
) -> None:
    connector = connect_to(place, home, after)
    place.put(NAME, content)
    with open_remote(connector, place.login) as remote:
        (file,) = remote.files()
        place.put(NAME, b"newer", age=40)
        with pytest.raises(FileChanged):
            remote.delete(file) if after == "delete" else remote.move(file, "old.csv")
        with pytest.raises(FileChanged):
            list(remote.read(file))
        assert place.names() == [NAME]
        (newer,) = remote.files()
        assert b"".join(remote.read(newer)) == b"newer"
        remote.delete(newer) if after == "delete" else remote.move(newer, "old.csv")
        assert place.names() == ([] if after == "delete" else ["fetched/old.csv"])


def test_a_file_taken_from_the_inbox_by_somebody_comes_again(
    place: places.Place, home: Settings, content: bytes
) -> None:
    connect_to(place, home, "delete")
    place.put(NAME, content)
    fetch_all(home)
    (home.inbox / PARTNER / NAME).unlink()
    assert fetch_all(home).brought == [f"{PARTNER}/{NAME}"]
    assert place.names() == [NAME]


def test_a_fetch_cut_off_before_it_is_noted_doubles_nothing(
    home: Settings, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places.folder_place(tmp_path)
    connect_to(place, home)
    place.put(NAME, content)
    with monkeypatch.context() as patched:
        patched.setattr(fetching, "_note", lambda *words: (_ for _ in ()).throw(OSError("cut off")))
        with pytest.raises(ConnectorFailed, match="cut off"):
            fetch_all(home)
    sweep(home)
    fetch_all(home)
    sweep(home)
    digest = hashlib.sha256(content).hexdigest()
    arrivals = f"select was_known from ledger.arrival join ledger.load using (load_id) where file_sha256 = '{digest}'"
    assert [row["was_known"] for row in rows_of(f"{arrivals} order by arrival_id", home, "owner")] == [False]
    assert rows_of(f"select 1 as n from ledger.load where file_sha256 = '{digest}'", home, "owner") == [{"n": 1}]


def test_a_file_that_still_changes_waits(home: Settings, content: bytes, tmp_path: Path) -> None:
    place = places.folder_place(tmp_path)
    connect_to(place, home)
    place.put(NAME, content, age=1)
    assert fetch_all(home).left == [f"{tmp_path}/outgoing/{NAME}"]
    assert inbox(home) == {}


def test_a_link_is_not_followed(home: Settings, content: bytes, tmp_path: Path) -> None:
    place = places.folder_place(tmp_path)
    connect_to(place, home)
    (place.root / "link.csv").symlink_to("/etc/hostname")
    assert fetch_all(home) == fetching.Fetched()


def test_a_file_whose_clearing_was_cut_off_gets_its_name_back(home: Settings, content: bytes, tmp_path: Path) -> None:
    place = places.folder_place(tmp_path)
    connect_to(place, home)
    place.put(f"{LEAVING}0a1b2c3d-{NAME}", content)
    fetch_all(home)
    assert place.names() == [NAME]


def test_a_web_page_comes_once_and_again_when_it_changed(home: Settings, content: bytes, tmp_path: Path) -> None:
    with places.web_server(tmp_path) as login:
        file = tmp_path / NAME
        place = places.FolderPlace("https", f"/{NAME}", login, tmp_path)
        connect_to(place, home)
        file.write_bytes(content)
        os.utime(file, (1e9, 1e9))
        assert fetch_all(home).brought == [f"{PARTNER}/{NAME}"]
        sweep(home)
        assert fetch_all(home).brought == []
        file.write_bytes(content + b"\n")
        assert fetch_all(home).brought == [f"{PARTNER}/{NAME}"]


def test_a_transfer_that_breaks_off_leaves_nothing_in_the_inbox(home: Settings, content: bytes, tmp_path: Path) -> None:
    with places.web_server(tmp_path) as login:
        (tmp_path / "cut.csv").write_bytes(b"x" * 1000)
        connect_to(places.FolderPlace("https", "/cut.csv", login, tmp_path), home)
        with pytest.raises(ConnectorFailed, match="cut.csv"):
            fetch_all(home)
    assert inbox(home) == {}


def test_a_place_that_is_down_is_named_and_the_others_go_on(home: Settings, content: bytes, tmp_path: Path) -> None:
    place = places.folder_place(tmp_path)
    place.put(NAME, content)
    down = Login("far", "127.0.0.1", places.free_port(), "who", places.PASSWORD, extra={"host_key": OTHER_KEY})
    fetching._test_logins.update(far=down, share=place.login)  # type: ignore[attr-defined]
    places.write_connectors(
        home,
        ("stoke_sftp", "sftp", PARTNER, "far", "/outgoing/*.csv", "keep"),
        ("share", "folder", PARTNER, "share", place.path, "keep"),
    )
    with pytest.raises(ConnectorFailed) as told:
        fetch("stoke_sftp", home)
    for word in ("stoke_sftp", "127.0.0.1", "/outgoing/*.csv", "connection far", "docs/runbooks/inbox__fetch.md"):
        assert word in str(told.value)
    assert fetch("share", home).brought == [f"{PARTNER}/{NAME}"]


def test_a_server_with_another_key_is_refused(
    ssh: places.SshServer, home: Settings, content: bytes, tmp_path: Path
) -> None:
    place = ssh.place(tmp_path)
    place.login = replace(place.login, extra={**place.login.extra, "host_key": OTHER_KEY})
    connect_to(place, home)
    place.put(NAME, content)
    with pytest.raises(ConnectorFailed, match="[Kk]ey"):
        fetch_all(home)
    assert inbox(home) == {}


@pytest.mark.parametrize(
    "login",
    [
        Login("c", "127.0.0.1", 1, "who", places.PASSWORD, "http"),
        Login("c", extra={"path": "/nowhere", "private_key": places.PASSWORD}),
        Login("c", None, None, "id", places.PASSWORD, None, {"endpoint_url": "http://who:in-the-address@127.0.0.1:1"}),
    ],
    ids=["https", "folder", "s3"],
)
def test_no_secret_is_told(
    login: Login, home: Settings, content: bytes, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    kind = request.node.callspec.id
    path = {"https": "/file.csv", "folder": "outgoing/*.csv", "s3": "bucket/outgoing/*.csv"}[kind]
    connect_to(places.FolderPlace(kind, path, login, Path("/")), home)
    with pytest.raises(ConnectorFailed) as told:
        fetch_all(home)
    told_of = str(told.value) + caplog.text + repr(login)
    assert places.PASSWORD not in told_of and "in-the-address" not in told_of
    assert told.value.__cause__ is None and told.value.__suppress_context__
