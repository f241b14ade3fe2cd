"""Street crime as the reader finds it: a quarter of two forces, released (FACTS.md, A3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday import releasing
from quarterday.settings import Settings
from tests.partner_files.support import send_files, warehouse
from tests.path_support import release, rows_of


@pytest.fixture(scope="module")
def released(partner_files: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse in which Staffordshire's quarter and a month of West Mercia are published."""
    folder = partner_files / "police-uk-street-crime"
    with warehouse("crimes", template, tmp_path_factory.mktemp("crimes")) as settings:
        releasing.deploy_marts(settings)
        names = {f"2018-{month}-staffordshire-street.csv": "staffordshire_police" for month in (10, 11, 12)}
        names["2018-10-west-mercia-street.csv"] = "west_mercia_police"
        send_files({folder / name: partner for name, partner in names.items()}, settings)
        release(settings)
        yield settings


def test_a_quarter_by_area_is_a_count_of_rows(released: Settings) -> None:
    rows = rows_of(
        """select area.area_name, count(*) as crime_count
        from mart.fct_recorded_crime as crime join mart.dim_area as area using (area_code)
        where crime.partner_code = 'staffordshire_police' and crime.period_key = '2018-19-Q3' group by 1""",
        released,
    )
    counted = {row["area_name"]: row["crime_count"] for row in rows}
    assert counted["Stoke-on-Trent"] == 3751 + 3257 + 2694
    assert counted["Newcastle-under-Lyme"] == 976 + 893 + 758
    assert counted["South Staffordshire"] == 593 + 488 + 419


def test_every_incident_is_a_row_however_alike(released: Settings) -> None:
    (row,) = rows_of(
        """select count(*) as lines, count(crime_id) as crimes from mart.fct_recorded_crime
        where partner_code = 'staffordshire_police'""",
        released,
    )
    assert row == {"lines": 29_326, "crimes": 29_326 - 8_299}


def test_crimes_without_a_place_have_no_area(released: Settings) -> None:
    (row,) = rows_of(
        """select count(*) as lines, count(area_code) as placed from mart.fct_recorded_crime
        where partner_code = 'staffordshire_police' and lsoa_code is null""",
        released,
    )
    assert row == {"lines": 3_285, "placed": 0}


def test_a_force_speaks_for_itself_alone(released: Settings) -> None:
    (row,) = rows_of(
        "select count(*) as lines from mart.fct_recorded_crime where partner_code = 'west_mercia_police'", released
    )
    assert row == {"lines": 11_006}
