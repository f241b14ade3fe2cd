"""What a single text looks like: a number, a date, a period, a mark, a code for a name."""

from __future__ import annotations

import re
from functools import lru_cache

from quarterday.calendar import Period, parse_date, parse_period
from quarterday.wording import mark_key, plain

# What stands for no value, and the flag that the statistical service gives it; None where it has more than one use.
MARKS: dict[str, str | None] = {
    "..": "x", ":": "x", "not available": "x", "*": "c", "**": "c", "suppressed": "c", "not applicable": "z",
    "n/a": None, "na": None, "-": None, "--": None, ".": None, "nil": None, "none": None, "tbc": None, "x": None,
    "null": None, "?": None,
}  # fmt: skip
# These are understood of any form, without being listed in its layout.
SHORTHAND = re.compile(r"\[(low|[bcekpruwxz])\]")
BOOLEANS = {"yes", "no", "y", "n", "true", "false"}
_QUALIFIER = re.compile(
    r"^(just under|just over|more than|at least|up to|over|about|around|approximately|approx\.?|circa|c\."
    r"|nearly|almost)\s*(?=£?\s*\d)"
)
_NUMBER = re.compile(
    r"\(?\s*[-+]?\s*£?\s*[-+]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)?(?:\.\d+)?(?:e[-+]?\d{1,2})?\s*%?\s*\)?(?:\s*\[\w+\])?"
)
_WHOLE = re.compile(r"[-+(£ ]*\d{1,3}(?:[, ]\d{3})*\)?|[-+(£ ]*\d+\)?")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
# Expressions for texts within a name or a title that may be a period, the surest first; they find the next one, too.
PERIOD_PATTERNS = (
    r"\d{4}[-/]\d{2}[-_ ]*Q[1-4]",
    r"Q[1-4][-_ ,]*\d{4}[-/]\d{2,4}",
    r"Quarter [1-4][-_ ,]*\d{4}[-/]\d{2,4}",
    r"\d{4}-\d{2}-\d{2}",
    rf"{_MONTH} (?:\d{{4}} )?(?:to|-) {_MONTH} \d{{4}}",
    rf"\d{{1,2}}(?:st|nd|rd|th)? {_MONTH} \d{{4}}",
    r"20\d{2}[-/]\d{2,4}(?!\d)",
    rf"{_MONTH}[-_ ]?\d{{4}}",
    r"20\d{2}(?!\d)",
)


def is_number(text: str) -> bool:
    """Return whether the warehouse reads a text as a number: with £, %, thousands, brackets, 'over' before it."""
    bare = _QUALIFIER.sub("", mark_key(text))
    return any(letter.isdigit() for letter in bare) and _NUMBER.fullmatch(bare) is not None


def is_whole(text: str) -> bool:
    """Return whether a number is written without decimals."""
    return _WHOLE.fullmatch(_QUALIFIER.sub("", mark_key(text))) is not None


def is_mark(text: str) -> bool:
    """Return whether a text is one that usually stands for no value."""
    return mark_key(text) in MARKS or SHORTHAND.fullmatch(mark_key(text)) is not None


def is_date(text: str) -> bool:
    """Return whether a text is written as a day; a bare number never is, though a spreadsheet might mean one."""
    if text.strip().replace(".", "").isdigit():
        return False
    try:
        parse_date(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def period_of(text: str) -> Period | None:
    """Return the period that a text is, or None."""
    for hint in (None, "calendar_month"):  # '2018-10' is a month where it can't be a financial year
        try:
            return parse_period(text, hint)
        except ValueError:
            continue
    return None


def period_within(text: str) -> tuple[str, str, Period] | None:
    """Return the first period within a text, as (the pattern that finds it, what it finds, the period)."""
    for pattern in PERIOD_PATTERNS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if period := period_of(match.group()):
                return pattern, match.group(), period
    return None


def slug(text: str) -> str:
    """Return a code for a name: small letters, digits and underscores, beginning with a letter."""
    text = plain(text, footnotes=False).replace("&", " and ").replace("%", " pct ").replace("£", " gbp ")
    code = re.sub(r"[^a-z0-9]+", "_", text.encode("ascii", "ignore").decode()).strip("_")
    return code if not code or code[0].isalpha() else f"n_{code}"
