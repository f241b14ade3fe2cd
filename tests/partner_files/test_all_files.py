"""Every real file at once, from inbox to what readers see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday import releasing
from quarterday.settings import Settings
from tests.partner_files.support import asked, send_files, warehouse
from tests.path_support import release, rows_of

# Each family of files is taken in by a module of its own in `make test`; all of them together take more than a minute.
pytestmark = pytest.mark.long
PARTNERS = {
    "dfe-youth-justice": "department_for_education",
    "home-office-recorded-crime": "home_office",
    "home-office-workforce": "home_office",
    "lookups/Local*": "office_for_national_statistics",
    "lookups/Police*": "opcc_analysts",
    "ons-police-force-area": "office_for_national_statistics",
    "police-uk-street-crime/*staffordshire*": "staffordshire_police",
    "police-uk-street-crime/*west-mercia*": "west_mercia_police",
    "yjb-disposals": "youth_justice_board",
}


@pytest.fixture(scope="module")
def released(partner_files: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse in which every file is published."""
    with warehouse("all", template, tmp_path_factory.mktemp("all")) as settings:
        releasing.deploy_marts(settings)
        patterns = {place if "*" in place else f"{place}/*": partner for place, partner in PARTNERS.items()}
        send_files({path: who for glob, who in patterns.items() for path in sorted(partner_files.glob(glob))}, settings)
        release(settings)
        yield settings


def test_every_file_is_admitted_and_released(released: Settings, partner_files: Path) -> None:
    files = {path.name for path in partner_files.rglob("*") if path.is_file()} - {"FACTS.md"}
    states = asked("select file_name, verdict, state, quarantined_line_count from ledger.load_state", released)
    assert states and {(verdict, state, aside) for _, verdict, state, aside in states} == {("admitted", "released", 0)}
    assert {name for name, *_ in states} == files


def test_every_figure_of_the_indicator_forms_is_a_measurement(released: Settings) -> None:
    lines = rows_of("select form, count(*) as lines from core.fct_measurement group by 1", released, role="builder")
    counts = {row["form"]: row["lines"] for row in lines}
    assert counts == {"dfe_youth_justice": 7990, "ons_police_force_area": 19_128, "police_workforce": 2751}


def test_recorded_offences_are_added_up_by_force_quarter_and_offence(released: Settings) -> None:
    (row,) = rows_of(
        """select sum(offence_count)::integer as offences, sum(line_count)::integer as lines,
            max(line_count) filter (where offence_description = 'Homicide') as parts,
            (sum(offence_count) filter (where offence_code like '1/4.1/%'))::integer as homicides
        from mart.fct_recorded_offence where area_code = 'pcc_area'""",
        released,
    )
    assert row == {"offences": 83_768, "lines": 524, "parts": 4, "homicides": 11}


def test_only_bodies_that_count_fraud_have_no_force_area(released: Settings) -> None:
    rows = rows_of("select distinct force_name from mart.fct_recorded_offence where area_code is null", released)
    assert {row["force_name"] for row in rows} == {
        "Action Fraud",
        "CIFAS",
        "Financial Fraud Action UK",
        "UK Finance",
    }


def test_disposals_add_up_to_what_is_printed_but_for_one_team(released: Settings) -> None:
    beside = rows_of(
        """select area_name, printed_count, pre_court_count, first_tier_count, community_count, custody_count
        from mart.rpt_youth_disposal where area_code in ('staffordshire_county', 'stoke_on_trent') order by 1""",
        released,
    )
    assert [tuple(row.values()) for row in beside] == [
        ("Staffordshire", 658, 210, 273, 147, 28),
        ("Stoke-on-Trent", 367, 100, 175, 71, 21),
    ]
    wrong = rows_of(
        """select area_level, area_name, printed_count, difference_count, missing_count from mart.rpt_youth_disposal
        where difference_count <> 0 or missing_count > 0 order by 2""",
        released,
    )
    assert [tuple(row.values()) for row in wrong] == [
        ("team", "Brent", 383, 1, 0),
        ("team", "Camden", 278, 0, 1),
        ("region", "London", 10_291, 0, 1),
        ("nation", "National", 73_022, 0, 1),
    ]


def test_crimes_are_told_by_middle_layer_area_and_districts_by_partnership(released: Settings) -> None:
    (areas,) = rows_of(
        """select count(*) as areas, count(distinct area_code) as districts,
            count(*) filter (where area_code is null) as none
        from mart.dim_statistical_area where force_name = 'Staffordshire'""",
        released,
    )
    assert areas == {"areas": 687, "districts": 9, "none": 0}
    (lost,) = rows_of(
        """select count(*) as lines, count(*) filter (where lsoa_code not like 'W%') as english
        from mart.fct_recorded_crime left join mart.dim_statistical_area using (lsoa_code)
        where fct_recorded_crime.lsoa_code is not null and msoa_code is null""",
        released,
    )
    assert lost["lines"] > 0 == lost["english"]
    (ours,) = rows_of(
        """select count(*) as districts, count(distinct partnership_code) as partnerships, count(area_code) as known
        from mart.bridge_district_partnership where force_area_code = 'pcc_area'""",
        released,
    )
    assert ours == {"districts": 9, "partnerships": 9, "known": 9}


def test_places_outside_staffordshire_are_the_same_by_lookup_as_by_name(released: Settings) -> None:
    outside = asked(
        """select month, count(*) from typed.street_crime
        where reported_by = 'Staffordshire Police' and lsoa_code is not null and lsoa_code not in (
            select lsoa_code from typed.statistical_area_forces where police_force = 'Staffordshire'
        ) group by month order by month""",
        released,
    )
    assert outside == [("2018-10", 19), ("2018-11", 13), ("2018-12", 20)]


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
    assert row == {"lines": 31_693}
