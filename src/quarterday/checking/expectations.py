"""Reads ``expectations/<form>.yml``: what a contract can't say. ``expectations/README.md`` explains the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from quarterday.checking import comparisons
from quarterday.checking.checks import Check, heading_of, is_personal, twice_rule
from quarterday.contracts import Form
from quarterday.errors import OperatorError

RULES = {"fails_when": "predicate", "lines": "lines_sql", "whole_return": "reject_sql"}
ONCE = "once"
EVERY_RULE = (*RULES, ONCE, *comparisons.RULES)
# A check may have both: the condition counts in the reading that all conditions share, the query lists and explains.
BOTH = {"fails_when", "lines"}
REQUIRED = {"id", "statement", "severity", "action", "remedy"}
OPTIONAL = {"column", "expected", *EVERY_RULE}
# A check's own SQL that reads this looks at other returns of its form.
LEDGER = "ledger.verdict"
SEVERITIES = ("critical", "warning", "info")
ACTIONS = ("reject_return", "quarantine_line", "flag")
FIRST_NUMBER, LAST_NUMBER = 101, 499


class ExpectationsAreWrong(OperatorError):
    """An expectations file can't be used; the message names the file, the check and what to change."""


def read_expectations(form: Form, folder: Path) -> list[Check]:
    """Return the checks of ``<folder>/<form>.yml``; none where there is no file.

    Raises:
        ExpectationsAreWrong: A key is unknown or missing, a value isn't one of those allowed, or an id stands twice.
    """
    path = folder / f"{form.contract.form}.yml"
    if not path.exists():
        return []
    entries = _entries(path, form)
    checks = [_check(path, form, entry) for entry in entries]
    seen: set[str] = set()
    for check in checks:
        if check.check_id in seen:
            raise ExpectationsAreWrong(
                f"{path}: {check.check_id} stands twice. Give the later check a number of its own."
            )
        seen.add(check.check_id)
    return checks


def _entries(path: Path, form: Form) -> list[dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ExpectationsAreWrong(f"{path}: this is not YAML: {error}") from error
    if not isinstance(content, dict) or set(content) != {"form", "checks"} or not isinstance(content["checks"], list):
        raise ExpectationsAreWrong(f"{path}: expected two keys, 'form' and 'checks' (a list).")
    if content["form"] != form.contract.form:
        raise ExpectationsAreWrong(
            f"{path}: 'form' is {content['form']!r}, expected {form.contract.form!r} as in the file's name."
        )
    return content["checks"]


def _check(path: Path, form: Form, entry: dict[str, Any]) -> Check:
    where = f"{path}, check {entry.get('id', '(without id)') if isinstance(entry, dict) else entry!r}"
    problem = _problem(form, entry)
    if problem:
        raise ExpectationsAreWrong(f"{where}: {problem}")
    column = entry.get("column")
    try:
        rule = _rule(form, entry)
    except ValueError as error:
        raise ExpectationsAreWrong(f"{where}: {error}.") from None
    return Check(
        check_id=entry["id"],
        statement=entry["statement"],
        severity=entry["severity"],
        action=entry["action"],
        remedy=entry["remedy"],
        expected=entry.get("expected", entry["statement"]),
        column=column,
        heading=heading_of(form, column) if column else None,
        is_personal=is_personal(form, column),
        **rule,
    )


def _rule(form: Form, entry: dict[str, Any]) -> dict[str, Any]:
    """Return what a check's rule says, by the fields of :class:`Check`."""
    names = set(entry) & set(EVERY_RULE)
    if names == BOTH:
        counted, listed = (_rule(form, {name: entry[name]}) for name in sorted(BOTH))
        return {**counted, **listed, "looks_at": counted["looks_at"] or listed["looks_at"]}
    (name,) = names
    if name == ONCE:
        return _once_rule(form, entry[ONCE])
    if name in comparisons.RULES:
        made = comparisons.comparison(form, name, entry[name])
        if made.reject_sql and entry["action"] == "quarantine_line":
            raise ValueError(f"{name} is about the whole return, which has no line to set aside: use another action")
        return vars(made)
    query = entry[name].strip().rstrip(";")
    return {RULES[name]: query, "looks_at": (form.name,) if LEDGER in query else ()}


def _once_rule(form: Form, names: Any) -> dict[str, Any]:
    """Return the rule that no two lines share some columns."""
    if not isinstance(names, list) or not names:
        raise ValueError("once is a list of columns")
    if unknown := [name for name in names if not form.contract.column(str(name))]:
        raise ValueError(f"once names {unknown[0]!r}, which is no column of the contract")
    return twice_rule(form, names, with_found=len(names) > 1)


def _problem(form: Form, entry: Any) -> str | None:
    """Say what is wrong with an entry, or nothing."""
    if not isinstance(entry, dict):
        return "expected a check with its keys."
    if unknown := set(entry) - REQUIRED - OPTIONAL:
        return f"unknown key {sorted(unknown)[0]!r}. Known: {', '.join(sorted(REQUIRED | OPTIONAL))}."
    if missing := REQUIRED - set(entry):
        return f"{sorted(missing)[0]!r} is missing."
    texts = [key for key in entry if key != ONCE and key not in comparisons.RULES]
    if wrong := [key for key in texts if not isinstance(entry[key], str) or not entry[key].strip()]:
        return f"{wrong[0]!r} must be text."
    if entry["severity"] not in SEVERITIES:
        return f"severity is {entry['severity']!r}, expected one of {', '.join(SEVERITIES)}."
    if entry["action"] not in ACTIONS:
        return f"action is {entry['action']!r}, expected one of {', '.join(ACTIONS)}."
    return _problem_of_rule(form, entry)


def _problem_of_rule(form: Form, entry: dict[str, Any]) -> str | None:
    rules = sorted(set(entry) & set(EVERY_RULE))
    if len(rules) != 1 and set(rules) != BOTH:
        either = f"exactly one of {', '.join(EVERY_RULE)}, or fails_when and lines"
        return f"give {either}; found {', '.join(rules) or 'none'}."
    if (rules == ["whole_return"]) and entry["action"] == "quarantine_line":
        return "a check of the whole return has no line to set aside: use reject_return or flag."
    for query in {"lines", "whole_return"}.intersection(rules):
        if "{lines}" not in entry[query]:
            return f"{query!r} must read from {{lines}}, which stands for this load's lines."
    prefix, _, number = entry["id"].partition("-")
    if prefix != form.contract.check_prefix or not number.isdecimal() or not FIRST_NUMBER <= int(number) <= LAST_NUMBER:
        return (
            f"the id must be {form.contract.check_prefix}-{FIRST_NUMBER} to {form.contract.check_prefix}-{LAST_NUMBER}."
        )
    return None
