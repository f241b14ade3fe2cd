"""Disclosure control on the demo's two releases: an attacker with all their files recovers nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from csvw.metadata import CSVW

from quarterday.opendata import record
from quarterday.opendata.making import rows_of, write_folder
from quarterday.opendata.saying import leave_out, snapshot_of, world_of
from quarterday.opendata.tables import Rows
from quarterday.opendata.writing import Edition
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.disclosure.random_tables import publish
from tests.disclosure.test_attacker import recovered


@pytest.fixture(scope="module")
def releases(demo: Settings) -> list[Rows]:
    """The public tables of each release as it stood, before anything is left out. Nothing is written down."""
    return [rows_of(edition, demo) for edition in editions(demo)]


def editions(demo: Settings) -> list[Edition]:
    with connect(demo, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select release_id from ledger.release where published_at is not null order by published_at")
        return [record.edition_of(cursor, number) for (number,) in cursor.fetchall()]


def test_nothing_is_recovered_from_the_open_data_of_the_demo(releases: list[Rows], tmp_path: Path) -> None:
    folders, decisions = publish(releases, tmp_path / "protected")
    small = [one for decision in decisions for one in decision.suppressions.values() if one.rule == "small_count"]
    assert len(small) > 2, "the demo should hold small counts of people"
    assert [decision.given_away for decision in decisions] == [(), ()]
    assert recovered(releases, folders) == []


@pytest.mark.long
def test_the_files_of_the_demo_are_what_their_metadata_says(
    demo: Settings, releases: list[Rows], tmp_path: Path
) -> None:
    world = world_of(releases[-1])
    assert snapshot_of(releases[-1], world).counts
    write_folder(leave_out(releases[-1], frozenset(), world), editions(demo)[-1], 0, tmp_path)
    assert CSVW(str(tmp_path / "csv-metadata.json")).is_valid
