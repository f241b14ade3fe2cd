"""Lookups as reference data (FACTS.md, A8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday.settings import Settings
from tests.partner_files.support import answer, asked, issues, send_files, verdicts, warehouse

DISTRICTS = (
    "Local_Authority_District_to_Community_Safety_Partnerships_to_Police_Force_Areas__December_2016__"
    "Lookup_in_England_and_Wales.csv"
)
AREAS = "PoliceforceLSOA.csv"


@pytest.fixture(scope="module")
def loaded(partner_files: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with both lookups."""
    folder = partner_files / "lookups"
    with warehouse("lookups", template, tmp_path_factory.mktemp("lookups")) as settings:
        files = {folder / DISTRICTS: "office_for_national_statistics", folder / AREAS: "opcc_analysts"}
        send_files(files, settings)
        yield settings


def test_every_line_of_both_is_admitted(loaded: Settings) -> None:
    assert verdicts(loaded) == {DISTRICTS: ("admitted", 348, 0), AREAS: ("admitted", 32_844, 0)}


def test_staffordshire_has_nine_districts_in_nine_partnerships(loaded: Settings) -> None:
    ours = "typed.community_safety_partnerships where force_code = 'E23000015'"
    counted = f"select count(distinct district_code), count(distinct partnership_code) from {ours}"
    assert asked(counted, loaded) == [(9, 9)]
    assert answer(f"select count(*) from {ours} and district_code like 'E07%'", loaded) == 8
    assert answer(f"select count(*) from {ours} and district_code = 'E06000021'", loaded) == 1


def test_staffordshire_has_687_statistical_areas(loaded: Settings) -> None:
    ours = "typed.statistical_area_forces where police_force = 'Staffordshire'"
    assert answer(f"select count(*) from {ours}", loaded) == 687
    assert answer(f"select count(*) from {ours} and authority_code = 'E06000021'", loaded) == 159
    assert asked(
        f"select count(*), count(distinct authority_code) from {ours} and authority_code like 'E07%'", loaded
    ) == [(528, 8)]


def test_blank_forces_are_told_and_kept(loaded: Settings) -> None:
    assert answer("select count(*) from typed.statistical_area_forces where police_force is null", loaded) == 3335
    found = [(check, action) for check, action, *_ in issues(loaded)]
    assert set(found) == {("LSF-091", "flag")}


def test_reference_data_is_about_a_day(loaded: Settings) -> None:
    days = asked(
        "select form, period_type, period_end::text from ledger.load join ledger.load_period using (load_id)", loaded
    )
    assert sorted(days) == [
        ("community_safety_partnerships", "as_at", "2016-12-31"),
        ("statistical_area_forces", "as_at", "2011-03-27"),
    ]
