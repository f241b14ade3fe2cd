"""Regional tables of disposals of the Youth Justice Board, 2012/13 (FACTS.md, A4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday.settings import Settings
from tests.partner_files.support import answer, asked, issues, send_files, verdicts, warehouse

FILE = "Disposals by region 2012-13 Table.xls"
DATA = "typed.yjb_disposals"
AGES = "age_10_14, age_15, age_16, age_17_plus"
GENDERS = "female, male"
ETHNICITIES = "white, mixed, asian, black, chinese_or_other, ethnicity_not_known"
GROUPS = {
    "Staffordshire": {"Pre-court": 210, "First-tier": 273, "Community": 147, "Custody": 28, "TOTAL": 658},
    "Stoke-on-Trent": {"Pre-court": 100, "First-tier": 175, "Community": 71, "Custody": 21, "TOTAL": 367},
}
TOTALS = {
    "Staffordshire": (95, 100, 171, 292, 119, 539, 621, 8, 10, 14, 2, 3),
    "Stoke-on-Trent": (50, 77, 106, 134, 53, 314, 326, 7, 13, 13, 2, 6),
}


@pytest.fixture(scope="module")
def loaded(partner_files: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with the workbook."""
    with warehouse("yjb", template, tmp_path_factory.mktemp("yjb")) as settings:
        send_files({partner_files / "yjb-disposals" / FILE: "youth_justice_board"}, settings)
        yield settings


def total_of(area: str, sheet: str, settings: Settings) -> int:
    return int(
        answer(
            f"""select total from {DATA} where area = '{area}' and sheet = '{sheet}' and disposal_group = 'TOTAL'""",
            settings,
        )
    )


def test_every_line_of_eleven_sheets_is_admitted(loaded: Settings) -> None:
    assert verdicts(loaded) == {FILE: ("admitted", 3632, 0)}
    assert answer(f"select count(distinct sheet) from {DATA}", loaded) == 11


def test_each_block_has_twenty_lines(loaded: Settings) -> None:
    blocks = asked(f"select sheet, area, count(*) from {DATA} group by 1, 2", loaded)
    odd = {(sheet, area): count for sheet, area, count in blocks if count != 20}
    # Six blocks carry a line of noughts without a disposal, and one beside the sub-heading Community.
    assert set(odd.values()) == {22} and len(odd) == 6
    assert len(blocks) == 181


def test_region_is_the_sum_of_its_twelve_teams(loaded: Settings) -> None:
    teams = asked(
        f"""select count(*), sum(total)::integer from {DATA}
        where sheet = 'West Midlands' and area <> sheet and disposal_group = 'TOTAL'""",
        loaded,
    )
    assert teams == [(12, 6810)]
    assert total_of("West Midlands", "West Midlands", loaded) == 6810


def test_nation_is_the_sum_of_its_ten_regions_which_stand_twice(loaded: Settings) -> None:
    regions = asked(
        f"""select count(*), sum(total)::integer from {DATA}
        where sheet = 'National' and area <> 'National' and disposal_group = 'TOTAL'""",
        loaded,
    )
    assert regions == [(10, 73_022)]
    assert total_of("National", "National", loaded) == 73_022
    own_sheets = (
        f"select sum(total)::integer from {DATA} where area = sheet and sheet <> 'National' and disposal = 'TOTAL'"
    )
    assert answer(own_sheets, loaded) == 73_022


@pytest.mark.parametrize("area", GROUPS)
def test_disposals_by_group(area: str, loaded: Settings) -> None:
    rows = asked(f"select disposal_group, sum(total)::integer from {DATA} where area = '{area}' group by 1", loaded)
    assert dict(rows) == GROUPS[area]


@pytest.mark.parametrize("area", TOTALS)
def test_total_by_age_gender_and_ethnicity(area: str, loaded: Settings) -> None:
    rows = asked(
        f"select {AGES}, {GENDERS}, {ETHNICITIES} from {DATA} where area = '{area}' and disposal = 'TOTAL'", loaded
    )
    assert rows == [TOTALS[area]]


def test_errors_of_the_source_are_told_and_not_mended(loaded: Settings) -> None:
    found = {(check, action, sheet, line, value) for check, action, sheet, line, _, value in issues(loaded)}
    london = {issue for issue in found if issue[2] == "London"}
    assert london == {
        ("YJD-101", "flag", "London", 160, "383"),  # Brent: printed 383, its lines make 384
        ("YJD-102", "flag", "London", 160, "383"),
        ("YJD-103", "flag", "London", 32, "10291"),  # so the teams make one less than the region
        ("YJD-581", "flag", "London", 220, None),  # Camden: the total of Section 226b (*) is blank
    }
    assert {(check, action) for check, action, *_ in found - london} == {("YJD-041", "flag"), ("YJD-104", "flag")}
    assert total_of("Brent", "London", loaded) == 383
    lines = f"select sum(total)::integer from {DATA} where area = 'Brent' and disposal_group <> 'TOTAL'"
    assert answer(lines, loaded) == 384
    camden = f"select total, total_flag from {DATA} where area = 'Camden' and disposal = 'Section 226b (*)'"
    assert asked(camden, loaded) == [(None, "blank")]


def test_line_numbers_are_those_of_the_sheet(loaded: Settings) -> None:
    place = (
        f"select line_number from {DATA} where sheet = 'West Midlands' and area = 'Birmingham' and disposal = 'TOTAL'"
    )
    assert answer(place, loaded) == 64
