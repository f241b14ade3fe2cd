"""A file is taken once, whole, or stays: whatever happens between the inbox and the ledger."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from quarterday import archiving, inbox, loading, receipts, releasing
from quarterday.errors import OperatorError
from quarterday.inbox import FilesNotTaken, raise_failures, sweep
from quarterday.settings import Settings
from tests.path_support import DEMO, expected_returns, put_into_inbox, rows_of

GOOD = next(row for row in expected_returns(1) if row["form"] == "restorative_justice_hub")
OTHER = next(row for row in expected_returns(1) if row["form"] == "custody_visiting")


def put(row: dict[str, str], settings: Settings, name: str | None = None) -> Path:
    return put_into_inbox(DEMO / "returns" / row["partner_code"] / row["file"], row["partner_code"], settings, name)


def key_of(row: dict[str, str]) -> str:
    return f"{row['form']}|{row['reporting_quarter']}"


def loads(settings: Settings) -> list[dict[str, object]]:
    return rows_of("select file_name, state from ledger.load_state order by load_id", settings, "owner")


def archived(settings: Settings) -> list[Path]:
    return [path for path in settings.archive.rglob("*") if path.is_file()]


@pytest.fixture(params=["moved", "copied"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways into the archive: the file itself, and a copy where it can't be moved and no lease is to be had."""
    if request.param == "copied":
        monkeypatch.setattr(archiving, "_lease", lambda file: False)
    return str(request.param)


def test_a_file_is_registered_archived_and_taken_out(settings: Settings, way: str) -> None:
    path = put(GOOD, settings)
    content, inode = path.read_bytes(), path.stat().st_ino
    swept = sweep(settings)
    assert swept.keys == [key_of(GOOD)]
    assert not path.exists()
    (row,) = rows_of("select archive_path from ledger.load", settings, "owner")
    kept = settings.archive / row["archive_path"]
    assert kept.read_bytes() == content
    assert archived(settings) == [kept] and kept.stat().st_nlink == 1
    assert stat.S_IMODE(kept.stat().st_mode) == 0o440
    assert (kept.stat().st_ino == inode) is (way == "moved")


def test_a_file_that_somebody_has_open_for_writing_waits_for_the_next_sweep(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
    with path.open("r+b"):
        swept = sweep(settings)
        assert (swept.registered, swept.failures) == ([], {})
        assert path.exists() and archived(settings) == []
        monkeypatch.setattr(inbox, "HELD_SECONDS", -1.0)
        assert "open for writing" in sweep(settings).failures[f"{GOOD['partner_code']}/{GOOD['file']}"]
    assert len(sweep(settings).registered) == 1


def test_on_a_network_drive_an_open_file_is_taken_as_it_stands(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
    monkeypatch.setattr(archiving, "SHARED_KINDS", ("",))
    with path.open("r+b"):
        assert len(sweep(settings).registered) == 1


def test_a_file_that_is_opened_for_writing_while_it_is_registered_is_put_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
    path.chmod(0o664)
    before, note = path.stat(), inbox._note_arrival

    def open_then_note(*words: object) -> None:
        (place,) = archiving.files_left(settings.archive)
        place.chmod(0o600)
        with pytest.raises(BlockingIOError):  # without O_NONBLOCK the writer would wait until the file is put back
            os.open(place, os.O_WRONLY | os.O_NONBLOCK)
        note(*words)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "_note_arrival", open_then_note)
        assert sweep(settings).registered == []
    after = path.stat()
    assert (after.st_ino, after.st_mode, after.st_nlink) == (before.st_ino, before.st_mode, 1)
    assert archived(settings) == [] and loads(settings) == []
    assert len(sweep(settings).registered) == 1


@pytest.mark.parametrize("reason", ["a second name", "another owner"])
def test_a_file_that_others_could_still_write_to_is_copied(reason: str, settings: Settings, tmp_path: Path) -> None:
    path, other = put(GOOD, settings), tmp_path / "second name"
    content = path.read_bytes()
    os.link(path, other)
    if reason == "another owner":
        if os.geteuid():
            pytest.skip("only root can give a file to another user")
        other.unlink()
        os.chown(path, 12345, -1)
    sweep(settings)
    if other.exists():
        other.write_bytes(b"something else")
    (kept,) = archived(settings)
    assert kept.read_bytes() == content and kept.stat().st_uid == os.geteuid()
    assert not path.exists()


@pytest.mark.parametrize("moment", ["set aside", "archived", "registered"])
def test_a_sweep_that_is_killed_loses_nothing_and_doubles_nothing(moment: str, settings: Settings) -> None:
    path = put(GOOD, settings)
    content = path.read_bytes()
    child = os.fork()
    if child == 0:
        owner, name = {
            "set aside": (archiving._Move, "settle"),
            "archived": (archiving.Taken, "keep"),
            "registered": (Path, "unlink"),
        }[moment]
        setattr(owner, name, lambda *words, **options: os._exit(9))
        sweep(settings)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not path.exists() and len(archiving.files_left(settings.archive)) == 1
    path.write_bytes(b"another version, not settled yet")  # no name that it could be reached by is the archive's
    assert len(sweep(settings).registered) == 1
    (row,) = rows_of(
        "select archive_path, was_known from ledger.load join ledger.arrival using (load_id)", settings, "owner"
    )
    assert row["was_known"] is False
    assert archived(settings) == [settings.archive / row["archive_path"]]
    assert archived(settings)[0].read_bytes() == content
    assert path.exists()


def test_a_file_of_no_form_has_its_receipt_once_it_is_registered_and_only_then(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = tmp_path / "holiday.csv"
    strange.write_text("place,days\nStoke,3\n")
    put_into_inbox(strange, "rj_hub", settings)
    with monkeypatch.context() as patched:
        patched.setattr(archiving.Taken, "keep", lambda taken: False)  # the transaction is rolled back
        sweep(settings)
    assert loads(settings) == [] and not any(settings.receipts.glob("*"))
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "write_missing", lambda *words: [])  # killed after its commit
        sweep(settings)
    assert len(loads(settings)) == 1 and not any(settings.receipts.glob("*"))
    sweep(settings)
    assert not any(settings.receipts.glob("*"))  # its own task may be writing it
    monkeypatch.setattr(receipts, "BEING_WRITTEN", "0 seconds")
    sweep(settings)
    assert sorted(path.suffix for path in settings.receipts.iterdir()) == [".html", ".xlsx"]


def test_what_a_killed_sweep_left_of_a_copy_is_cleared_away(settings: Settings) -> None:
    settings.archive.mkdir(parents=True)
    (settings.archive / f"{archiving.ARRIVING}abc").write_text("half of")
    put(GOOD, settings)
    sweep(settings)
    assert [path.name for path in archived(settings)] == [GOOD["file"]]


def test_a_file_that_may_still_be_arriving_is_left(settings: Settings) -> None:
    fresh, part = put(GOOD, settings), put(OTHER, settings, "custody.csv.part")
    os.utime(fresh)
    assert sweep(settings).registered == []
    assert fresh.exists() and part.exists()


def test_a_file_that_changes_while_it_is_copied_is_left_for_the_next_sweep(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, archive_file = put(GOOD, settings), archiving.archive_file

    def copy_then_grow(source: Path, archive: Path) -> archiving.ArchivedFile:
        copied = archive_file(source, archive)
        with source.open("ab") as file:
            file.write(b"\r\n")
        return copied

    monkeypatch.setattr(archiving, "_lease", lambda file: False)
    monkeypatch.setattr(archiving, "archive_file", copy_then_grow)
    assert sweep(settings).registered == []
    assert path.exists() and loads(settings) == []


@pytest.mark.usefixtures("way")
def test_a_version_that_replaces_a_file_while_it_is_registered_is_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
    content, note = path.read_bytes(), inbox._note_arrival

    def replace_then_note(*words: object) -> None:
        newer = path.with_name("newer")
        newer.write_bytes(b"newer")
        newer.replace(path)
        note(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "_note_arrival", replace_then_note)
    assert len(sweep(settings).registered) == 1
    assert path.read_bytes() == b"newer", "the newer version was never archived, so it must not go"
    assert [kept.read_bytes() for kept in archived(settings)] == [content]


def test_a_file_that_cannot_be_taken_does_not_replace_a_newer_one_of_its_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
    content = path.read_bytes()

    def replace_and_fail(*words: object) -> None:
        path.write_bytes(b"newer")
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "_note_arrival", replace_and_fail)
        assert list(sweep(settings).failures) == [f"{GOOD['partner_code']}/{GOOD['file']}"]
    assert path.read_bytes() == b"newer"
    assert archived(settings) == archiving.files_left(settings.archive)
    assert len(sweep(settings).registered) == 1
    assert [kept.read_bytes() for kept in archived(settings)] == [content]
    assert path.read_bytes() == b"newer"


@pytest.mark.usefixtures("way")
def test_a_file_that_cannot_be_taken_keeps_no_other_waiting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = put(GOOD, settings), put(OTHER, settings)
    os.utime(bad, (time.time() - 900, time.time() - 900))  # the oldest comes first

    def break_on_bad(path: Path, *words: object) -> object:
        if path.name == bad.name:
            raise OSError("no space left on device")
        return identify(path, *words)  # type: ignore[arg-type]

    identify = inbox.identify
    monkeypatch.setattr(inbox, "identify", break_on_bad)
    swept = sweep(settings)
    assert swept.keys == [key_of(OTHER)]
    assert bad.exists() and not good.exists()
    with pytest.raises(FilesNotTaken, match=r"rj_hub/.*no space left on device"):
        raise_failures(swept.failures)


def test_a_sweep_cut_off_before_it_cleared_the_inbox_counts_one_arrival(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
    monkeypatch.setattr(archiving, "_lease", lambda file: False)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *words, **options: None)
        sweep(settings)
    assert path.exists()
    sweep(settings)
    assert not path.exists()
    assert rows_of("select was_known from ledger.arrival", settings, "owner") == [{"was_known": False}]


def test_two_runs_that_land_one_load_at_once_leave_its_lines_once(settings: Settings) -> None:
    put(GOOD, settings)
    (load_id,) = sweep(settings).registered
    form, quarter = key_of(GOOD).split("|")
    runs = [threading.Thread(target=loading.land_pending, args=(form, quarter, settings)) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    lines = rows_of(f"select count(*) as n from landing.{form} where load_id = {load_id}", settings, "owner")
    assert lines == [{"n": int(GOOD["line_count"])}]


def test_a_judged_load_is_not_landed_again(settings: Settings) -> None:
    put(GOOD, settings)
    sweep(settings)
    form, quarter = key_of(GOOD).split("|")
    pending = loading.pending_returns
    stale = []

    loading.land_pending(form, quarter, settings)
    with loading.connect(settings, "loader") as connection:
        stale = pending(form, quarter, connection)
    loading.judge_pending(form, quarter, settings)
    with loading.connect(settings, "loader") as connection:
        landed = loading._land(stale[0], loading.load_forms(settings.returns), connection, settings, None)
    assert landed is False
    assert [row["state"] for row in loads(settings)] == ["admitted"]


def make_older(settings: Settings, minutes: int, load_id: int | None = None) -> None:
    """Let what happened so far (to one load) have happened earlier."""
    one = "" if load_id is None else f"where load_id = {load_id}"
    older = f"update ledger.load_event set happened_at = happened_at - interval '{minutes} minutes' {one} returning 1"
    assert rows_of(older, settings, "owner")


def test_what_stands_still_is_woken_again_and_what_moves_is_not(settings: Settings) -> None:
    put(GOOD, settings)
    sweep(settings)
    assert sweep(settings).keys == []
    make_older(settings, 2)
    assert sweep(settings).keys == [key_of(GOOD)]


def test_a_return_waits_for_its_turn_while_others_move_but_not_for_ever(settings: Settings) -> None:
    put(GOOD, settings)
    (first,) = sweep(settings).registered
    make_older(settings, 2)
    put(OTHER, settings)
    assert sweep(settings).keys == [key_of(OTHER)]
    make_older(settings, 14, first)
    assert sweep(settings).keys == [key_of(GOOD)]


def test_of_admitted_returns_one_is_enough_to_wake_the_release(settings: Settings) -> None:
    for good in (GOOD, OTHER):
        put(good, settings)
    sweep(settings)
    for key in (key_of(GOOD), key_of(OTHER)):
        loading.land_pending(*key.split("|"), settings)
        loading.judge_pending(*key.split("|"), settings)
    make_older(settings, 2)
    assert sweep(settings).keys == [key_of(GOOD)]


def test_an_admitted_load_that_is_withdrawn_is_not_released(settings: Settings) -> None:
    put(GOOD, settings)
    (load_id,) = sweep(settings).registered
    form, quarter = key_of(GOOD).split("|")
    loading.land_pending(form, quarter, settings)
    loading.judge_pending(form, quarter, settings)
    loading.withdraw_load(load_id, "the fund is not known", settings)
    assert [row["state"] for row in loads(settings)] == ["withdrawn"]
    assert releasing.begin(settings) is None


def test_a_load_that_is_not_admitted_is_not_withdrawn(settings: Settings) -> None:
    put(GOOD, settings)
    (load_id,) = sweep(settings).registered
    with pytest.raises(OperatorError, match="is registered"):
        loading.withdraw_load(load_id, "too early", settings)
    with pytest.raises(OperatorError, match="is unknown"):
        loading.withdraw_load(load_id + 1000, "no such load", settings)
