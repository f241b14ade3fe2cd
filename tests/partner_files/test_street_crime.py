"""Street crime of data.police.uk: two forces, October to December 2018 (FACTS.md, A3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday.settings import Settings
from tests.partner_files.support import answer, asked, issues, send_files, verdicts, warehouse

STAFFORDSHIRE = {"2018-10": 10_938, "2018-11": 9_959, "2018-12": 8_429}
WEST_MERCIA = {"2018-10": 11_006, "2018-11": 10_551, "2018-12": 10_136}
BY_TYPE = {
    "Anti-social behaviour": 8299,
    "Violence and sexual offences": 8693,
    "Criminal damage and arson": 2664,
    "Other theft": 2180,
    "Shoplifting": 1815,
    "Burglary": 1436,
    "Vehicle crime": 1406,
    "Public order": 981,
    "Drugs": 491,
    "Other crime": 478,
    "Bicycle theft": 276,
    "Robbery": 264,
    "Possession of weapons": 199,
    "Theft from the person": 144,
}
DISTRICTS = (
    "Stoke-on-Trent",
    "Newcastle-under-Lyme",
    "Stafford",
    "East Staffordshire",
    "Cannock Chase",
    "Tamworth",
    "Lichfield",
    "Staffordshire Moorlands",
    "South Staffordshire",
)
BY_DISTRICT = {
    "2018-10": (3751, 976, 925, 870, 771, 638, 625, 613, 593),
    "2018-11": (3257, 893, 920, 808, 721, 555, 657, 495, 488),
    "2018-12": (2694, 758, 661, 750, 621, 485, 593, 452, 419),
}
OURS = "typed.street_crime where reported_by = 'Staffordshire Police'"


@pytest.fixture(scope="module")
def loaded(partner_files: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with the six files."""
    folder = partner_files / "police-uk-street-crime"
    with warehouse("street", template, tmp_path_factory.mktemp("street")) as settings:
        files = {
            folder / f"{month}-{force}-street.csv": f"{force.replace('-', '_')}_police"
            for month in STAFFORDSHIRE
            for force in ("staffordshire", "west-mercia")
        }
        send_files(files, settings)
        yield settings


def by_month(condition: str, settings: Settings) -> tuple[int, ...]:
    return tuple(
        count
        for _, count in asked(
            f"select month, count(*) filter (where {condition}) from {OURS} group by month order by month", settings
        )
    )


def test_every_line_of_both_forces_is_admitted(loaded: Settings) -> None:
    expected = {f"{month}-staffordshire-street.csv": ("admitted", lines, 0) for month, lines in STAFFORDSHIRE.items()}
    expected |= {f"{month}-west-mercia-street.csv": ("admitted", lines, 0) for month, lines in WEST_MERCIA.items()}
    assert verdicts(loaded) == expected
    assert answer(f"select count(*) from {OURS}", loaded) == 29_326


def test_nothing_is_found_in_files_without_faults(loaded: Settings) -> None:
    assert issues(loaded) == []


def test_crimes_without_id_are_the_anti_social_behaviour(loaded: Settings) -> None:
    assert by_month("crime_id is null", loaded) == (3160, 2677, 2462)
    assert by_month("(crime_id is null) <> (crime_type = 'Anti-social behaviour')", loaded) == (0, 0, 0)


def test_places_left_blank_stay_blank(loaded: Settings) -> None:
    assert by_month("lsoa_code is null and latitude is null and longitude is null", loaded) == (1157, 1152, 976)
    assert by_month("lsoa_code is null or latitude is null or longitude is null", loaded) == (1157, 1152, 976)
    assert answer(f"select count(context) from {OURS}", loaded) == 0


def test_lines_alike_in_every_column_are_all_kept(loaded: Settings) -> None:
    surplus = asked(
        f"""select month, sum(times - 1)::integer from (
            select month, count(*) as times from {OURS}
            group by month, crime_id, reported_by, falls_within, longitude, latitude, location, lsoa_code, lsoa_name,
                crime_type, last_outcome, context
        ) as alike group by month order by month""",
        loaded,
    )
    assert surplus == [("2018-10", 1158), ("2018-11", 874), ("2018-12", 821)]


def test_quarter_by_type(loaded: Settings) -> None:
    assert dict(asked(f"select crime_type, count(*) from {OURS} group by 1", loaded)) == BY_TYPE


@pytest.mark.parametrize(("month", "other"), [("2018-10", 19), ("2018-11", 13), ("2018-12", 20)])
def test_month_by_district(month: str, other: int, loaded: Settings) -> None:
    found = dict(
        asked(
            f"""select regexp_replace(lsoa_name, ' [0-9]{{3}}[A-Z]$', ''), count(*) from {OURS}
            and month = '{month}' and lsoa_code is not null group by 1""",
            loaded,
        )
    )
    assert tuple(found.pop(district) for district in DISTRICTS) == BY_DISTRICT[month]
    assert sum(found.values()) == other


def test_a_crime_comes_again_in_the_next_month_with_another_outcome(loaded: Settings) -> None:
    again = asked(
        """select count(*), count(*) filter (where cardinality(outcomes) = 2) from (
            select array_agg(distinct last_outcome) as outcomes from typed.street_crime
            where reported_by = 'Staffordshire Police' and month in ('2018-11', '2018-12') and crime_id is not null
            group by crime_id having count(distinct month) = 2
        ) as repeated""",
        loaded,
    )
    assert again == [(1, 1)]


def test_each_file_speaks_for_its_month(loaded: Settings) -> None:
    periods = asked("select distinct period_type, period_start::text, period_end::text from ledger.load_period", loaded)
    assert ("calendar_month", "2018-10-01", "2018-10-31") in periods
    assert len(periods) == 3
