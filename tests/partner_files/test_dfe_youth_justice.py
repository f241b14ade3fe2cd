"""Youth justice by local authority, of the Department for Education (FACTS.md, A7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday.settings import Settings
from tests.partner_files.support import answer, asked, send_files, verdicts, warehouse

FILE = "lait_youth_justice_extract.csv"
DATA = "typed.dfe_youth_justice"
ENTRANTS = {
    "staffordshire_county": (232, 170, 219, 178, 117, 94, 133, 149, 150),
    "stoke_on_trent": (552, 389, 378, 448, 181, 258, 245, 232, 281),
}
REOFFENDING = {
    "staffordshire_county": ("57.65", "49.18", "46.91", "38.67", "20.41", "50", "45.83", "32.26", "25"),
    "stoke_on_trent": ("43.18", "40.32", "45.24", "26.32", "17.5", None, "25", "15.79", "15.79"),
}
SUPPRESSED = {
    "first_time_entrant_rate": (12, 12, 12, 12, 13, 14, 11, 12, 11),
    "youth_reoffending_share": (15, 17, 19, 32, 40, 83, 81, 73, 72),
}


@pytest.fixture(scope="module")
def loaded(partner_files: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with the extract."""
    with warehouse("dfe", template, tmp_path_factory.mktemp("dfe")) as settings:
        send_files({partner_files / "dfe-youth-justice" / FILE: "department_for_education"}, settings)
        yield settings


def series(measure: str, area: str, settings: Settings) -> list[object]:
    rows = asked(
        f"""select value from {DATA} where measure_code = '{measure}' and area_code = '{area}'
        and period_type = 'calendar_year' order by period_start""",
        settings,
    )
    return [value for (value,) in rows]


def test_every_line_is_admitted(loaded: Settings) -> None:
    assert verdicts(loaded) == {FILE: ("admitted", 7990, 0)}
    assert answer(f"select count(*) from {DATA} where not value_ok or area_code is null or not period_ok", loaded) == 0


def test_every_year_of_a_measure_has_all_areas(loaded: Settings) -> None:
    lines = asked(f"select measure_code, period_start, count(*) from {DATA} group by 1, 2", loaded)
    assert {count for *_, count in lines} == {170}
    assert len(lines) == 47


def test_a_dash_is_suppressed_and_never_nought(loaded: Settings) -> None:
    sent = f"select count(*), count(value), min(value_flag), max(value_flag) from {DATA} where value_as_sent = '-'"
    assert asked(sent, loaded) == [(1302, 0, "c", "c")]


@pytest.mark.parametrize("measure", SUPPRESSED)
def test_suppressed_cells_by_year(measure: str, loaded: Settings) -> None:
    rows = asked(
        f"""select period_start, count(*) filter (where value_flag = 'c') from {DATA}
        where measure_code = '{measure}' group by 1 order by 1""",
        loaded,
    )
    assert tuple(count for _, count in rows) == SUPPRESSED[measure]


@pytest.mark.parametrize("area", ENTRANTS)
def test_first_time_entrants(area: str, loaded: Settings) -> None:
    assert tuple(series("first_time_entrant_rate", area, loaded)) == ENTRANTS[area]


@pytest.mark.parametrize("area", REOFFENDING)
def test_reoffending(area: str, loaded: Settings) -> None:
    found = series("youth_reoffending_share", area, loaded)
    assert [None if value is None else float(str(value)) for value in found] == [
        None if text is None else float(text) for text in REOFFENDING[area]
    ]


def test_convictions_of_looked_after_children_in_stoke_are_mostly_suppressed(loaded: Settings) -> None:
    rows = asked(
        f"""select extract(year from period_start)::integer, value, value_flag from {DATA}
        where measure_code = 'looked_after_conviction_share' and area_code = 'stoke_on_trent' order by 1""",
        loaded,
    )
    assert [year for year, _, flag in rows if flag == "c"] == [2016, 2018, 2021, 2022, 2023, 2025]
    assert [value for year, value, _ in rows if year == 2024] == [0]


def test_what_a_measure_is_called_is_filled_down_within_the_measure_alone(loaded: Settings) -> None:
    notes = asked(f"select measure_code, min(note), max(note), count(note), count(*) from {DATA} group by 1", loaded)
    filled = {measure: (first, last, count) for measure, first, last, count, _ in notes}
    assert filled["youth_caution_sentence_count"] == (None, None, 0)
    wording = "Rate of proven re-offending by young offenders (%)"
    assert filled["youth_reoffending_share"] == (wording, wording, 1530)
    assert all(first == last and count == lines for code, first, last, count, lines in notes if count)


def test_west_midlands_is_the_region(loaded: Settings) -> None:
    sent = "from landing.dfe_youth_justice where area_label = 'West Midlands'"
    assert asked(f"select count(*), min(area_code), max(area_code) {sent}", loaded) == [
        (47, "west_midlands", "west_midlands")
    ]


def test_numbers_keep_every_digit_that_was_sent(loaded: Settings) -> None:
    assert answer(f"select count(*) from {DATA} where value::text = '32.520000000000003'", loaded) >= 1
