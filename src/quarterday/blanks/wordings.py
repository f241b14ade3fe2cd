"""Texts that a layout's patterns accept: a period in the wanted wording, a heading, a sheet's name, a file name."""

from __future__ import annotations

import importlib
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from quarterday.calendar import FinancialQuarter, Period, parse_period
from quarterday.layouts import Source
from quarterday.wording import is_like, plain

# The standard library's own reading of a regular expression; nothing else knows what a pattern accepts.
_READER: Any = importlib.import_module("re._parser")
_MOST_RANGE = 20


def periods_of(quarter: FinancialQuarter) -> dict[str, Period]:
    """Return the period of each type that a return of a quarter is about: those that end with it, and its year."""
    end = quarter.end
    after = end + timedelta(days=1)
    year = FinancialQuarter(quarter.year, 1), FinancialQuarter(quarter.year, 4)
    rolling = Period("rolling_year", after.replace(year=after.year - 1), end)
    return {
        "financial_quarter": Period.of_quarter(quarter),
        "financial_year": Period("financial_year", year[0].start, year[1].end),
        "as_at": Period("as_at", end, end),
        "calendar_month": Period("calendar_month", end.replace(day=1), end),
        "rolling_year": rolling,
        "date_range": Period("date_range", rolling.start, end),
        "calendar_year": Period("calendar_year", end.replace(month=1, day=1), end.replace(month=12, day=31)),
    }


def months_of(quarter: FinancialQuarter) -> list[Period]:
    """Return the three calendar months of a quarter, the first one first."""
    first = quarter.start
    firsts = [first.replace(month=first.month + number) for number in range(3)]
    return [Period("calendar_month", day, day.replace(day=monthrange(day.year, day.month)[1])) for day in firsts]


def wordings(period: Period) -> list[str]:
    """Return the ways in which people write a period, the plainest first."""
    start, end, quarter = period.start, period.end, period.quarter
    year, short = f"{quarter.year}", f"{(quarter.year + 1) % 100:02d}"
    if period.type == "financial_quarter":
        number = quarter.number
        return [
            *(f"{year}-{short} Q{number}", f"{year}-{short}-Q{number}", f"Q{number} {year}-{short}"),
            *(f"{year}/{short} Q{number}", f"Q{number} {year}/{short}", f"Quarter {number} {year}/{short}"),
            *(f"{start:%B} to {end:%B %Y}", f"{start:%b}-{end:%b %Y}"),
        ]
    if period.type == "financial_year":
        return [f"{year}/{short}", f"{year}-{short}", f"{year}{short}", f"{year}/{short} Annual"]
    months = [f"{end:%B %Y}", f"{end:%B%Y}", f"{end:%b%y}", f"{end:%b-%y}", f"{end:%B_%Y}", f"{end:%Y-%m}"]
    if period.type == "as_at":
        return [f"{end}", f"{end.day} {end:%B %Y}", f"as at {end.day} {end:%B %Y}", *months]
    spans = [f"{start:%b} '{start:%y} to {end:%b} '{end:%y}", f"{start} to {end}"]
    return [*spans, *months] if period.type == "date_range" else [*months, f"{end:%Y}", *spans]


def written(pattern: re.Pattern[str], given: Mapping[str, str]) -> str:
    """Return a text that a pattern matches, with given texts in its named groups."""
    names = {number: name for name, number in pattern.groupindex.items()}
    return _text(_READER.parse(pattern.pattern, pattern.flags & ~re.UNICODE), names, given)


def worded(source: Source, periods: Iterable[Period], text: str = "{}", like: str = "") -> str | None:
    """Return a period in a wording that a source reads back as it, within a text; None where it reads none.

    The wording that looks most ``like`` another one comes first.
    """
    for period in periods:
        known = [*_meaning(source, period), *wordings(period)]
        known += [wording.lower() for wording in known if like and like == like.lower()]
        for wording in sorted(known, key=lambda wording: _shape(wording) != _shape(like)):
            found = source.search(text.format(wording))
            if found is not None and _is(found, source.type, period):
                return wording
    return None


def file_name(example: str, source: Source, periods: Iterable[Period]) -> str | None:
    """Return the example with the period of another quarter in place of its own; None where its name has none."""
    match = source.pattern.search(example) if source.origin == "file_name" and source.pattern else None
    if match is None:
        return example
    group = next((name for name, text in match.groupdict().items() if text), 0)
    start, end = match.span(group)
    frame = example[:start].replace("{", "{{").replace("}", "}}") + "{}" + example[end:]
    wording = worded(source, periods, frame, example[start:end])
    return frame.format(wording) if wording else None


def sheet_names(globs: Iterable[str], periods: Iterable[Period]) -> list[str]:
    """Return names of sheets that the globs accept: those that name the period alone, or else each glob's plainest."""
    globs = list(globs)
    dated = [
        wording
        for glob in globs
        if "*" in glob or "?" in glob
        for period in periods
        for wording in wordings(period)
        if "/" not in wording and is_like(wording, [glob])
    ]
    return dated[:1] or [name for glob in globs for name in _expanded(glob)]


def _shape(text: str) -> str:
    return re.sub(r"[A-Z]", "A", re.sub(r"[a-z]", "a", re.sub(r"\d", "0", text)))


def _is(found: str, hint: str | None, period: Period) -> bool:
    try:
        read = parse_period(found, hint)
    except ValueError:
        return False
    return read == period or (read.type, read.end) == (period.type, period.end)


def _meaning(source: Source, period: Period) -> Iterator[str]:
    """Yield the texts that a source's own list takes for the period."""
    for text, meaning in source.means.items():
        if _is(meaning, source.type, period):
            yield text


def _expanded(glob: str) -> Iterator[str]:
    """Yield a glob's names: each character of a class that it begins with, nothing for a star."""
    match = re.search(r"\[([^\]]+)\]", glob)
    if match is None:
        yield glob.replace("*", "").replace("?", "1").strip() or "Return"
        return
    inner, letters = match[1], []
    while inner:
        if len(inner) >= 3 and inner[1] == "-":
            letters += [chr(code) for code in range(ord(inner[0]), ord(inner[2]) + 1)][:_MOST_RANGE]
            inner = inner[3:]
        else:
            letters.append(inner[0])
            inner = inner[1:]
    for letter in letters:
        yield from _expanded(glob[: match.start()] + letter + glob[match.end() :])


def _text(tree: Any, names: Mapping[int, str], given: Mapping[str, str]) -> str:
    return "".join(_part(str(kind), what, names, given) for kind, what in tree)


def _part(kind: str, what: Any, names: Mapping[int, str], given: Mapping[str, str]) -> str:
    if kind == "LITERAL":
        return chr(what)
    if kind == "SUBPATTERN":
        name = names.get(what[0], "")
        return given[name] if name in given else _text(what[3], names, given)
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return _text(what[2], names, given) * int(what[0])
    if kind == "BRANCH":
        return _text(what[1][0], names, given)
    if kind == "IN":
        return _member(what)
    return "x" if kind in ("ANY", "NOT_LITERAL") else ""


def _member(members: Any) -> str:
    kind, what = members[0]
    if str(kind) == "LITERAL":
        return chr(what)
    if str(kind) == "RANGE":
        return chr(what[0])
    return {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " "}.get(str(what), "x")


def same(one: str, other: str) -> bool:
    """Return whether two labels are the same wording."""
    return plain(one) == plain(other)
