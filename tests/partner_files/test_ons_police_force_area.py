"""Police force area tables of the Office for National Statistics, six issues (FACTS.md, A1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterday.settings import Settings
from tests.marts_support import deployed_template
from tests.partner_files.support import answer, asked, issues, send_files, verdicts, warehouse
from tests.path_support import release, rows_of

__all__ = ["deployed_template"]

Issue = tuple[str, str, int, int, int, tuple[int, ...], tuple[int, int, int]]
PARTNER = "office_for_national_statistics"
MEASURES = (
    *("all", "violence_against_the_person", "sexual_offences", "robbery", "theft_offences", "burglary", "homicide"),
    *("stalking_and_harassment", "criminal_damage_and_arson", "possession_of_weapons_offences", "drug_offences"),
    "public_order_offences",
)
# File; end of the year; the 43 forces; England and Wales; British Transport Police; Staffordshire as MEASURES; then
# offences with a knife: the 43 forces, dashes in their rows, Staffordshire.
ISSUES: list[Issue] = [
    (
        *("policeforceareatablesyearendingmarch2018v2.xlsx", "2018-03-31", 4_816_497, 4_876_282, 59_785),
        (83987, 29555, 3421, 858, 30248, 6246, 11, 7342, 11011, 679, 1880, 4381),
        (40_050, 83, 677),
    ),
    (
        *("policeforceareadatatablesyearendingjune2018corrected.xlsx", "2018-06-30", 4_917_482, 4_978_455, 60_973),
        (84436, 30060, 3365, 890, 30384, 6145, 10, 7840, 10945, 723, 1820, 4380),
        (41_719, 85, 674),
    ),
    (
        *("policeforceareatablesyearendingsep18corrected.xlsx", "2018-09-30", 5_010_526, 5_073_131, 62_605),
        (84164, 30290, 3353, 933, 29932, 6118, 12, 8439, 11013, 749, 1761, 4263),
        (42_790, 83, 689),
    ),
    (
        *("policeforceareatablesyearendingdecember2018.xlsx", "2018-12-31", 5_088_371, 5_153_064, 64_693),
        (84765, 30743, 3247, 972, 30069, 6032, 9, 9069, 10971, 801, 1816, 4258),
        (44_249, 83, 704),
    ),
    (
        *("policeforceareatablesyeendingmarch2019.xlsx", "2019-03-31", 5_190_468, 5_257_081, 66_613),
        (84918, 31402, 3232, 991, 29709, 5816, 8, 9605, 10814, 804, 1920, 4190),
        (46_936, 81, 674),
    ),
    (
        *("policeforceareatablesyearendingjune2019.xlsx", "2019-06-30", 5_211_395, 5_279_956, 68_561),
        (83773, 31374, 3298, 945, 28951, 5488, 11, 9950, 10510, 789, 1963, 4035),
        (47_321, 82, 667),
    ),
]
LINES = (2968, 3232, 3232, 3232, 3116, 3348)
FORCES = "(area_code ~ '^(E23|W15)' or area_code = 'pcc_area')"
by_issue = pytest.mark.parametrize("issue", ISSUES, ids=lambda issue: issue[1])


@pytest.fixture(scope="module")
def loaded(partner_files: Path, deployed_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with the six workbooks, in order of issue, released."""
    folder = partner_files / "ons-police-force-area"
    with warehouse("pfa", deployed_template, tmp_path_factory.mktemp("pfa")) as settings:
        send_files({folder / name: PARTNER for name, *_ in ISSUES}, settings)
        release(settings)
        yield settings


def lines(period_end: str, table: str) -> str:
    """Return the start of a query's end: the lines of one issue's table, whatever is appended to its sheet's name."""
    return f"""from typed.ons_police_force_area as line join ledger.load using (load_id)
        where btrim(sheet) = '{table}' and period_end = '{period_end}' and period_type = 'rolling_year'"""


def test_every_figure_of_the_six_is_admitted(loaded: Settings) -> None:
    expected = {issue[0]: ("admitted", count, 0) for issue, count in zip(ISSUES, LINES, strict=True)}
    assert verdicts(loaded) == expected


@by_issue
def test_totals_of_recorded_crime(issue: Issue, loaded: Settings) -> None:
    _, end, forces, england_and_wales, transport, _, _ = issue
    source = lines(end, "Table P1") + " and measure_code = 'recorded_crime' and breakdown_code = 'all'"
    assert asked(f"select count(*), sum(value) {source} and {FORCES}", loaded) == [(43, forces)]
    assert answer(f"select value {source} and area_code = 'england_and_wales'", loaded) == england_and_wales
    assert answer(f"select value {source} and area_code = 'british_transport_police'", loaded) == transport
    assert forces + transport == england_and_wales


@by_issue
def test_staffordshire_by_offence_group(issue: Issue, loaded: Settings) -> None:
    ours = dict(asked(f"select breakdown_code, value {lines(issue[1], 'Table P1')} and area_code = 'pcc_area'", loaded))
    assert tuple(ours[name] for name in MEASURES) == issue[5]


@by_issue
def test_each_force_has_a_number_for_each_group(issue: Issue, loaded: Settings) -> None:
    source = lines(issue[1], "Table P1")
    assert asked(f"select count(*), count(value) {source} and {FORCES}", loaded) == [(43 * 23, 43 * 23)]


@by_issue
def test_offences_with_a_knife(issue: Issue, loaded: Settings) -> None:
    forces, dashes, staffordshire = issue[6]
    source = lines(issue[1], "Table P4")
    total = f"{source} and measure_code = 'knife_offences' and breakdown_code = 'all'"
    assert asked(f"select count(*), sum(value) {total} and {FORCES}", loaded) == [(43, forces)]
    assert answer(f"select value {total} and area_code = 'pcc_area'", loaded) == staffordshire
    assert answer(f"select count(*) {source} and value_as_sent = '-' and {FORCES}", loaded) == dashes
    assert answer(f"select count(value) {source} and value_as_sent = '-'", loaded) == 0


def test_nothing_but_revisions_is_found(loaded: Settings) -> None:
    assert {(check, action) for check, action, *_ in issues(loaded)} == {("OPF-103", "flag")}


def test_spacer_columns_make_no_lines(loaded: Settings) -> None:
    columns = asked(
        "select distinct column_number from typed.ons_police_force_area where btrim(sheet) = 'Table P1'", loaded
    )
    assert {number for (number,) in columns} == set(range(3, 28)) - {4, 23}


def test_editions_differ_only_by_their_file(loaded: Settings) -> None:
    assert answer("select count(distinct edition) from ledger.load", loaded) == 1
    sheets = {sheet for (sheet,) in asked("select distinct sheet from typed.ons_police_force_area", loaded)}
    assert {"Table P1 ", "Table P1", "Table P4 ", "Table P4", "Table P5"} == sheets


def test_a_year_that_a_later_issue_revises_is_kept_and_superseded(loaded: Settings) -> None:
    versions = rows_of(
        """select value::integer as value, issued_on::text as issued_on, superseded_on::text as superseded_on
        from history.fct_measurement
        where measure_code = 'knife_offences' and area_code = 'pcc_area' and period_type = 'date_range'
            and period_start = '2011-04-01' order by issued_on""",
        loaded,
    )
    assert [row["value"] for row in versions][:2] == [328, 327]
    assert versions[0]["issued_on"] == "2018-07-19"
    assert [row["superseded_on"] for row in versions] == [*(row["issued_on"] for row in versions[1:]), None]


def test_the_revision_is_told_with_both_figures(loaded: Settings) -> None:
    told = asked(
        """select issue.expected, issue.found from ledger.line_issue as issue join ledger.load using (load_id)
        where issue.check_id = 'OPF-103' and load.file_name like '%june2018corrected%'
            and issue.column_name like 'Apr ''11 to Mar ''12%' and issue.found = '327'""",
        loaded,
    )
    assert told == [("328, as given before", "327")]


def test_only_the_newest_figure_of_a_year_is_published(loaded: Settings) -> None:
    published = rows_of(
        """select value::integer as value from mart.fct_measurement
        where measure_code = 'knife_offences' and area_code = 'pcc_area' and period_type = 'date_range'
            and period_start = '2011-04-01'""",
        loaded,
    )
    assert published == [{"value": 327}]


def test_a_year_stays_published_beside_the_next_ones(loaded: Settings) -> None:
    years = rows_of(
        """select period_end::text as ends, value::integer as value from mart.fct_measurement
        where measure_code = 'recorded_crime' and breakdown_code = 'all' and area_code = 'pcc_area' order by 1""",
        loaded,
    )
    assert [(row["ends"], row["value"]) for row in years] == [(issue[1], issue[5][0]) for issue in ISSUES]
