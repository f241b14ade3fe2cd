"""Police workforce of the Home Office, 30 September 2018 (FACTS.md, A6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday.settings import Settings
from tests.partner_files.support import answer, asked, issues, send_files, verdicts, warehouse

FILE = "police-workforce-sep18-tables.ods"
DATA = "typed.police_workforce"
STAFFORDSHIRE = {
    "police_officers": ("1595.24", "1590.03", "1604.98"),
    "police_staff": ("1050.61", "1083.55", "1105.50"),
    "community_support_officers": ("239.88", "226.77", "232.85"),
}


@pytest.fixture(scope="module")
def loaded(partner_files: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with the workbook."""
    with warehouse("workforce", template, tmp_path_factory.mktemp("workforce")) as settings:
        send_files({partner_files / "home-office-workforce" / FILE: "home_office"}, settings)
        yield settings


def test_every_figure_of_seven_tables_is_admitted(loaded: Settings) -> None:
    # 56 rows of 7 figures in each table, and one more for the secondments of table 1.
    assert verdicts(loaded) == {FILE: ("admitted", (7 * 56 + 1) * 7, 0)}


@pytest.mark.parametrize("measure", STAFFORDSHIRE)
def test_staffordshire_at_three_days(measure: str, loaded: Settings) -> None:
    rows = asked(
        f"""select period_end::text, round(value, 2)::text from {DATA}
        where measure_code = '{measure}' and area_code = 'pcc_area' and breakdown_code = 'all' order by 1""",
        loaded,
    )
    days = ("2017-09-30", "2018-03-31", "2018-09-30")
    assert rows == list(zip(days, STAFFORDSHIRE[measure], strict=True))


def test_total_of_43_forces(loaded: Settings) -> None:
    total = answer(
        f"""select round(value, 2)::text from {DATA} where measure_code = 'police_officers' and breakdown_code = 'all'
        and area_code = 'england_and_wales_forces' and period_end = '2018-09-30'""",
        loaded,
    )
    assert total == "122395.45"


def test_two_dots_are_not_available_and_never_nought(loaded: Settings) -> None:
    sent = f"select sheet, count(*), count(value), min(value_flag) from {DATA} where value_as_sent = '..' group by 1"
    assert sorted(asked(sent, loaded)) == [("Table_3", 91, 0, "x"), ("Table_5", 4, 0, "x"), ("Table_7", 25, 0, "x")]


def test_region_and_force_of_one_name_are_told_apart(loaded: Settings) -> None:
    rows = asked(
        f"""select area_code, line_number, round(value, 2)::text from {DATA}
        join (select distinct area_label, area_code, load_id, sheet, line_number from landing.police_workforce) as sent
            using (load_id, sheet, line_number, area_code)
        where btrim(area_label) = 'West Midlands' and sheet = 'Table_1' and breakdown_code = 'all'
            and period_end = '2018-09-30' order by line_number""",
        loaded,
    )
    assert [area for area, *_ in rows] == ["west_midlands", "E23000014"]
    parts = answer(
        f"""select sum(value) from {DATA} where measure_code = 'police_officers' and breakdown_code = 'all'
        and period_end = '2018-09-30' and area_code in ('pcc_area', 'E23000014', 'E23000016', 'E23000017')""",
        loaded,
    )
    assert float(rows[0][2]) == pytest.approx(float(parts), abs=0.01)


def test_dates_in_headings_are_days(loaded: Settings) -> None:
    days = asked(f"select distinct period_type, period_end::text from {DATA} order by 2", loaded)
    assert days == [("as_at", "2017-09-30"), ("as_at", "2018-03-31"), ("as_at", "2018-09-30")]


def test_nothing_but_rounding_stands_between_totals_and_parts(loaded: Settings) -> None:
    assert issues(loaded) == []
