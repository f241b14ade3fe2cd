"""Open data of two releases in a warehouse of its own: what is left out, what is written, and that it stays."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest
from csvw.metadata import CSVW
from openpyxl import load_workbook
from pyarrow import parquet

from quarterday.errors import OperatorError
from quarterday.opendata.making import OpenData, make_open_data
from quarterday.opendata.tables import public_tables
from quarterday.settings import Settings
from tests.disclosure.attacker import attack
from tests.marts_support import (
    Figure,
    admit_figures,
    deployed_template,
    module_warehouse,
    quarters_of,
    release_quickly,
    rows,
    year,
)

__all__ = ["deployed_template", "module_warehouse"]

MEASURE = "first_time_entrants"
QUARTERS = quarters_of(2016)
FIGURES = ("measurements", "outcomes")


@dataclass(frozen=True)
class Told:
    """The warehouse, the folder of open data, and the releases made in it."""

    warehouse: Settings
    folder: Path
    made: list[OpenData]


@pytest.fixture(scope="module")
def told(module_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Two authorities' quarters, three people in one of them; then the other authority counts one of its own again."""
    folder = tmp_path_factory.mktemp("open")
    county, stoke = "staffordshire_county", "stoke_on_trent"
    _admit(module_warehouse, "yos_staffordshire", county, "2016-17-Q4", "2017-04-20", ["41", "38", "44", "40"])
    _admit(module_warehouse, "yos_stoke", stoke, "2016-17-Q4", "2017-04-20", ["24", "3", "19", "22"])
    release_quickly(module_warehouse)
    made = [make_open_data(None, folder, module_warehouse)]
    _admit(module_warehouse, "yos_stoke", stoke, "2017-18-Q1", "2017-07-20", ["24", "3", "21", "22"])
    release_quickly(module_warehouse)
    made.append(make_open_data(None, folder, module_warehouse))
    yield Told(module_warehouse, folder, made)


def _admit(settings: Settings, partner: str, area: str, quarter: str, issued_on: str, values: list[str]) -> None:
    figures = [Figure(MEASURE, area, period, value) for period, value in zip(QUARTERS, values, strict=True)]
    figures.append(Figure(MEASURE, area, year(2016), str(sum(map(int, values)))))
    admit_figures(settings, "first_time_entrants", partner, quarter, issued_on, figures)


def records(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_small_count_shows_as_confidential_in_every_table_and_kind_of_file(told: Told) -> None:
    small = {"area_code": "stoke_on_trent", "period_key": "2016-17-Q2"}
    for made in told.made:
        for table in ("measurements", "outcomes"):
            [row] = [row for row in records(made.folder, table) if small.items() <= row.items()]
            assert (row["value"], row["value_shorthand"]) == ("", "[c]"), table
            as_parquet = parquet.read_table(made.folder / f"{table}.parquet").to_pylist()
            [same] = [row for row in as_parquet if small.items() <= row.items()]
            assert (same["value"], same["value_shorthand"]) == (None, "[c]"), table
        assert all(row["signal"] == "" for row in records(made.folder, "outcomes") if row["value_shorthand"] == "[c]")


def test_nothing_is_recovered_from_both_releases_by_an_attacker(told: Told) -> None:
    found = attack([made.folder for made in told.made])
    assert {target.table for target, _, _ in found} == set(FIGURES)
    for target, least, most in found:
        row = records(told.folder / "releases" / target.release, target.table)[target.row]
        is_small = (row["area_code"], row["period_key"]) == ("stoke_on_trent", "2016-17-Q2")
        assert (least < 1e-6 and most > 4 - 1e-6) if is_small else most - least > 1, (row, least, most)


def test_the_internal_mart_keeps_the_value_and_the_ledger_says_what_was_left_out_and_why(told: Told) -> None:
    asked = f"select value::int from mart.fct_measurement where measure_code = '{MEASURE}' and value::numeric < 5"
    assert rows(told.warehouse, asked) == [(3,)]
    rules = rows(
        told.warehouse,
        "select release_id, rule, count(*)::int from ledger.suppression group by 1, 2 order by 1, 2",
        "owner",
    )
    assert {rule for _, rule, _ in rules} == {"small_count", "protects"}
    assert {number for number, _, _ in rules} == {made.edition.release_id for made in told.made}
    for relation in ("suppression", "open_data", "open_data_file"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            rows(told.warehouse, f"select * from ledger.{relation}")


def test_made_again_an_old_release_has_the_same_bytes_and_a_folder_that_holds_something_else_is_left_alone(
    told: Told, tmp_path: Path
) -> None:
    first = told.made[0]
    again = make_open_data(first.edition.release_id, tmp_path, told.warehouse)
    assert bytes_of(again.folder) == bytes_of(first.folder)
    assert {path.stat().st_mode & 0o777 for path in again.folder.iterdir()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (again.folder, again.folder.parent)} == {0o755}
    (again.folder / "returns.csv").write_text("another\n")
    with pytest.raises(OperatorError, match="holds other files than were made public as this release"):
        make_open_data(first.edition.release_id, tmp_path, told.warehouse)
    assert (again.folder / "returns.csv").read_text() == "another\n"


def test_files_that_would_not_be_what_was_public_are_refused(told: Told, tmp_path: Path) -> None:
    first = told.made[0].edition.release_id
    change = "update ledger.open_data_file set sha256 = repeat('0', 64) where path = 'returns.csv' and release_id = %s"
    with psycopg2.connect(told.warehouse.server_url or "") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select sha256 from ledger.open_data_file where path = 'returns.csv' and release_id = %s", (first,)
        )
        [(kept,)] = cursor.fetchall()
        cursor.execute(change, (first,))
    try:
        with pytest.raises(OperatorError, match="returns.csv would not be what was made public"):
            make_open_data(first, tmp_path, told.warehouse)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    finally:
        with psycopg2.connect(told.warehouse.server_url or "") as connection, connection.cursor() as cursor:
            cursor.execute(change.replace("repeat('0', 64)", "%s"), (kept, first))


def test_the_csv_files_are_what_their_metadata_says(told: Told) -> None:
    folder = told.made[1].folder
    described = CSVW(str(folder / "csv-metadata.json"))
    assert described.is_valid
    read = {table.local_name: len(list(table)) for table in described.t.tables}
    assert read == {f"{name}.csv": len(records(folder, name)) for name in public_tables()}


def test_the_workbook_has_cover_contents_notes_and_says_which_release_it_is(told: Told) -> None:
    made = told.made[1]
    book = load_workbook(made.folder / f"release-{made.edition.release_id:04d}.xlsx")
    assert book.sheetnames[:3] == ["Cover", "Contents", "Notes"]
    assert {"measurements", "outcomes", "outcome_years", "priorities", "returns"} <= set(book.sheetnames)
    assert f"release {made.edition.release_id}" in str(book["Cover"]["A1"].value)
    cells = [cell for line in book["outcomes"].iter_rows(values_only=True) for cell in line]
    assert "[c]" in cells
    assert any("below the threshold" in str(line[1]) for line in book["Notes"].iter_rows(values_only=True))
    assert any("[c]" in line for line in book["columns"].iter_rows(values_only=True))


def test_the_index_names_each_release_and_the_latest(told: Told) -> None:
    index = json.loads((told.folder / "releases.json").read_text())
    numbers = [made.edition.release_id for made in told.made]
    assert [one["release"] for one in index["releases"]] == numbers[::-1]
    assert index["latest"] == f"releases/{numbers[-1]:04d}"


def test_a_release_that_is_not_published_has_no_open_data(told: Told, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="Release 999 is not published, so no open data was made"):
        make_open_data(999, tmp_path, replace(told.warehouse))
