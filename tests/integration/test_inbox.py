"""A file is taken once, whole, or stays: whatever happens between the inbox and the ledger."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from quarterday import archiving, inbox, loading, releasing
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


def test_a_file_is_registered_archived_and_taken_out(settings: Settings) -> None:
    path = put(GOOD, settings)
    content = path.read_bytes()
    swept = sweep(settings)
    assert swept.keys == [key_of(GOOD)]
    assert not path.exists()
    (kept,) = rows_of("select archive_path from ledger.load", settings, "owner")
    assert (settings.archive / kept["archive_path"]).read_bytes() == content


def test_a_file_that_may_still_be_arriving_is_left(settings: Settings) -> None:
    fresh, part = put(GOOD, settings), put(OTHER, settings, "custody.csv.part")
    os.utime(fresh)
    assert sweep(settings).registered == []
    assert fresh.exists() and part.exists()


def test_a_file_that_changes_while_it_is_copied_is_left_for_the_next_sweep(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)

    def copy_then_grow(source: Path, archive: Path) -> archiving.ArchivedFile:
        archived = archiving.archive_file(source, archive)
        with source.open("ab") as file:
            file.write(b"\r\n")
        return archived

    monkeypatch.setattr(inbox, "archive_file", copy_then_grow)
    assert sweep(settings).registered == []
    assert path.exists() and loads(settings) == []


def test_a_version_that_replaces_a_file_while_it_is_registered_is_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
    note = inbox._note_arrival

    def replace_then_note(*words: object) -> None:
        newer = path.with_name("newer")
        newer.write_bytes(path.read_bytes() + b"\r\n")
        newer.replace(path)
        note(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "_note_arrival", replace_then_note)
    assert len(sweep(settings).registered) == 1
    assert path.exists(), "the newer version was never archived, so it must not go"


def test_a_file_that_cannot_be_taken_keeps_no_other_waiting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = put(GOOD, settings), put(OTHER, settings)
    os.utime(bad, (time.time() - 900, time.time() - 900))  # the oldest comes first

    def break_on_bad(source: Path, archive: Path) -> archiving.ArchivedFile:
        if source == bad:
            raise OSError("no space left on device")
        return archiving.archive_file(source, archive)

    monkeypatch.setattr(inbox, "archive_file", break_on_bad)
    swept = sweep(settings)
    assert swept.keys == [key_of(OTHER)]
    assert bad.exists() and not good.exists()
    with pytest.raises(FilesNotTaken, match=r"rj_hub/.*no space left on device"):
        raise_failures(swept.failures)


def test_a_sweep_cut_off_before_it_cleared_the_inbox_counts_one_arrival(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(GOOD, settings)
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


def test_what_stands_still_is_woken_again_and_what_moves_is_not(settings: Settings) -> None:
    put(GOOD, settings)
    sweep(settings)
    assert sweep(settings).keys == []
    rows_of(
        "update ledger.load_event set happened_at = happened_at - interval '2 minutes' returning 1", settings, "owner"
    )
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
