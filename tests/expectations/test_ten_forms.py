"""Each check of ten forms passes on a good return and fails on a bad one: real lines, real typed views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from quarterday.checking.expectations import read_expectations
from quarterday.checking.judging import judge_load
from quarterday.contracts import Form, load_forms
from quarterday.settings import Settings
from tests.checking_support import land

PROJECT = Path(__file__).parents[2]
EXPECTATIONS = PROJECT / "expectations"
FORMS = load_forms(PROJECT / "returns")
# The two reference forms have tests of their own.
TEN = [form for name, form in FORMS.items() if name not in ("victim_gateway", "budget_outturn")]

Line = dict[str, str | int | None]

PERIODS = {
    "2016-17": ("financial_year", "2016-04-01", "2017-03-31"),
    "2016-17-Q1": ("financial_quarter", "2016-04-01", "2016-06-30"),
    "2016-17-Q2": ("financial_quarter", "2016-07-01", "2016-09-30"),
    "2016-17-Q3": ("financial_quarter", "2016-10-01", "2016-12-31"),
    "2016-17-Q4": ("financial_quarter", "2017-01-01", "2017-03-31"),
    "2017-18-Q3": ("financial_quarter", "2017-10-01", "2017-12-31"),
    "day": ("as_at", "2017-12-31", "2017-12-31"),
}


def number(measure: str, value: str, period: str = "2017-18-Q3", area: str = "pcc_area", group: str = "all") -> Line:
    """Return an indicator line as landing keeps it."""
    kind, start, end = PERIODS[period]
    return {
        "column_number": 2,
        "column_name": "Count",
        "measure_label": measure,
        "measure_code": measure,
        "breakdown_code": group,
        "area_label": area,
        "area_code": area,
        "period_label": period,
        "period_type": kind,
        "period_start": start,
        "period_end": end,
        "value": value,
    }


def entrants(value: str, period: str, area: str = "staffordshire_county") -> Line:
    """Return a line of first-time entrants."""
    return number("first_time_entrants", value, period, area)


def rate(value: str, area: str, period: str = "2016-17-Q1") -> Line:
    """Return a line of youth reoffending."""
    return number("youth_reoffending_rate", value, period, area)


def rates(county: str, city: str, whole: str, period: str = "2016-17-Q1") -> list[Line]:
    """Return the lines of one cohort."""
    return [
        rate(county, "staffordshire_county", period),
        rate(city, "stoke_on_trent", period),
        rate(whole, "pcc_area", period),
    ]


def action(**changes: str) -> Line:
    """Return a line of the action plan."""
    good = {
        "action_number": "1",
        "theme": "Prevention",
        "reference": "1",
        "action_label": "An action",
        "term_printed": "M c/f",
        "carried_forward": "yes",
        "due_year": "2016/17",
        "rag": "A",
        "has_evidence": "yes",
        "evidence_note": "A note",
    }
    return {**good, **changes}


def award(**changes: str) -> Line:
    """Return a line of the community funds."""
    good = {
        "fund_code": "People Power Fund",
        "financial_year": "2017/18",
        "funding_round": "All",
        "round_count": "2",
        "available_gbp": "£200,000",
        "awarded_gbp": "£20,000",
        "award_count": "16",
        "status": "final",
    }
    return {**good, **changes}


def year(first: str, annual: str) -> list[Line]:
    """Return four quarters of first-time entrants, three of them 20, and their year."""
    quarters = [entrants(first, "2016-17-Q1"), *(entrants("20", f"2016-17-Q{quarter}") for quarter in (2, 3, 4))]
    return [*quarters, entrants(annual, "2016-17")]


CONTACTED, ACCEPTED = "business_crime_businesses_contacted", "business_crime_support_accepted"
SHARE, UNITS = "business_crime_support_acceptance_rate", "cadet_units"
EMAILS, DOWNLOADS = "smart_alert_email_registrations", "smart_alert_app_downloads"

# Check, a return that passes, and a return that fails by it.
CASES: list[tuple[str, list[Line], list[Line]]] = [
    ("BCA-101", [number(CONTACTED, "9"), number(ACCEPTED, "9")], [number(CONTACTED, "9"), number(ACCEPTED, "10")]),
    ("BCA-102", [number(SHARE, "49.5%")], [number(CONTACTED, "9.5")]),
    ("BCA-103", [number(SHARE, "100"), number(CONTACTED, "200")], [number(SHARE, "101")]),
    ("RJH-101", [number("rj_adult_referrals", "29")], [number("rj_adult_referrals", "29.5")]),
    ("FTE-101", year("20", "80"), year("20", "81")),
    ("FTE-101", [entrants("30", "2016-17-Q1"), entrants("90", "2016-17")], year("19", "80")),
    ("FTE-102", [entrants("40", "2016-17-Q1"), entrants("60", "2016-17-Q2")],
     [entrants("40", "2016-17-Q1"), entrants("61", "2016-17-Q2")]),
    ("FTE-102", [entrants("40", "2016-17-Q1"), entrants("90", "2016-17-Q3")],
     [entrants("40", "2016-17-Q1"), entrants("19", "2016-17-Q2")]),
    ("FTE-103", [entrants("20", "2017-18-Q3")], [entrants("20", "2017-18-Q3", "stoke_on_trent")]),
    ("FTE-104", [entrants("20", "2017-18-Q3")], [entrants("20.5", "2017-18-Q3")]),
    ("REO-101", rates("41.3%", "52.2%", "46.7%"), rates("41.3%", "52.2%", "52.3%")),
    ("REO-102", rates("41.3%", "52.2%", "46.7%"), rates("41.3%", "52.2%", "46.7%", "2017-18-Q3")),
    ("REO-103", rates("n/a", "n/a", "n/a"), rates("41.3%", "n/a", "n/a")),
    ("SPC-101", [number("space_young_people", "50"), number("space_attendances", "60")],
     [number("space_young_people", "60"), number("space_attendances", "50")]),
    ("SPC-102", [number("space_activity_hours", "8.5")], [number("space_activities", "8.5")]),
    ("SPC-103", [number("space_investment", "£140,000")], [number("space_investment", "140")]),
    ("ROA-101", [action()], [action(carried_forward="no")]),
    ("ROA-101", [action(term_printed="M", carried_forward="no")], [action(term_printed="M")]),
    ("ROA-102", [action()], [action(due_year="2017/18")]),
    ("ROA-103", [action(has_evidence="no", evidence_note="")], [action(has_evidence="no")]),
    ("ROA-104", [action(term_printed="M", carried_forward="no", rag="G")], [action(rag="G")]),
    ("ROA-105", [action(), action(action_number="2")], [action(), action(action_number="3")]),
    ("ROA-106", [action(), action(action_number="2", reference="2", theme="Diversion")],
     [action(), action(action_number="2", theme="Diversion")]),
    ("CFA-101", [award()], [award(available_gbp="£19,999")]),
    ("CFA-102", [award()], [award(awarded_gbp="n/a")]),
    ("CFA-103", [award(funding_round="1"), award(funding_round="2")], [award(), award(funding_round="2")]),
    ("CFA-104", [award(award_count="7")], [award(award_count="6")]),
    ("CFA-105", [award()], [award(financial_year="2016/17")]),
    ("ICV-101", [number("icv_visits", "263")], [number("icv_visits", "263.5")]),
    ("ICV-102", [number("icv_visits", "1"), number("icv_detainees_visited", "3")],
     [number("icv_visits", "0"), number("icv_detainees_visited", "3")]),
    ("SMA-101", [number(EMAILS, "6,005", "day")], [number(EMAILS, "6005.5", "day")]),
    ("SMA-102", [number(EMAILS, "4,000", "day"), number(DOWNLOADS, "almost 7,000")], [number(EMAILS, "4,000")]),
    ("CAD-101", [number("cadet_volunteers", "7", "day"), number("cadet_volunteers", "7", "day", group="pcsos")],
     [number("cadet_volunteers", "7", "day"), number("cadet_volunteers", "8", "day", group="pcsos")]),
    ("CAD-102", [number("cadets", "30", "day", "burslem")], [number("cadets", "30.5", "day", "burslem")]),
    ("CAD-103", [number("cadet_fundraiser_income", "almost £2,000")], [number("cadets", "30", area="burslem")]),
    ("CAD-104", [number(UNITS, "1", "day"), number("cadets", "30", "day", "burslem")],
     [number(UNITS, "2", "day"), number("cadets", "30", "day", "burslem")]),
]  # fmt: skip


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    """An open transaction on a fresh warehouse."""
    opened = psycopg2.connect(settings.server_url)
    yield opened
    opened.close()


def form_of(check_id: str) -> Form:
    """Return the form that a check belongs to."""
    return next(form for form in TEN if form.contract.check_prefix == check_id[:3])


def test_each_check_fails_on_the_bad_return_alone(connection: Connection) -> None:
    for check_id, good, bad in CASES:
        form = form_of(check_id)
        passed, failed = (
            judge_load(land(form, lines, connection, issued="2018-04-23"), form, connection, EXPECTATIONS).failed
            for lines in (good, bad)
        )
        assert (check_id, passed) == (check_id, ())
        assert check_id in failed


def test_restated_figure_is_flagged_with_the_figure_sent_before(connection: Connection) -> None:
    form = FORMS["first_time_entrants"]
    before = land(form, [entrants("40", "2016-17-Q1")], connection, issued="2017-04-28")
    judge_load(before, form, connection, EXPECTATIONS)
    again = land(form, [entrants("41", "2016-17-Q1")], connection, issued="2018-04-23")
    verdict = judge_load(again, form, connection, EXPECTATIONS)
    assert (verdict.verdict, verdict.failed) == ("admitted", ("FTE-105",))


def test_every_check_of_the_ten_forms_is_shown_failing() -> None:
    written = {check.check_id for form in TEN for check in read_expectations(form, EXPECTATIONS)}
    assert written == {check_id for check_id, _, _ in CASES} | {"FTE-105"}
