"""Cheap SQL: conditions that nearly every good cell fulfils, and patterns without slow regular expressions.

A typed cell costs microseconds, since it is read as a person would. A profile of millions of lines therefore asks first
whether the text as sent is plainly right, and types only the cells that are not.
"""

from __future__ import annotations

import re

from quarterday.contracts import Column, Form

DIGITS = "0123456789"
HEX, IS_HEX, IS_HEX_OR_FAILS = "[0-9a-f]", "typed.is_hex(", "typed.is_hex_or_fails("
PLAIN_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
PLAIN_BOOLEANS = ("yes", "no", "true", "false")
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


def plainly_typed(column: Column, form: Form) -> str | None:
    """Return SQL on a landed line that is true only where a register column's cell is empty, or its text needs no more
    than a cast: a number or a day as the database writes it, a text without blanks at its ends.

    None where the column's cells have to be looked at in any case. What is plainly right is plainly typed too.
    """
    name = f'"{column.name}"'
    if column.logical_type == "string":
        has_labels = any(edition.labels.get(column.name) for edition in form.layout.editions)
        return None if has_labels else f"({name} is null or {is_trimmed(name)})"
    if column.logical_type == "boolean" or has_numeric_mark(form):
        return None
    if column.logical_type == "date":
        return f"({name} is null or {is_plain_date(name)} and pg_input_is_valid({name}, 'date'))"
    is_plain = is_plain_integer(name) if column.logical_type == "integer" else is_plain_number(name)
    return f"({name} is null or {is_plain})"


def is_trimmed(name: str) -> str:
    """Return SQL that is true for a text that is not blank and has no space at its ends."""
    return f"ascii({name}) > 32 and {name} not like '% '"


def is_plain_number(name: str) -> str:
    """Return SQL that is true for a cell of at most 59 bytes that is a number with or without minus and decimal point.

    JSON writes a number in just this way, and its reader takes a tenth of the time of a regular expression.
    """
    begins = f"octet_length({name}) < 60 and ascii({name}) between {ord('-')} and {ord('9')}"
    is_power = f"strpos({name}, 'e') > 0 or strpos({name}, 'E') > 0"
    return f"({begins} and pg_input_is_valid({name}, 'json') and not ({is_power}))"


def is_plain_integer(name: str) -> str:
    """Return SQL that is true for a cell of at most 15 bytes that is digits with or without minus."""
    return f"(octet_length({name}) < 16 and {is_plain_number(name)} and strpos({name}, '.') = 0)"


def is_plain_date(name: str) -> str:
    """Return SQL that is true for a cell written as 2018-01-23, which may still be a day that doesn't exist."""
    return f"(length({name}) = 10 and {name} ~ '{PLAIN_DATE}')"


def hasty(query: str) -> str:
    """Return a query that gives the same in less time, or fails with ``psycopg2.DataError`` over a wrong cell."""
    return query.replace(IS_HEX, IS_HEX_OR_FAILS)


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
    if len(runs) == 1 and runs[0][0] == HEX and runs[0][1] % 2 == 0:
        # Bytes are read and written faster than any pattern is looked for.
        return f"(octet_length({name}) <> {runs[0][1]} or not {IS_HEX}{name}))"
    if tests := _mismatch_of_digits(name, runs):
        return f"({' or '.join(tests)})"
    length, place = sum(times for _, times in runs), 1
    tests = [f"{'octet_length' if pattern.isascii() else 'length'}({name}) <> {length}"]
    for kind, times in runs:
        part = name if times == length else f"substr({name}, {place}, {times})"
        tests.append(_other_than(kind, part, times == 1))
        place += times
    return f"({' or '.join(tests)})"


def _mismatch_of_digits(name: str, runs: list[tuple[str, int]]) -> list[str]:
    """Return the tests for digits among literals and single characters; none where a pattern has other classes.

    The literals are held against a shape. Where there are just as many characters other than digits as stand outside
    the runs of digits, these are digits. A tenth of what it costs to cut the text into its parts.
    """
    shape, others, place, singles = "", 0, 1, []
    for kind, times in runs:
        if kind in ("[0-9]", "\\d"):
            shape += "_" * times
        elif not _is_class(kind) and kind.isascii() and not set(kind) & set("_%\\"):
            shape += kind
            others += sum(letter not in DIGITS for letter in kind)
        elif times == 1 and kind[1:-1].isalpha() and kind.isascii():
            shape += "_"
            others += 1
            letters, codes = list(kind[1:-1]), ", ".join(str(ord(letter)) for letter in kind[1:-1])
            is_first = f"ascii({name}) not in ({codes})"
            singles.append(is_first if place == 1 else f"substr({name}, {place}, 1) not in ({_listed(letters)})")
        else:
            return []
        place += times
    if not any(kind in ("[0-9]", "\\d") for kind, _ in runs):
        return []
    digits = f"octet_length(translate({name}, '{DIGITS}', '')) <> {others}"
    return [f"{name} not like {_literal(shape)}", *singles, digits]


def _other_than(kind: str, part: str, is_one: bool) -> str:
    """Return SQL that is true where a part of a text is another literal, or holds a character not of a class."""
    if not _is_class(kind):
        return f"{part} <> {_literal(kind)}"
    if kind in ("[0-9]", "\\d"):
        return f"translate({part}, '{DIGITS}', '') <> ''"
    if kind[1:-1].isalnum() and is_one:
        return f"{part} not in ({_listed(list(kind[1:-1]))})"
    return f"{part} ~ {_literal('[^' + kind[1:])}"


def _is_class(kind: str) -> bool:
    return kind.startswith(("[", "\\"))


def _runs(pattern: str) -> list[tuple[str, int]]:
    """Return a pattern's literals and classes with their lengths; none where it is of another kind."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return []
    rest, runs = pattern[1:-1], list[tuple[str, int]]()
    while rest:
        atom = _ATOM.match(rest)
        if not atom or atom[2] == "0":
            return []
        rest, times = rest[atom.end() :], int(atom[2] or 1)
        kind, before = (atom[1], 0) if _is_class(atom[1]) else (atom[1] * times, 0)
        if runs and not _is_class(kind) and not _is_class(runs[-1][0]):
            literal, before = runs.pop()
            kind = literal + kind
        runs.append((kind, before + times))
    return runs


def _plain_text(column: Column, name: str, form: Form) -> str | None:
    if any(edition.labels.get(column.name) for edition in form.layout.editions):
        return None
    if column.allowed_values and not column.pattern and all(value == value.strip() for value in column.allowed_values):
        right = f"{name} in ({_listed(column.allowed_values)})"
    elif column.pattern and not column.allowed_values:
        right = f"{_trimmed_and(name, column.pattern)}not {mismatch(name, column.pattern)}"
    elif column.required and not column.pattern:
        right = is_trimmed(name)
    else:
        return None
    return f"({right})" if column.required else f"({name} is null or {right})"


def _trimmed_and(name: str, pattern: str) -> str:
    """Return the condition that a cell has no space at its ends, nothing where its pattern lets none be there."""
    runs = _runs(pattern)
    has_space = not runs or any(_may_end_in_space(kind) for kind, _ in (runs[0], runs[-1]))
    return f"{is_trimmed(name)} and " if has_space else ""


def _may_end_in_space(kind: str) -> bool:
    return re.fullmatch(kind, " ") is not None if _is_class(kind) else kind != kind.strip()


def _plain_value(column: Column, name: str, form: Form) -> str | None:
    if column.allowed_values or column.pattern or has_numeric_mark(form):
        return None
    if column.logical_type == "date":
        is_plain, cast = f"{is_plain_date(name)} and pg_input_is_valid({name}, 'date')", "date"
    else:
        is_plain = is_plain_integer(name) if column.logical_type == "integer" else is_plain_number(name)
        cast = "numeric"
    value = f"{name}::{cast}" + (f" * {column.scale}" if column.scale != 1 and cast == "numeric" else "")
    within = _within(f"({value})", column, cast)
    return f"case when {is_plain} then {within} end"


def _within(value: str, column: Column, cast: str) -> str:
    low, high = column.minimum, column.maximum
    if low is None and high is None:
        return "true"
    # In a multirange the value is read once for both limits; a plain range is taken apart into two comparisons.
    limits = f"{{[{'' if low is None else low},{'' if high is None else high}]}}"
    return f"{_literal(limits)}::{'date' if cast == 'date' else 'num'}multirange @> {value}"


def _listed(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(_literal(value) for value in values)


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
