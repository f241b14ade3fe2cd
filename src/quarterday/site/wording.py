"""How figures, periods and ratings are written on the pages."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from quarterday.disclosing.figures import plain

MEANINGS = {
    "[c]": "left out to protect people, where they are few",
    "[x]": "not available",
    "[z]": "not applicable",
    "[low]": "rounds to nothing",
    "[w]": "none recorded",
}
STATES = {
    "not_due": "not due yet",
    "due": "due",
    "late": "late",
    "not_available_until": "not available until {day}",
    "not_commissioned": "the service was not commissioned",
    "refused": "not given",
}
RATINGS = {"R": "Red", "A": "Amber", "G": "Green", "W": "White"}
SIGNALS = {
    "improvement": "Signal of improvement",
    "concern": "Signal of concern",
    "change": "Signal of a change",
    "none": "No signal: usual ups and downs",
}
RULES = {
    "outside_limits": "a quarter outside the limits",
    "shift": "seven quarters running on one side of the mean",
    "near_limit": "two of three quarters near one limit",
    "trend": "seven quarters running that rise or that fall",
}
_UNITS = {"years": "year", "months": "month", "weeks": "week", "days": "day", "hours": "hour", "minutes": "minute"}
_AFTER = {
    "percent": "%",
    "seconds": " seconds",
    "km": " km",
    "miles": " miles",
    "rate_per_1000": " per 1,000",
    "rate_per_100000": " per 100,000",
    "per_person": " per person",
    "gbp_per_person_per_day": " a person and day",
}


def amount(value: Decimal, unit: str) -> str:
    """Return a number in its unit: ``1,234``, ``41.3%``, ``£1,234``, ``2 hours``; a fall has a true minus."""
    digits = f"{abs(Decimal(plain(value))):,f}"
    sign = "−" if value < 0 else ""
    if unit.startswith("gbp"):
        is_in_tens_of_pence = len(digits.rpartition(".")[2]) == 1 and "." in digits
        digits = f"£{digits}{'0' if is_in_tens_of_pence else ''}"
    if unit in _UNITS:
        return f"{sign}{digits} {_UNITS[unit] if abs(value) == 1 else unit}"
    return f"{sign}{digits}{_AFTER.get(unit, '')}"


def figure(value: Decimal, unit: str, qualifier: str | None = None) -> str:
    """Return a number as it was said: ``over 12,000``."""
    hedge = (qualifier or "exact").replace("_", " ")
    return amount(value, unit) if hedge == "exact" else f"{hedge} {amount(value, unit)}"


def rounded(value: Decimal, places: int = 1) -> Decimal:
    """Return a number to some places, halves away from nought."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def changed_by(change: Decimal, unit: str) -> str:
    """Return a change with its sign: ``+3``, ``−2.5%``, ``no change``; a share changes by points."""
    if change == 0:
        return "no change"
    if unit == "percent":
        return f"{'+' if change > 0 else ''}{amount(change, 'count')} points"
    return f"{'+' if change > 0 else ''}{amount(change, unit)}"


def day(value: date) -> str:
    """Return a day: ``3 May 2018``."""
    return f"{value.day} {value:%B %Y}"


def period(kind: str | None, key: str, start: date, end: date) -> str:
    """Return a period as it is shown: ``2017-18 Q3``, ``as at 31 March 2017``, ``1 April 2017 to 3 May 2017``."""
    if kind == "as_at":
        return f"as at {day(end)}"
    if kind in ("financial_quarter", "financial_year", "calendar_month") or len(key) <= len("2017-18-Q3"):
        return quarter(key)
    return f"{day(start)} to {day(end)}"


def quarter(key: str) -> str:
    """Return a quarter's key as it is shown: ``2017-18 Q3``; other keys stay as they are."""
    return f"{key[:7]} {key[8:]}" if key[7:9] == "-Q" else key


def months(start: date, end: date) -> str:
    """Return the months of a quarter: ``October to December 2017``."""
    return f"{start:%B} to {end:%B %Y}"


def listed(words: list[str]) -> str:
    """Return words as a list: ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
