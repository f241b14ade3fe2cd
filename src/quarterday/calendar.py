"""Periods as partners write them, and what they mean: two dates and a type.

The financial year runs from 1 April to 31 March; Q1 is April to June. Both dates of a period belong to it.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

PERIOD_TYPES = (
    "financial_quarter",
    "financial_year",
    "calendar_year",
    "calendar_month",
    "rolling_year",
    "date_range",
    "to_date",
    "as_at",
)

# Two digits of a year: 70 to 99 are the last century's, as spreadsheets and POSIX have it.
TURN_OF_CENTURY = 70
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[t ]00:00(?::00(?:\.0+)?)?)?")
_NUMERIC = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})")
_WORDED = re.compile(rf"(?:[a-z]+day,? )?(\d{{1,2}})(?:st|nd|rd|th)?[ \-](?:of )?{_MONTH}[ \-,]+(\d{{4}}|\d{{2}})")
_SERIAL = re.compile(r"([2-7]\d{4})(?:\.0+)?")
_WORDED_DATE = rf"\d{{1,2}}(?:st|nd|rd|th)?[ \-](?:of )?{_MONTH.replace('(', '(?:', 1)}[ \-,]+\d{{2,4}}"
_DATE = rf"(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{2,4}}|{_WORDED_DATE})"
_YEAR = r"(\d{4})[/\-](\d{4}|\d{2})"
_QUARTER_FIRST = re.compile(rf"(?:q|qtr|quarter) ?([1-4])[ ,:(\-]*(?:of )?(?:fy ?)?{_YEAR}\)?")
_QUARTER_LAST = re.compile(rf"(?:fy ?)?{_YEAR}[ ,:(\-]*(?:q|qtr|quarter) ?([1-4])\)?")
_YEAR_ALONE = re.compile(
    rf"(?:fy|financial year|full year|year|annual|total)? ?{_YEAR}(?: (?:annual|total|full year|year|financial year))?"
)
_CALENDAR_YEAR = re.compile(r"(?:calendar year )?((?:19|20)\d\d)(?:\.0)?")
_APOSTROPHE = "['\u2019]"  # 'Apr '17 to Mar '18'
_MONTH_SPAN = re.compile(
    rf"{_MONTH} ?(\d{{4}}|{_APOSTROPHE}\d{{2}})? ?(?:to|-|until) ?{_MONTH} (\d{{4}}|{_APOSTROPHE}\d{{2}})"
)
_MONTH_ALONE = re.compile(rf"(?:month of )?{_MONTH}[ \-]?(\d{{4}}|\d{{2}})")
_MONTH_ISO = re.compile(r"(\d{4})-(\d{2})")
_YEAR_ENDING = re.compile(r"(?:year end(?:ing|ed)?|ye|12 months (?:to|ending)|rolling year to)[ :]+(.+)")
_QUARTER_ENDING = re.compile(r"quarter (?:end(?:ing|ed)?|to)[ :]+(.+)")
_TO_DATE = re.compile(rf"(?:since|from) ({_DATE})(?:,? (?:to|until|up to|-) (?:date )?({_DATE}))")
_AS_AT = re.compile(rf"(?:as at|at|on) ({_DATE})")
_RANGE = re.compile(rf"(?:from )?({_DATE}) ?(?:to|until|-) ?({_DATE})")
_KEY = re.compile(rf"({'|'.join(PERIOD_TYPES)}):(\d{{4}}-\d\d-\d\d)(?:/(\d{{4}}-\d\d-\d\d))?")


@dataclass(frozen=True, order=True)
class FinancialQuarter:
    """A quarter of the financial year; ``year`` is the one in which the financial year begins, ``number`` 1 to 4."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if self.number not in (1, 2, 3, 4):
            raise ValueError(f"A financial quarter is 1, 2, 3 or 4, not {self.number}.")

    @classmethod
    def of(cls, day: date) -> FinancialQuarter:
        """Return the quarter that a day falls in."""
        quarter = (day.month - 1) // 3
        return cls(day.year - 1, 4) if quarter == 0 else cls(day.year, quarter)

    @classmethod
    def parse(cls, text: str) -> FinancialQuarter:
        """Read '2017-18-Q3', 'Q3 2017/18', 'Oct-Dec 2017', 'Quarter 4 2017/18' and the like.

        Raises:
            ValueError: The text is no financial quarter.
        """
        return cls.of(parse_period(text, "financial_quarter").end)

    @property
    def start(self) -> date:
        """The first day."""
        return date(self.year + 1, 1, 1) if self.number == 4 else date(self.year, 3 * self.number + 1, 1)

    @property
    def end(self) -> date:
        """The last day."""
        return self.next().start - timedelta(days=1)

    def next(self) -> FinancialQuarter:
        """The quarter after this one."""
        return FinancialQuarter(self.year + 1, 1) if self.number == 4 else FinancialQuarter(self.year, self.number + 1)

    def previous(self) -> FinancialQuarter:
        """The quarter before this one."""
        return FinancialQuarter(self.year - 1, 4) if self.number == 1 else FinancialQuarter(self.year, self.number - 1)

    @property
    def key(self) -> str:
        """The key, as '2017-18-Q3'."""
        return f"{financial_year_key(self.year)}-Q{self.number}"

    @property
    def label(self) -> str:
        """The name to show, as '2017-18 Q3'."""
        return f"{financial_year_key(self.year)} Q{self.number}"

    @property
    def sort(self) -> int:
        """An integer that sorts as time does, as 20173."""
        return self.year * 10 + self.number

    def shift(self, quarters: int) -> FinancialQuarter:
        """Return the quarter so many quarters later; negative is earlier."""
        position = self.year * 4 + self.number - 1 + quarters
        return FinancialQuarter(position // 4, position % 4 + 1)

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, order=True)
class Period:
    """What a figure is about: a type of :data:`PERIOD_TYPES` and two dates that both belong to it."""

    type: str
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.type not in PERIOD_TYPES:
            raise ValueError(f"A period type is one of {', '.join(PERIOD_TYPES)}; found '{self.type}'.")
        if self.end < self.start:
            raise ValueError(f"A period ends on or after its first day; found {self.start} to {self.end}.")

    @classmethod
    def of_quarter(cls, quarter: FinancialQuarter) -> Period:
        """Return a financial quarter as a period."""
        return cls("financial_quarter", quarter.start, quarter.end)

    @property
    def quarter(self) -> FinancialQuarter:
        """The financial quarter in which the period ends, which is the quarter that reports it."""
        return FinancialQuarter.of(self.end)

    @property
    def key(self) -> str:
        """The key of the period, see :func:`period_key`."""
        return period_key(self.type, self.start, self.end)

    def __str__(self) -> str:
        return self.key


def financial_year_key(year: int) -> str:
    """Return the key of the financial year that begins in a year: 2017 is '2017-18'."""
    return f"{year}-{(year + 1) % 100:02d}"


def period_key(period_type: str, start: date, end: date) -> str:
    """Return the key of a period: '2017-18-Q3', '2017-18', 'as_at:2017-03-31', 'to_date:2016-03-01/2018-02-28'"""
    if period_type == "financial_quarter":
        return FinancialQuarter.of(end).key
    if period_type == "financial_year":
        return financial_year_key(start.year)
    return f"as_at:{start}" if period_type == "as_at" else f"{period_type}:{start}/{end}"


def quarters_between(first: FinancialQuarter, last: FinancialQuarter) -> Iterator[FinancialQuarter]:
    """Yield the quarters from the first to the last, both included."""
    while first <= last:
        yield first
        first = first.next()


def parse_date(text: str) -> date:
    """Read a date as people in Britain write it: 23/01/2018, 23.1.18, 23rd Jan 2018, 2018-01-23, or a serial number.

    Raises:
        ValueError: The text is no date, or a date that does not exist.
    """
    plain = _plain(text)
    if match := _ISO.fullmatch(plain):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMERIC.fullmatch(plain):
        return date(_full_year(match[3]), int(match[2]), int(match[1]))
    if match := _WORDED.fullmatch(plain):
        return date(_full_year(match[3]), _MONTHS[match[2]], int(match[1]))
    if match := _SERIAL.fullmatch(plain):
        return date(1899, 12, 30) + timedelta(days=int(match[1]))
    raise ValueError(f"'{text}' is no date; write it as 23/01/2018.")


def parse_period(text: str, hint: str | None = None) -> Period:
    """Read a period as a partner writes it.

    Args:
        text: 'Q3 2017/18', 'October to December 2017', '2016/17', '2016', 'Oct 2017', 'year ending June 2018',
            '20/07/2016 - 31/08/2016', 'since 2016-03-01 to 2018-02-28', 'as at 31 March 2017', or a period's key.
        hint: The period type it must be. Two dates that span just that are taken as it; anything else is an error.

    Raises:
        ValueError: The text is no period, or none of that type.
    """
    plain = _plain(text)
    found = _month_by_hint(plain, hint) or _read_period(plain)
    if found is None:
        expected = f"a {hint.replace('_', ' ')}" if hint else "a period"
        raise ValueError(f"'{text}' is not {expected}.")
    return _as_type(found, hint, text)


def is_working_day(day: date) -> bool:
    """Return whether a day is neither at a weekend nor a bank holiday in England."""
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def due_date(quarter_end: date, working_days: int) -> date:
    """Return the day that is so many working days after a quarter's last day."""
    day = quarter_end
    while working_days > 0:
        day += timedelta(days=1)
        working_days -= is_working_day(day)
    return day


def working_days_after(day: date, working_days: int) -> date:
    """Return the day that is so many working days after a day; before it where the number is negative."""
    step = timedelta(days=1 if working_days > 0 else -1)
    left = abs(working_days)
    while left:
        day += step
        left -= is_working_day(day)
    return day


def working_days_between(first: date, last: date) -> int:
    """Return how many working days come after the first day, up to and with the last; 0 where it is none later."""
    return sum(is_working_day(first + timedelta(days=passed)) for passed in range(1, (last - first).days + 1))


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    from holidays import country_holidays  # 0.1 s to import, and few callers count working days

    return frozenset(country_holidays("GB", subdiv="ENG", years=year))


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", str(text)).casefold()
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", text)
    return re.sub(r"[\s_|]+", " ", text).strip(" .:;")


def _full_year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (1900 if int(text) >= TURN_OF_CENTURY else 2000)


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _month_by_hint(plain: str, hint: str | None) -> Period | None:
    """Read '2017-10' as a month where a month is expected: without the hint '2010-11' is a financial year."""
    match = _MONTH_ISO.fullmatch(plain) if hint == "calendar_month" else None
    return _month(int(match[1]), int(match[2])) if match else None


def _read_period(plain: str) -> Period | None:
    for read in (_read_key, _read_quarter, _read_year, _read_months, _read_ending, _read_dates):
        if period := read(plain):
            return period
    return None


def _read_key(plain: str) -> Period | None:
    match = _KEY.fullmatch(plain.replace(" ", "_"))
    if not match:
        return None
    return Period(match[1], date.fromisoformat(match[2]), date.fromisoformat(match[3] or match[2]))


def _read_quarter(plain: str) -> Period | None:
    if match := _QUARTER_FIRST.fullmatch(plain):
        number, year = match[1], _year_pair(match[2], match[3])
    elif match := _QUARTER_LAST.fullmatch(plain):
        number, year = match[3], _year_pair(match[1], match[2])
    else:
        return None
    return Period.of_quarter(FinancialQuarter(year, int(number))) if year else None


def _read_year(plain: str) -> Period | None:
    if match := _YEAR_ALONE.fullmatch(plain):
        year = _year_pair(match[1], match[2])
        return Period("financial_year", date(year, 4, 1), date(year + 1, 3, 31)) if year else None
    if match := _CALENDAR_YEAR.fullmatch(plain):
        return Period("calendar_year", date(int(match[1]), 1, 1), date(int(match[1]), 12, 31))
    return None


def _year_pair(first: str, second: str) -> int | None:
    """Return the first of two years that follow each other, as '2017' and '18'; None for any other pair."""
    return int(first) if int(second) % 100 == (int(first) + 1) % 100 else None


def _read_months(plain: str) -> Period | None:
    if match := _MONTH_ALONE.fullmatch(plain):
        return _month(_full_year(match[2]), _MONTHS[match[1]])
    match = _MONTH_SPAN.fullmatch(plain)
    if not match:
        return None
    first, last, last_year = _MONTHS[match[1]], _MONTHS[match[3]], _full_year(match[4].lstrip("'\u2019"))
    first_year = _full_year(match[2].lstrip("'\u2019")) if match[2] else last_year - (first > last)
    if (first_year, first) > (last_year, last):
        return None
    return _span(date(first_year, first, 1), _month_end(last_year, last))


def _month(year: int, month: int) -> Period:
    return Period("calendar_month", date(year, month, 1), _month_end(year, month))


def _read_ending(plain: str) -> Period | None:
    if match := _YEAR_ENDING.fullmatch(plain):
        end = _last_day(match[1])
        return Period("rolling_year", _month_end(end.year - 1, end.month) + timedelta(days=1), end) if end else None
    if match := _QUARTER_ENDING.fullmatch(plain):
        end = _last_day(match[1])
        return Period.of_quarter(FinancialQuarter.of(end)) if end else None
    return None


def _last_day(plain: str) -> date | None:
    if match := _MONTH_ALONE.fullmatch(plain):
        return _month_end(_full_year(match[2]), _MONTHS[match[1]])
    return _date_or_none(plain)


def _read_dates(plain: str) -> Period | None:
    if match := _TO_DATE.fullmatch(plain):
        return _between(match[1], match[2], "to_date" if plain.startswith("since") else None)
    if match := _AS_AT.fullmatch(plain):
        return _between(match[1], match[1], "as_at")
    if match := _RANGE.fullmatch(plain):
        return _between(match[1], match[2], None)
    day = _date_or_none(plain)
    return Period("as_at", day, day) if day else None


def _between(first: str, last: str, period_type: str | None) -> Period | None:
    start, end = _date_or_none(first), _date_or_none(last)
    if start is None or end is None or end < start:
        return None
    return Period(period_type, start, end) if period_type else _span(start, end)


def _date_or_none(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _span(start: date, end: date) -> Period:
    """Name two dates: a whole quarter, year or month is one, whichever way it was written."""
    return Period(next((kind for kind in _WHOLE if _is_whole(kind, start, end)), "date_range"), start, end)


_WHOLE = ("financial_quarter", "financial_year", "calendar_year", "calendar_month", "rolling_year")


def _is_whole(period_type: str, start: date, end: date) -> bool:
    """Return whether two dates span just one period of a type."""
    if start.day != 1 or end != _month_end(end.year, end.month):
        return False
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    first_month = {"financial_quarter": (1, 4, 7, 10), "financial_year": (4,), "calendar_year": (1,)}.get(
        period_type, range(1, 13)
    )
    length = {"financial_quarter": 3, "calendar_month": 1}.get(period_type, 12)
    return months == length and start.month in first_month


def _as_type(found: Period, hint: str | None, text: str) -> Period:
    """Return the period as the type that is expected, where its dates allow it."""
    if hint is None or found.type == hint:
        return found
    if found.type == "as_at" and hint == "financial_quarter":
        return Period.of_quarter(FinancialQuarter.of(found.end))
    if found.type == "as_at" and hint == "calendar_month":
        return _month(found.end.year, found.end.month)
    if found.type == "calendar_month" and hint in ("rolling_year", "as_at"):
        # Of a year or a day, 'June 2018' is how it ends.
        start = _month_end(found.end.year - 1, found.end.month) + timedelta(days=1)
        return Period(hint, start if hint == "rolling_year" else found.end, found.end)
    if hint in ("date_range", "to_date") and found.type != "as_at" or _is_whole(hint, found.start, found.end):
        return Period(hint, found.start, found.end)
    raise ValueError(f"'{text}' is a {found.type.replace('_', ' ')}, not a {hint.replace('_', ' ')}.")
