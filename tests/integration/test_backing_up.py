"""A backup is worth what its restoring proves, and an archive what its hashes prove."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2 import sql

from quarterday import backing_up, inbox
from quarterday.backing_up import BackupFailed, back_up, back_up_and_prove, backups_of, forget_old, prove, restore
from quarterday.checksums import checksums, differences
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.verifying import ArchiveIsDamaged, verify_archive
from quarterday.warehouse import connect
from tests.conftest import database_named, run_on_server
from tests.path_support import expected_returns, rows_of, send

RESTORED = f"quarterday_test_restored_{os.getpid()}"


@pytest.fixture
def restored() -> Iterator[str]:
    """The name of a database that isn't there; whatever a test makes of it is dropped."""
    yield RESTORED
    run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(RESTORED)))


def databases(settings: Settings) -> set[str]:
    return {row["datname"] for row in rows_of("select datname from pg_database", settings, "owner")}


def test_every_mart_history_and_ledger_relation_is_restored_as_it_was(
    demo: Settings, tmp_path: Path, restored: str
) -> None:
    settings = replace(demo, named_backups=tmp_path / "backups")
    before = databases(demo)
    made, compared = back_up_and_prove(settings)
    assert databases(demo) == before, "the scratch database is dropped"
    now = checksums(demo, backing_up.COMPARED)
    assert (made.checksums, compared) == (now, len(now))
    assert sum(one.rows for name, one in now.items() if name.startswith("mart.")) > 1000
    assert restore(made.path, settings, into=restored) == (restored, compared)
    again = replace(demo, server_url=database_named(restored))
    assert differences(now, checksums(again, backing_up.COMPARED)) == []
    owners = "select tableowner, count(*) as n from pg_tables where schemaname = 'core' group by 1 order by 1"
    assert rows_of(owners, again, "owner") == rows_of(owners, demo, "owner")
    with pytest.raises(OperatorError, match="is not empty: it has the schemas core, history, landing, ledger"):
        restore(made.path, settings, into=restored)


def test_a_backup_is_of_one_moment_though_the_warehouse_moves_on(settings: Settings) -> None:
    real, moved = backing_up._run, []

    def run_after_a_change(*words: object, **named: object) -> None:
        if not moved:
            with connect(settings, "owner") as connection, connection.cursor() as cursor:
                cursor.execute("insert into ledger.partner values ('late', 'Came in between', 'council')")
            moved.append(True)
        real(*words, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backing_up, "_run", run_after_a_change)
        made = back_up(settings)
    assert prove(made, settings) == len(made.checksums)
    assert made.checksums["ledger.partner"].rows == checksums(settings, ("ledger",))["ledger.partner"].rows - 1


def test_a_backup_that_proves_wrong_is_told_and_deleted_and_the_former_are_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(settings, backups_kept=2)
    kept = [back_up(settings).path for _ in range(2)]
    real = backing_up.back_up

    def back_up_another(where: Settings) -> backing_up.Backup:
        made = real(where)
        sums = {**made.checksums, "ledger.partner": replace(made.checksums["ledger.partner"], rows=1)}
        return replace(made, checksums=sums)

    monkeypatch.setattr(backing_up, "back_up", back_up_another)
    with pytest.raises(BackupFailed, match="ledger.partner: expected 1 rows .*, found"):
        back_up_and_prove(settings)
    assert backups_of(settings) == kept[::-1]
    assert sorted(path.name for path in settings.backups.iterdir()) == sorted(
        path.with_suffix(suffix).name for path in kept for suffix in (".dump", ".json")
    )


def test_a_damaged_dump_is_refused(settings: Settings, restored: str) -> None:
    made = back_up(settings)
    made.path.write_bytes(made.path.read_bytes()[:2000])
    with pytest.raises(BackupFailed, match="pg_restore failed"):
        restore(made.path, settings, into=restored)
    made.path.with_suffix(".json").unlink()
    with pytest.raises(OperatorError, match="There is no file .*json. A backup is"):
        restore(made.path, settings, into=restored)


def test_the_running_warehouse_is_never_restored_over(settings: Settings) -> None:
    made = back_up(settings)
    with pytest.raises(OperatorError, match="is not empty.*Nothing was changed"):
        restore(made.path, settings)


def test_only_the_newest_are_kept_and_only_their_owner_may_read_them(settings: Settings) -> None:
    settings.backups.mkdir(parents=True)
    (settings.backups / "letter.dump").write_text("not ours")
    for number in range(4):
        for suffix in ("dump", "json"):
            (settings.backups / f"quarterday-2026102{number}T000000.000000Z.{suffix}").touch()
    forgotten = forget_old(replace(settings, backups_kept=3))
    assert [path.name for path in forgotten] == ["quarterday-20261020T000000.000000Z.dump"]
    assert len(list(settings.backups.iterdir())) == 7
    made = back_up(settings)
    assert {path.stat().st_mode & 0o777 for path in (made.path, made.path.with_suffix(".json"))} == {0o600}


def test_no_program_of_an_older_postgresql_is_used(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backing_up, "_version_of", lambda _: 15)
    with pytest.raises(OperatorError, match="No pg_dump fits PostgreSQL .* is of 15"):
        back_up(settings)


def test_a_damaged_and_a_missing_file_of_the_archive_are_named(settings: Settings) -> None:
    send(expected_returns(1)[:3], settings)
    inbox.raise_failures(inbox.sweep(settings).failures)
    assert verify_archive(settings) == 3
    loads = rows_of("select load_id, archive_path, file_sha256 from ledger.load order by load_id", settings, "owner")
    damaged, missing = (settings.archive / row["archive_path"] for row in loads[:2])
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes() + b" ")
    missing.unlink()
    with pytest.raises(ArchiveIsDamaged) as caught:
        verify_archive(settings)
    told = str(caught.value)
    assert told.startswith("2 files of the archive")
    assert f"{damaged} has changed: expected SHA-256 {loads[0]['file_sha256']}" in told
    assert f"{missing} is missing" in told and "Put each file back" in told
