"""A warehouse made again from its archive and its ledger: the same marts and history, or a clear no."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from psycopg2 import sql
from typer.testing import CliRunner

from quarterday import cli, landing, loading, rebuilding, releasing, server, warehouse
from quarterday.checksums import Checksum, checksums, differences, read_checksums
from quarterday.dbt import run_dbt
from quarterday.errors import OperatorError
from quarterday.exporting import LedgerExport, export_ledger
from quarterday.rebuilding import RebuildDiffers, Rebuilt, rebuild
from quarterday.settings import Settings
from quarterday.warehouse import connect
from quarterday.withdrawing import withdraw_release
from tests.conftest import PROJECT, database_named, run_on_server
from tests.marts_support import _copy, deployed_template
from tests.path_support import expected_returns, put_into_inbox, release, rows_of, send, take_in

__all__ = ["deployed_template"]

# Enough crimes for a partition of their own in landing; at full size, for a table of their own in the fact, too.
IS_LONG = bool(os.environ.get("QUARTERDAY_LONG_TESTS"))
CRIMES = 50_000 if IS_LONG else 5_000
ALL = ("mart", "history", "ledger")
CORRECTED = "stoke_yos_fte_2016-17-Q4.csv"
BASELINE = """form: first_time_entrants
corrections:
  - id: FTE-C01
    where:
      partner: yos_stoke
      quarter: 2016-17-Q4
      key: {period_type: financial_year, period_start: '2015-04-01'}
    column: value
    expect: '96'
    value: '97'
    reason: The service counted one again.
    source: Its letter.
    date: 2026-11-22
    asked: The manager.
"""
FIRST = [
    "FTE return 2016-17 Q4 Staffordshire.xlsx",
    CORRECTED,
    "budget-outturn-2016-17-final-2017-09-29.csv",
    "victim-gateway-2017-18-Q3.xlsx",
    "rj-hub_2017-18-Q4.csv",
    "Reducing offending action plan Q4 2017-18.xlsx",
]
# The provisional outturn comes after the final one, which was issued later; the services speak of 2016-17 again.
SECOND = [
    "FTE return 2017-18 Q3 Staffordshire.xlsx",
    "stoke_yos_fte_2017-18-Q3.csv",
    "budget-outturn-2016-17-provisional-2017-06-30.csv",
]
# Of twelve loads one could not be read, and was rejected so.
LANDED = 11
HELD_BACK = "Business Crime Advisor 2016-17 Q4.csv"


@dataclass(frozen=True)
class Told:
    """A warehouse with a past, its checksums, and the export of its ledger."""

    warehouse: Settings
    sums: dict[str, Checksum]
    export: LedgerExport


def drop(name: str) -> None:
    run_on_server(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def deliver(names: list[str], settings: Settings) -> None:
    send([row for row in expected_returns() if row["file"] in names and row["expected_verdict"] != "known"], settings)
    take_in(settings)


def load_of(file_name: str, settings: Settings) -> int:
    (load,) = rows_of(f"select load_id from ledger.load where file_name = '{file_name}'", settings, "owner")
    return int(load["load_id"])


def send_crimes(settings: Settings) -> None:
    """Send a month of crimes that is large enough for tables of its own."""
    path = settings.home / "2018-10-staffordshire-street.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    line = (
        ",2018-10,Staffordshire Police,Staffordshire Police,-2.1,52.8,On or near High Street,E01029700,Stafford 001A,"
    )
    tail = "Burglary,Under investigation,\n"
    crimes = "".join(f"{number:064x}{line}{tail}" for number in range(CRIMES))
    path.write_text(f"{head}Last outcome category,Context\n{crimes}")
    put_into_inbox(path, "staffordshire_police", settings)
    take_in(settings)


@pytest.fixture(scope="module")
def told(deployed_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Three releases: the first has a large register, the second restates, corrects and is late; it is withdrawn."""
    home: Path = tmp_path_factory.mktemp("rebuild")
    project = home / "project"
    shutil.copytree(PROJECT / "returns", project / "returns")
    for folder in ("expectations", "dbt_project"):
        (project / folder).symlink_to(PROJECT / folder)
    corrections = project / "returns" / "first_time_entrants" / "corrections.yml"
    places = {"inbox": home / "inbox", "archive": home / "archive", "receipts": home / "receipts"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "LARGE_BYTES", 2**19)
        for copied in _copy(deployed_template, "module"):
            settings = replace(copied, project=project, **places)
            deliver(FIRST, settings)
            send_crimes(settings)
            release(settings)
            corrections.write_text(BASELINE)
            warehouse.migrate(settings)
            loading.correct_load(load_of(CORRECTED, settings), settings)
            deliver(SECOND, settings)
            second = release(settings)
            deliver([HELD_BACK], settings)
            loading.withdraw_load(load_of(HELD_BACK, settings), "another service's", settings)
            assert second is not None
            withdraw_release(second, "sent by mistake", settings)
            export = export_ledger(home / "ledger.zip", settings)
            yield Told(settings, checksums(settings, ALL), export)


@pytest.fixture
def empty() -> Iterator[str]:
    """The name of a database that isn't there; dropped afterwards."""
    name = "quarterday_test_rebuilt"
    drop(name)
    yield name
    drop(name)


def named(told: Told, database: str) -> Settings:
    return replace(told.warehouse, server_url=database_named(database))


@pytest.fixture
def prepared(told: Told, deployed_template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database as a rebuild has it once dbt has made the marts, empty: most of a rebuild's time goes into that."""
    facts = ("tag:release", "path:models/core/current")
    lines_only = ("run", "--select", *facts, "--exclude", *rebuilding.OF_A_RELEASE, *releasing.LEAN)

    def build(arguments: tuple[str, ...], settings: Settings) -> None:
        if arguments == rebuilding.BUILD_FACTS:
            run_dbt(lines_only, settings)

    monkeypatch.setattr(rebuilding, "run_dbt", build)
    monkeypatch.setattr(rebuilding.shutil, "rmtree", lambda *_, **__: None)
    for target in _copy(deployed_template, "own"):
        name = str(target.server_url).rpartition("/")[2]
        place = told.warehouse.home / "rebuild" / name
        for folder in (place.parent, target.home):
            folder.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target.home)  # where dbt has parsed the project for a database of this name
        rebuilding._mark(target, told.export)
        yield name
        place.unlink()


def test_the_warehouse_is_the_same_made_again_from_archive_and_ledger(
    told: Told, prepared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(ledger: Path = told.export.path) -> Rebuilt:
        return rebuild(prepared, told.warehouse, ledger)

    with monkeypatch.context() as other_code:
        other_code.setattr(rebuilding, "_land", lambda *_: "3 lines")
        with pytest.raises(
            RebuildDiffers, match=r"Load 1 .* the ledger says that \d+ lines were landed, and now there"
        ):
            again()
    work_out, cut_off = rebuilding._work_out, iter([False, True])

    def killed(release: tuple[object, ...], cursor: object) -> None:
        work_out(release, cursor)  # type: ignore[arg-type]
        if next(cut_off):
            raise KeyboardInterrupt

    with monkeypatch.context() as killing, pytest.raises(KeyboardInterrupt):
        killing.setattr(rebuilding, "_work_out", killed)
        again()
    with pytest.raises(OperatorError, match="holds a rebuild, cut off, from another ledger"):
        again(export_ledger(told.export.path.with_name("other.zip"), told.warehouse).path)
    made = again()
    assert made == Rebuilt(prepared, LANDED, 3, len(told.export.checksums))
    assert differences(told.sums, checksums(named(told, prepared), ALL)) == []
    assert release(named(told, prepared)) is None, "nothing is pending, as before"
    with pytest.raises(OperatorError, match=f"'{prepared}' is not empty"):
        again()


@pytest.mark.long
def test_a_database_that_is_not_there_becomes_the_same_warehouse(told: Told, empty: str) -> None:
    assert rebuild(empty, told.warehouse) == Rebuilt(empty, LANDED, 3, len(told.export.checksums))
    assert differences(told.sums, checksums(named(told, empty), ALL)) == []


def test_the_warehouse_that_is_made_again_has_what_makes_it_hard(told: Told) -> None:
    facts = {name: one.rows for name, one in told.sums.items()}
    assert facts["ledger.release"] == 3 and facts["ledger.line_correction"] == 2
    assert facts["history.fct_recorded_crime"] == facts["mart.fct_recorded_crime"] == CRIMES
    assert set(told.sums["history.fct_outcome"].releases) == {1, 2, 3}
    one, two, three = (told.sums["history.fct_outcome"].releases[number] for number in (1, 2, 3))
    assert one.checksum != two.checksum != three.checksum
    judged = rows_of("select verdict, count(*) from ledger.verdict group by 1", told.warehouse, "owner")
    assert {row["verdict"] for row in judged} >= {"admitted", "rejected"}
    late = """select publication.issued::text as issued from ledger.publication
        inner join ledger.load using (load_id) where file_name like 'budget-outturn-2016-17-provisional%'"""
    assert {row["issued"] for row in rows_of(late, told.warehouse, "owner")} == {"[2017-06-30,2017-09-29)"}
    own = "select relname from pg_class where relkind = 'r' and relname ~ 'crime_(load|release)_'"
    names = {row["relname"].rpartition("_")[0] for row in rows_of(own, told.warehouse, "owner")}
    assert names == {"street_crime_load"} | ({"fct_recorded_crime_release"} if IS_LONG else set())


@pytest.mark.parametrize("harm", ["is missing", "has changed"])
def test_an_archived_file_that_is_not_as_the_ledger_says_is_named_and_nothing_is_written(
    told: Told, empty: str, harm: str
) -> None:
    (kept,) = told.warehouse.archive.rglob("victim-gateway-2017-18-Q3.xlsx")
    content = kept.read_bytes()
    kept.unlink()
    if harm == "has changed":
        kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        with pytest.raises(RebuildDiffers, match=rf"(?s)Nothing was written.*victim-gateway-2017-18-Q3.xlsx.* {harm}"):
            rebuild(empty, told.warehouse, told.export.path)
    finally:
        kept.unlink(missing_ok=True)
        kept.write_bytes(content)
    with server.connect(database_named(empty)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname in ('ledger', 'rebuilding')")
        assert cursor.fetchone() == (0,)


def test_a_database_with_anything_in_it_is_refused(told: Told, empty: str) -> None:
    server.make_database(database_named(empty))
    with server.connect(database_named(empty)) as connection:
        connection.cursor().execute("create table public.ours (kept text)")
    with pytest.raises(OperatorError, match=r"is not empty: it has public\.ours. Nothing was changed"):
        rebuild(empty, told.warehouse)
    live = str(told.warehouse.server_url)
    with pytest.raises(OperatorError, match="is the running warehouse. Nothing was changed"):
        rebuild(live, told.warehouse)
    assert checksums(told.warehouse, ALL) == told.sums


def test_what_is_no_export_is_refused(told: Told, empty: str, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.zip"
    content = bytearray(told.export.path.read_bytes())
    content[len(content) // 2] ^= 255
    damaged.write_bytes(content)
    for path, told_so in ((tmp_path / "none.zip", "There is no file"), (damaged, "damaged|no export of the ledger")):
        with pytest.raises(OperatorError, match=told_so):
            rebuild(empty, told.warehouse, path)


def test_a_checksum_tells_one_changed_cell_and_nothing_of_the_order_of_rows(told: Told) -> None:
    with connect(told.warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("create temporary table kept on commit drop as select * from core.fct_outcome order by random()")
        cursor.execute("delete from core.fct_outcome")
        cursor.execute("insert into core.fct_outcome select * from kept")
        assert differences(told.sums, read_checksums(cursor, ALL)) == []
        cursor.execute(
            """create temporary table changed on commit drop as
            select release_id, measure_code, area_code, period_key from mart.fct_outcome
            where value is not null limit 1"""
        )
        for fact in ("fct_outcome", "fct_outcome_current"):
            cursor.execute(
                f"""update core.{fact} set value = value + 1
                where (release_id, measure_code, area_code, period_key) = (table changed)"""
            )
            assert cursor.rowcount == 1
        unlike = differences(told.sums, read_checksums(cursor, ALL))
        connection.rollback()
    assert {line.partition(":")[0] for line in unlike} >= {"mart.fct_outcome", "history.fct_outcome"}
    assert all("fct_outcome" in line or "rpt_outcome" in line for line in unlike)
    assert any(line.startswith("history.fct_outcome:") and line.endswith(", in release 3") for line in unlike)


def test_a_checksum_tells_an_empty_text_from_none_and_a_row_that_stands_twice(settings: Settings) -> None:
    def sum_of(rows: str) -> tuple[int, str]:
        with connect(settings, "owner") as connection, connection.cursor() as cursor:
            cursor.execute(
                f"create schema kept; create table kept.it as select * from (values {rows}) as it (one, two)"
            )
            found = read_checksums(cursor, ["kept"])["kept.it"]
            connection.rollback()
        return found.rows, found.checksum

    rows = ["('a', null)", "('a', '')", "('a', null), ('a', null)", "('', 'a')", "('a,', '')", "('a', ',')"]
    assert len({sum_of(row) for row in rows}) == len(rows)
    assert sum_of("('a', 'b'), ('c', 'd')") == sum_of("('c', 'd'), ('a', 'b')")


def test_what_looks_at_the_calendar_is_asked_for_the_day_of_the_export(told: Told) -> None:
    before_any_was_due = date(2016, 1, 1)
    with connect(told.warehouse, "owner") as connection, connection.cursor() as cursor:
        unlike = differences(told.sums, read_checksums(cursor, ("mart",), before_any_was_due))
        assert {line.partition(":")[0] for line in unlike} >= {"mart.fct_return"}
        assert not any(line.startswith("mart.fct_outcome:") for line in unlike)
        asked = read_checksums(cursor, ("mart", "history"), told.export.day)
    assert differences(told.export.checksums, asked) == []


def test_commands_tell_checksums_and_that_something_is_not_what_it_was(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_settings", lambda: told.warehouse)
    shown = CliRunner().invoke(cli.app, ["checksums", "--json"])
    assert {name: Checksum.from_json(one) for name, one in json.loads(shown.stdout).items()} == told.export.checksums
    unlike = Rebuilt("again", 1, 1, 2, ("mart.fct_outcome: expected 1 rows 0, found 2 rows 0",))
    monkeypatch.setattr(rebuilding, "rebuild", lambda *_: unlike)
    ended = CliRunner().invoke(cli.app, ["rebuild", "--into", "again"])
    assert ended.exit_code == cli.EXIT_REJECTED
    assert "1 of 2 relations are not what they were" in ended.stdout and unlike.unlike[0] in ended.stdout
