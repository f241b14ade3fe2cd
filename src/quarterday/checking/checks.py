"""The checks of a form: what its contract says, as SQL, and what its expectations file adds.

A check's id is quoted to partners, so it never changes its meaning. Numbers after the form's prefix:

| numbers | what |
| --- | --- |
| 001 to 004 | kept for the reader: the file, its sheets, headers, partner and quarter |
| 005 | the return has at least one line |
| 006 | no key is given twice |
| 007 | no more lines set aside than the contract's ``quarantineLimit`` |
| 008, 009 | of a form with corrections: what is read otherwise than sent; a correction that no longer fits |
| 010 to 099 | from the contract: 10 x position of the column + kind of rule, positions 1 to 9 |
| 101 to 499 | written in ``expectations/<form>.yml`` |
| 500 to 999 | from the contract: 400 + 10 x position + kind, positions 10 to 59 |

Kinds: 0 is what its type says, 1 is given, 2 is an allowed value, 3 minimum, 4 maximum, 5 pattern, 6 unique. The
position is the column's place in the contract, where columns are only ever appended; so the number of a column that
went is not used again. Indicator forms share one shape, and its positions are fixed: :data:`INDICATOR_POSITIONS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterday.checking.quick import mismatch, plainly_right
from quarterday.contracts import Column, Form
from quarterday.errors import OperatorError

NO_LINES, KEY_TWICE, OVER_LIMIT = 5, 6, 7
TYPE, GIVEN, ALLOWED, MINIMUM, MAXIMUM, PATTERN, UNIQUE = range(7)
INDICATOR_POSITIONS = {
    "measure_code": 1,
    "breakdown_code": 2,
    "area_code": 3,
    "period": 4,
    "value": 5,
    "numerator": 6,
    "denominator": 7,
    "status": 8,
    "declared_rag": 9,
}
INDICATOR_KEY = ("measure_code", "breakdown_code", "area_code", "period_type", "period_start", "period_end", "status")
# What the reader holds a file to before a line is taken in, by the last three figures of the check's id.
READER_STATEMENTS = {
    "001": "The file's name is one that a form asks for, and the file can be opened.",
    "002": "Sheets, headings and edition are those of the form.",
    "003": "The file says which period it is about, everywhere the same.",
    "004": "The partner is one that sends this form.",
}
STATUSES = ("target", "plan", "provisional", "interim", "final", "revised")
RAG_LETTERS = ("R", "A", "G", "W")
TYPE_WORDS = {"integer": "a whole number", "number": "a number", "date": "a date", "boolean": "yes or no"}


class ContractRuleIsUnknown(OperatorError):
    """A contract asks for something that no check is made from; the message names form, column and rule."""


@dataclass(frozen=True)
class Check:
    """One check of one form.

    One of ``predicate``, ``lines_sql`` and ``reject_sql`` says what fails; beside a predicate, which counts,
    ``lines_sql`` may list the same lines. In all of them ``{lines}`` stands for the load's typed lines and
    ``{load_id}`` for its number.

    Args:
        statement: What must be true, for the partner.
        expected: What should have stood there, in a few words: "a whole number".
        remedy: What the partner does about it.
        column: The typed column that the check is about; its text as sent is shown to the partner.
        heading: That column's business name.
        predicate: SQL on one typed line, true where the line fails. Null is not a failure.
        lines_sql: A query giving ``sheet`` and ``line_number`` of each failing line, and if it wishes
            ``column_number``, ``expected`` and ``found``.
        reject_sql: A query giving one row for each thing wrong with the whole return, with ``expected`` and ``found``.
        count_sql: A cheaper query for the number of rows of ``lines_sql``, where there is one.
        only_if: A query that gives a row where ``lines_sql`` may give one, and costs less. Checks may share it.
        passes_when: SQL on one landed line, true only where ``predicate`` is not; cheaper, and it may miss some.
        is_personal: What was found is about a person and is not repeated.
        looks_at: The forms of which other returns are read, registered before this one.
    """

    check_id: str
    statement: str
    severity: str
    action: str
    remedy: str
    expected: str
    column: str | None = None
    heading: str | None = None
    predicate: str | None = None
    lines_sql: str | None = None
    reject_sql: str | None = None
    count_sql: str | None = None
    only_if: str | None = None
    passes_when: str | None = None
    is_personal: bool = False
    looks_at: tuple[str, ...] = ()


def checks_of(form: Form, expectations_folder: Path) -> list[Check]:
    """Return every check of a form, in order of id.

    Raises:
        ExpectationsAreWrong: The form's expectations file has an unknown key, a missing one or an id twice.
    """
    from quarterday.checking.correcting import correction_checks  # both import this module
    from quarterday.checking.expectations import read_expectations

    checks = [*contract_checks(form), *correction_checks(form), *read_expectations(form, expectations_folder)]
    return sorted(checks, key=lambda check: check.check_id)


def contract_checks(form: Form) -> list[Check]:
    """Return the checks that follow from a form's contract, without the limit on lines set aside."""
    of_columns = _indicator_checks(form) if form.is_indicator else _register_checks(form)
    return [_some_lines(form), *_no_key_twice(form), *of_columns]


def check_number(position: int, kind: int) -> int:
    """Return the number of a rule of a kind on the column at a position, from 1.

    Raises:
        ValueError: The position has no numbers; only 59 do.
    """
    if not 1 <= position <= 59:
        raise ValueError(f"Column {position} of a contract has no check numbers: positions are 1 to 59.")
    return 10 * position + kind + (0 if position <= 9 else 400)


def check_id(form: Form, number: int) -> str:
    """Return a check's id, such as ``VGW-050``."""
    return f"{form.contract.check_prefix}-{number:03}"


def over_limit_check(form: Form) -> Check:
    """Return the check that not too many lines are set aside. It's judged after all others."""
    limit = form.contract.quarantine_limit
    share = f"No more than {limit:.0%} of the lines have" if limit else "No line has"
    return Check(
        check_id=check_id(form, OVER_LIMIT),
        statement=f"{share} to be set aside.",
        severity="critical",
        action="reject_return",
        remedy="Mend the lines listed and send the whole return again.",
        expected=f"at most {limit:.0%} of the lines set aside" if limit else "no line set aside",
    )


def _some_lines(form: Form) -> Check:
    return Check(
        check_id=check_id(form, NO_LINES),
        statement="The return has at least one line.",
        severity="critical",
        action="reject_return",
        remedy="Send the return with its lines; where there was nothing to count, send lines with the value 0.",
        expected="at least one line",
        reject_sql="select 'at least one line' as expected, 'no lines' as found "
        "where not exists (select 1 from {lines} as line)",
    )


def _no_key_twice(form: Form) -> Iterator[Check]:
    if form.is_indicator:
        words = "measure, breakdown, area, period and status"
        yield _once(form, INDICATOR_KEY, KEY_TWICE, words, "critical", "reject_return")
    elif form.contract.key:
        words = _listed([heading_of(form, name) for name in form.contract.key])
        yield _once(form, form.contract.key, KEY_TWICE, words, "critical", "reject_return")


def _once(form: Form, names: Sequence[str], number: int, words: str, severity: str, action: str) -> Check:
    """Return the check that no two lines have the same values in some columns. A line without one of them is let be."""
    return Check(
        check_id=check_id(form, number),
        statement=f"No two lines have the same {words}.",
        severity=severity,
        action=action,
        remedy="Keep the line that is right and remove the others.",
        expected=f"one line for each {words}",
        column=names[0] if len(names) == 1 else None,
        heading=heading_of(form, names[0]) if len(names) == 1 else None,
        is_personal=len(names) == 1 and is_personal(form, names[0]),
        **twice_rule(form, names),
    )


def twice_rule(form: Form, names: Sequence[str], with_found: bool = True) -> dict[str, Any]:
    """Return the fields of a check that no two lines have the same values in some columns.

    Args:
        with_found: Whether to say how often a line's values are given, in place of what was sent.
    """
    columns, given = ", ".join(names), " and ".join(f"{name} is not null" for name in names)
    # Numbers are grouped faster than texts; only what shares a number is compared in full, and seldom anything does.
    key = _key_number(form, names)
    groups = (
        f"select {columns}, count(*) as times from {{lines}} as line where {given} and {key} in "
        f"({_shared_numbers(key)}) group by {columns} having count(*) > 1"
    )
    # Where no two lines share a part of the key, none share the key; and the part is asked about anyhow.
    parts = [name for name in names if (column := form.contract.column(name)) and column.unique]
    place = "line.sheet, line.line_number" + (", line.column_number" if form.is_indicator else "")
    found = ", 'given ' || twice.times || ' times' as found" if with_found else ""
    return {
        "lines_sql": f"select {place}{found} from {{lines}} as line join ({groups}) as twice using ({columns})",
        "count_sql": f"select coalesce(sum(times), 0) from ({groups}) as twice",
        "only_if": _shares_number(_key_number(form, parts[:1] or names)),
    }


def _shared_numbers(number: str) -> str:
    """Return the query of the numbers, other than null, that several lines share."""
    numbered = f"select {number} as number from {{lines}} as line"
    return f"select number from ({numbered}) as numbered group by number having count(*) > 1 and number is not null"


def _shares_number(number: str) -> str:
    """Return a query that gives a row where several lines share a number; sorting tells it sooner than grouping."""
    numbered = f"select {number} as number from {{lines}} as line"
    return f"select true as shares from ({numbered}) as numbered having count(distinct number) < count(number)"


def _key_number(form: Form, key: Sequence[str]) -> str:
    """Return SQL for a number that lines with the same key share: each column is hashed onto the one before."""
    number = "0"
    for name in key:
        column = form.contract.column(name)
        kind = "string" if form.is_indicator or not column else column.logical_type
        hashed = {"integer": "hashint8extended({})", "number": "hash_numeric_extended({})"}.get(kind)
        number = (hashed or "hashtextextended({})").format(f"{name}{'' if hashed else '::text'}, {number}")
    return number


def _indicator_checks(form: Form) -> Iterator[Check]:
    _refuse_unused_rules(form)
    for name, words in (("measure_code", "measure"), ("breakdown_code", "breakdown"), ("area_code", "area")):
        yield _known(form, name, words)
        yield from _allowed(form, name)
    yield _period_known(form)
    for name in ("value", "numerator", "denominator"):
        column = form.contract.column(name)
        yield _typed(form, name, "number")
        if name == "value" or (column and column.required):
            yield _given(form, name, is_text=False)
        if column:
            yield from _bounds(form, column)
    yield from _allowed(form, "status", STATUSES)
    yield from _allowed(form, "declared_rag", RAG_LETTERS)


def _refuse_unused_rules(form: Form) -> None:
    """A rule that no check is made from would be a promise nobody keeps."""
    for column in form.contract.columns:
        has_bounds = (column.minimum, column.maximum, column.pattern) != (None, None, None)
        takes_bounds = column.name in ("value", "numerator", "denominator")
        takes_values = column.name in INDICATOR_POSITIONS and not takes_bounds and column.name != "period"
        if (has_bounds and not takes_bounds) or (column.allowed_values and not takes_values) or column.unique:
            raise ContractRuleIsUnknown(
                f"{form.name}: the contract's rule on {column.name} can't be checked on an indicator form. "
                f"Write it into expectations/{form.name}.yml."
            )


def _register_checks(form: Form) -> Iterator[Check]:
    for column in form.contract.columns:
        is_text = column.logical_type == "string"
        if not is_text:
            yield _typed(form, column.name, column.logical_type)
        if column.required:
            yield _given(form, column.name, is_text=is_text)
        yield from _allowed(form, column.name)
        yield from _bounds(form, column)
        if column.unique:
            number = check_number(_position(form, column.name), UNIQUE)
            heading = heading_of(form, column.name)
            yield _once(form, (column.name,), number, heading, column.severity, column.action)


def _known(form: Form, name: str, words: str) -> Check:
    article = "an" if words[0] == "a" else "a"
    return _line_check(
        form,
        name,
        GIVEN,
        statement=f"Each line is about {article} {words} that the form knows.",
        expected=f"{article} {words} of the form",
        remedy=f"Write the {words} as the form has it. If it is new, tell us before you send it.",
        predicate=f"{name} is null",
    )


def _period_known(form: Form) -> Check:
    return _line_check(
        form,
        "period",
        TYPE,
        statement="Each line says which period it is about.",
        expected="a period such as Q3 2017/18 or 2017/18",
        remedy="Write the period as the form has it.",
        predicate="not coalesce(period_ok, false)",
    )


def _typed(form: Form, name: str, logical_type: str) -> Check:
    words = TYPE_WORDS[logical_type]
    return _line_check(
        form,
        name,
        TYPE,
        statement=f"{heading_of(form, name)} is {words} wherever it is given.",
        expected=words,
        remedy=f"Write {words} and nothing else; put remarks in a note.",
        predicate=f"not coalesce({name}_ok, false)",
    )


def _given(form: Form, name: str, *, is_text: bool) -> Check:
    if is_text:
        missing = f"{name} is null or btrim({name}) = ''"
    elif form.is_indicator and name != "value":
        missing = f"{name}_ok and {name} is null"
    else:
        missing = f"{name}_ok and {name} is null and coalesce({name}_flag, 'blank') = 'blank'"
    return _line_check(
        form,
        name,
        GIVEN,
        statement=f"{heading_of(form, name)} is given on each line.",
        expected="some text" if is_text else "a value, or [x] where there is none to give",
        remedy=f"Fill in {heading_of(form, name)}. An empty cell is never read as nought.",
        predicate=missing,
    )


def _allowed(form: Form, name: str, otherwise: tuple[str, ...] = ()) -> Iterator[Check]:
    column = form.contract.column(name)
    values = column.allowed_values if column and column.allowed_values else otherwise
    if values:
        yield _line_check(
            form,
            name,
            ALLOWED,
            statement=f"{heading_of(form, name)} is one of the values that the form allows.",
            expected="one of: " + ", ".join(values),
            remedy=f"Write {heading_of(form, name)} exactly as the form lists it.",
            predicate=f"{name}::text not in ({', '.join(sql_text(value) for value in values)})",
        )


def _bounds(form: Form, column: Column) -> Iterator[Check]:
    heading, cast = column.business_name, "date" if column.logical_type == "date" else "numeric"
    limits = ((MINIMUM, column.minimum, "<", "at least"), (MAXIMUM, column.maximum, ">", "at most"))
    for kind, limit, sign, words in limits:
        if limit is not None:
            yield _line_check(
                form,
                column.name,
                kind,
                statement=f"{heading} is {words} {limit:,}." if cast == "numeric" else f"{heading} is {words} {limit}.",
                expected=f"{words} {limit}",
                remedy=f"Correct {heading}, or tell us why it is right.",
                predicate=f"{column.name} {sign} {sql_text(limit)}::{cast}",
            )
    if column.pattern:
        yield _line_check(
            form,
            column.name,
            PATTERN,
            statement=f"{heading} is written as the form asks.",
            expected=f"text that matches {column.pattern}",
            remedy=f"Write {heading} as the form asks.",
            predicate=mismatch(column.name, column.pattern),
        )


def _line_check(
    form: Form, name: str, kind: int, *, statement: str, expected: str, remedy: str, predicate: str
) -> Check:
    column = form.contract.column("period_end" if name == "period" else name)
    return Check(
        check_id=check_id(form, check_number(_position(form, name), kind)),
        statement=statement,
        severity=column.severity if column else "critical",
        action=column.action if column else "quarantine_line",
        remedy=remedy,
        expected=expected,
        column=name,
        heading=heading_of(form, name),
        predicate=predicate,
        passes_when=plainly_right(column, form) if column and not form.is_indicator else None,
        is_personal=is_personal(form, name),
    )


def _position(form: Form, name: str) -> int:
    if form.is_indicator:
        return INDICATOR_POSITIONS[name]
    return [column.name for column in form.contract.columns].index(name) + 1


def is_personal(form: Form, name: str | None) -> bool:
    """Say whether the contract calls a column personal."""
    column = form.contract.column(name) if name else None
    return bool(column and column.personal)


def heading_of(form: Form, name: str) -> str:
    """Return a typed column's name for the partner: the contract's business name, or the column's own in words."""
    column = form.contract.column(name)
    if column:
        return column.business_name
    words = name.removesuffix("_code").removesuffix("_label").replace("_", " ").replace("declared rag", "RAG")
    return words[:1].upper() + words[1:]


def sql_text(value: object) -> str:
    """Return a value as an SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
