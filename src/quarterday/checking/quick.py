"""Cheap SQL: conditions that nearly every good cell fulfils, and patterns without slow regular expressions.

A typed cell costs microseconds, since it is read as a person would. A profile of millions of lines therefore asks first
whether the text as sent is plainly right, and types only the cells that are not.
"""

from __future__ import annotations

import re

from quarterday.contracts import Column, Form

PLAIN_NUMBER = "^-?[0-9]+([.][0-9]+)?$"
PLAIN_INTEGER = "^-?[0-9]+$"
PLAIN_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
PLAIN_BOOLEANS = ("yes", "no", "true", "false")
LONG_PATTERN = 12
# One character or class, with how often it stands.
_ATOM = re.compile(r"(\[[^\]\\^]+\]|\\d|[A-Za-z0-9_/ -])(?:\{(\d+)\})?")


def plainly_right(column: Column, form: Form) -> str | None:
    """Return SQL on a landed line that is true only where a register column's cell fulfils its contract.

    Null and false say nothing. None where there is no cheap way to tell.
    """
    name = f'"{column.name}"'
    if column.logical_type == "string":
        return _plain_text(column, name, form)
    if column.logical_type == "boolean":
        words = [word for word in PLAIN_BOOLEANS if word not in form.layout.marks]
        right = f"{name} in ({_listed(words)})" if not column.allowed_values else None
    else:
        right = _plain_value(column, name, form)
    return f"({name} is null or {right})" if right and not column.required else right


def is_plain_number(name: str) -> str:
    """Return SQL that is true for a cell of at most 59 digits, with or without minus and decimal point."""
    return f"(length({name}) < 60 and {name} ~ '{PLAIN_NUMBER}')"


def is_plain_integer(name: str) -> str:
    """Return SQL that is true for a cell of at most 15 digits, with or without minus."""
    return f"(length({name}) < 16 and {name} ~ '{PLAIN_INTEGER}')"


def is_plain_date(name: str) -> str:
    """Return SQL that is true for a cell written as 2018-01-23, which may still be a day that doesn't exist."""
    return f"(length({name}) = 10 and {name} ~ '{PLAIN_DATE}')"


def has_numeric_mark(form: Form) -> bool:
    """Say whether a mark of the form, such as 999, looks like a number; then digits alone aren't plainly a number."""
    return any(re.search(r"\d", mark) for mark in form.layout.marks)


def mismatch(name: str, pattern: str) -> str:
    """Return SQL that is true where a text does not match a pattern of the contract.

    ``^[0-9a-f]{64}$`` as it stands takes ten times as long as asking for the length and for any other character.
    """
    runs = _runs(pattern)
    if not runs:
        return f"{name} !~ {_literal(pattern)}"
    length = sum(times for _, times in runs)
    tests, place = [f"length({name}) <> {length}"], 1
    for kind, times in runs:
        part = name if times == length else f"substr({name}, {place}, {times})"
        is_class = kind.startswith(("[", "\\"))
        tests.append(f"{part} ~ {_literal(_other(kind))}" if is_class else f"{part} <> {_literal(kind * times)}")
        place += times
    return f"({' or '.join(tests)})"


def _runs(pattern: str) -> list[tuple[str, int]]:
    """Return a pattern's characters and classes with their lengths; none where it is of another kind."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return []
    rest, runs = pattern[1:-1], []
    while rest:
        atom = _ATOM.match(rest)
        if not atom:
            return []
        runs.append((atom[1], int(atom[2] or 1)))
        rest = rest[atom.end() :]
    # A short pattern is as fast as its parts.
    is_slow = len(runs) == 1 or sum(times for _, times in runs) > LONG_PATTERN
    return runs if is_slow and all(times for _, times in runs) else []


def _other(kind: str) -> str:
    return "[^0-9]" if kind == "\\d" else f"[^{kind[1:]}"


def _plain_text(column: Column, name: str, form: Form) -> str | None:
    if any(edition.labels.get(column.name) for edition in form.layout.editions):
        return None
    if column.allowed_values and not column.pattern:
        right = f"{name} in ({_listed(column.allowed_values)})"
    elif column.pattern and not column.allowed_values:
        right = f"ascii({name}) > 32 and {name} not like '% ' and not {mismatch(name, column.pattern)}"
    elif column.required and not column.pattern:
        right = f"ascii({name}) > 32"
    else:
        return None
    return f"({right})" if column.required else f"({name} is null or {right})"


def _plain_value(column: Column, name: str, form: Form) -> str | None:
    if column.allowed_values or column.pattern or has_numeric_mark(form):
        return None
    if column.logical_type == "date":
        is_plain, cast = f"{is_plain_date(name)} and pg_input_is_valid({name}, 'date')", "date"
    else:
        is_plain = is_plain_integer(name) if column.logical_type == "integer" else is_plain_number(name)
        cast = "numeric"
    value = f"{name}::{cast}" + (f" * {column.scale}" if column.scale != 1 and cast == "numeric" else "")
    limits = ((">=", column.minimum), ("<=", column.maximum))
    within = [f"{value} {sign} {_literal(limit)}::{cast}" for sign, limit in limits if limit is not None]
    return f"case when {is_plain} then {' and '.join(within) or 'true'} end"


def _listed(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(_literal(value) for value in values)


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
