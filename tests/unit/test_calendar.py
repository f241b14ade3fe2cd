"""Periods as partners write them."""

from __future__ import annotations

from datetime import date

import pytest

from quarterday.calendar import (
    FinancialQuarter,
    Period,
    due_date,
    parse_date,
    parse_period,
    period_key,
    quarters_between,
)

Q3 = FinancialQuarter(2017, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2017-18-Q3",
        "2017-18 Q3",
        "Q3 2017/18",
        "Q3 2017/2018",
        "q3_2017-18",
        "Quarter 3 2017/18",
        "2017/18 | Q3",
        "Oct-Dec 2017",
        "October to December 2017",
        "October – December 2017",
        "01/10/2017 - 31/12/2017",
        "quarter ending 31 December 2017",
    ],
)
def test_a_quarter_is_read_however_it_is_written(text: str) -> None:
    assert FinancialQuarter.parse(text) == Q3
    assert parse_period(text) == Period("financial_quarter", date(2017, 10, 1), date(2017, 12, 31))


@pytest.mark.parametrize("text", ["Q3", "Q5 2017/18", "2017-19-Q3", "third quarter", "", "Nov 2017 to Jan 2018"])
def test_a_text_that_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        FinancialQuarter.parse(text)


def test_the_fourth_quarter_falls_into_the_next_calendar_year() -> None:
    fourth = FinancialQuarter.parse("2017-18-Q4")
    assert (fourth.start, fourth.end) == (date(2018, 1, 1), date(2018, 3, 31))
    assert FinancialQuarter.of(date(2018, 3, 31)) == fourth
    assert FinancialQuarter.of(date(2018, 4, 1)) == fourth.next() == FinancialQuarter(2018, 1)
    assert fourth.next().previous() == fourth


def test_quarters_are_counted_across_years() -> None:
    assert Q3.shift(8) == FinancialQuarter(2019, 3)
    assert Q3.shift(-3) == FinancialQuarter(2016, 4)
    assert [quarter.key for quarter in quarters_between(Q3, Q3.shift(2))] == ["2017-18-Q3", "2017-18-Q4", "2018-19-Q1"]
    assert (str(Q3), Q3.label, Q3.sort) == ("2017-18-Q3", "2017-18 Q3", 20173)


@pytest.mark.parametrize(
    ("text", "hint", "key"),
    [
        ("2016/17", None, "2016-17"),
        ("Year 2016-17", None, "2016-17"),
        ("2016/17 Annual", None, "2016-17"),
        ("April 2016 to March 2017", None, "2016-17"),
        ("2016", None, "calendar_year:2016-01-01/2016-12-31"),
        ("Oct 2017", None, "calendar_month:2017-10-01/2017-10-31"),
        ("2017-10", "calendar_month", "calendar_month:2017-10-01/2017-10-31"),
        ("2010-11", "calendar_month", "calendar_month:2010-11-01/2010-11-30"),
        ("2010-11", None, "2010-11"),
        ("Year ending June 2018", None, "rolling_year:2017-07-01/2018-06-30"),
        ("12 months to 31 March 2018", None, "rolling_year:2017-04-01/2018-03-31"),
        ("20/07/2016 - 31/08/2016", None, "date_range:2016-07-20/2016-08-31"),
        ("20 July 2016 to 31 August 2016", None, "date_range:2016-07-20/2016-08-31"),
        ("2016-07-20 to 2016-08-31", "date_range", "date_range:2016-07-20/2016-08-31"),
        ("since 2016-03-01 to 2018-02-28", None, "to_date:2016-03-01/2018-02-28"),
        ("as at 31 March 2017", None, "as_at:2017-03-31"),
        ("31/03/2017", None, "as_at:2017-03-31"),
        ("42825", None, "as_at:2017-03-31"),
        ("date_range:2016-07-20/2016-08-31", None, "date_range:2016-07-20/2016-08-31"),
        ("as_at:2017-03-31", None, "as_at:2017-03-31"),
        ("2017-18-Q3", "date_range", "date_range:2017-10-01/2017-12-31"),
    ],
)
def test_a_period_is_read_as_what_it_is(text: str, hint: str | None, key: str) -> None:
    assert parse_period(text, hint).key == key


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2016/17", "financial_quarter"),
        ("20/07/2016 - 31/08/2016", "financial_quarter"),
        ("31/08/2016 - 20/07/2016", None),
        ("31/02/2017", None),
        ("2016/18", None),
        ("since 2016-03-01", None),
        ("a while ago", None),
    ],
)
def test_a_period_of_another_kind_is_refused(text: str, hint: str | None) -> None:
    with pytest.raises(ValueError, match="is not a|, not a"):
        parse_period(text, hint)


@pytest.mark.parametrize(
    "text", ["23/01/2018", "23.1.18", "23-01-2018", "23 January 2018", "23rd Jan 2018", "Tuesday 23 January 2018",
             "2018-01-23", "2018-01-23 00:00:00", "23-Jan-18", "43123", "43123.0"]
)  # fmt: skip
def test_a_date_is_read_day_first_however_it_is_written(text: str) -> None:
    assert parse_date(text) == date(2018, 1, 23)


@pytest.mark.parametrize(("text", "year"), [("12/03/98", 1998), ("12/03/70", 1970), ("12/03/69", 2069)])
def test_two_digits_of_a_year_turn_the_century_at_seventy(text: str, year: int) -> None:
    assert parse_date(text) == date(year, 3, 12)


@pytest.mark.parametrize("text", ["31/02/2018", "13/13/2018", "soon", "12345", "2018"])
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the standard library's own wording for days that don't exist
        parse_date(text)


def test_a_year_that_ends_in_march_is_told_from_a_rolling_one() -> None:
    assert period_key("financial_year", date(2016, 4, 1), date(2017, 3, 31)) == "2016-17"
    assert period_key("rolling_year", date(2016, 4, 1), date(2017, 3, 31)) == "rolling_year:2016-04-01/2017-03-31"


def test_a_due_date_leaves_out_weekends_and_bank_holidays() -> None:
    # Easter Monday 2018 was 2 April; the first working day of the new quarter is the third.
    assert due_date(date(2018, 3, 31), 1) == date(2018, 4, 3)
    assert due_date(date(2018, 3, 31), 20) == date(2018, 4, 30)
    # Christmas Day, Boxing Day and New Year's Day of 2017/18, in England.
    assert due_date(date(2017, 12, 22), 4) == date(2018, 1, 2)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends on or after"):
        Period("date_range", date(2018, 1, 2), date(2018, 1, 1))
