"""Which restatements need a named person's approval, and whose: ``returns/sign_off_rules.csv``.

| column | what it says |
| --- | --- |
| rule_id | SGN-001 and so on; kept with every decision, never used again for another rule |
| form, measure_code, priority_code | what the rule is about; ``*`` for all |
| asks_about | one of :data:`KINDS` |
| at_least | how much of it, in the measure's unit, percent, figures or lines; empty where any is enough |
| approvers | who may decide: users of Airflow, separated by spaces |
| reason | why somebody has to decide, in words for who does |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from quarterday.errors import OperatorError
from quarterday.restating.changes import RAG_ITEMS, Change, Changes
from quarterday.strict_csv import Line, faults_of, is_whole, read_lines

COLUMNS = ("rule_id", "form", "measure_code", "priority_code", "asks_about", "at_least", "approvers", "reason")
ANY = "*"
RULE_ID = re.compile(r"SGN-\d{3}")
USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]*")
# What a rule may ask about, and whether it needs a number.
KINDS = {
    "relative_change_pct": True,
    "absolute_change": True,
    "vanished": True,
    "register_lines": True,
    "accepted_lines": True,
    "rating": False,
    "printed": False,
}


@dataclass(frozen=True)
class Rule:
    """One rule; ``at_least`` is None where any change will do."""

    rule_id: str
    form: str
    measure_code: str
    priority_code: str
    asks_about: str
    at_least: Decimal | None
    approvers: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Restatement:
    """What a load would change, and what is asked about it.

    ``priorities`` are those of each measure; ``accepted_lines`` is how many set-aside lines come in by exception.
    """

    form: str
    changes: Changes
    priorities: Mapping[str, frozenset[str]]
    accepted_lines: int = 0


class RulesAreWrong(OperatorError):
    """The file of rules can't be used; the message names line, column, what was expected and what was found."""


def load_rules(path: Path, known: Mapping[str, Iterable[str]] | None = None) -> tuple[Rule, ...]:
    """Read the rules. A file of the heading alone asks for nobody's approval.

    Args:
        path: The file.
        known: Of ``form``, ``measure_code``, ``priority_code`` and ``approvers`` what there is; what is not named is
            not looked at.

    Raises:
        RulesAreWrong: There is no file, or a column or a value is not as it has to be; all are named.
    """
    if not path.is_file():
        raise _wrong(path, [f"  There is no file {path}."])
    rows, faults = read_lines(path, COLUMNS)
    faults += faults_of(rows, COLUMNS, lambda row, seen: _row_faults(row, known or {}, seen))
    faults += _unshared([line for line in rows if is_whole(line[1])])
    if faults:
        raise _wrong(path, faults)
    return tuple(_rule(row) for _, row in rows)


def rules_that_ask(rules: Sequence[Rule], restatement: Restatement) -> tuple[Rule, ...]:
    """Return the rules by which a restatement needs an approval."""
    return tuple(rule for rule in rules if rule.form in (ANY, restatement.form) and _asks(rule, restatement))


def approvers_of(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return who may decide: those whom each of the rules names. Rules that can ask together share an approver."""
    if not rules:
        return ()
    return tuple(sorted(set.intersection(*(set(rule.approvers) for rule in rules))))


def _asks(rule: Rule, restatement: Restatement) -> bool:
    if rule.asks_about == "accepted_lines":
        return restatement.accepted_lines >= (rule.at_least or 1)
    found = [change for change in restatement.changes.restatements if _is_about(rule, change, restatement)]
    figures = [change for change in found if change.subject == "figure" and change.item == "value"]
    if rule.asks_about == "rating":
        return any(change.item in RAG_ITEMS for change in found)
    if rule.asks_about == "printed":
        return any(_was_printed(change, restatement.changes) for change in figures)
    if rule.asks_about == "vanished":
        return sum(change.kind == "vanished" for change in figures) >= (rule.at_least or 1)
    if rule.asks_about == "register_lines":
        return _register_lines(found) >= (rule.at_least or 1)
    return any(_is_as_large(change, rule) for change in figures)


def _register_lines(found: Sequence[Change]) -> Decimal:
    """Return how many lines go and come; of a register too large to look at each, how many more or fewer there are."""
    zero = Decimal(0)
    told = [change.new_value or zero for change in found if change.item in ("lines that go", "lines that come")]
    counts = [
        abs((change.new_value or zero) - (change.old_value or zero)) for change in found if change.item == "lines"
    ]
    return sum(told or counts, zero)


def _is_about(rule: Rule, change: Change, restatement: Restatement) -> bool:
    if rule.measure_code not in (ANY, change.measure_code):
        return False
    served = {change.priority_code} | restatement.priorities.get(change.measure_code or "", frozenset())
    return rule.priority_code == ANY or rule.priority_code in served


def _was_printed(change: Change, changes: Changes) -> bool:
    return any(
        (one.measure_code, one.area_code, one.period_key, one.old_text)
        == (change.measure_code, change.area_code, change.period_key, change.old_text)
        for one in changes.printed
    )


def _is_as_large(change: Change, rule: Rule) -> bool:
    if change.kind != "restated" or rule.at_least is None:
        return False
    if change.absolute is None:  # a figure where there was none, or none where there was one
        return (change.old_value is None) != (change.new_value is None)
    if rule.asks_about == "absolute_change" or not change.absolute:
        return abs(change.absolute) >= rule.at_least
    # From nothing to something is more than any percentage.
    return change.relative_pct is None or abs(change.relative_pct) >= rule.at_least


def _rule(row: Mapping[str, str]) -> Rule:
    at_least = Decimal(row["at_least"]) if row["at_least"] else None
    rule_id, form, measure_code, priority_code, asks_about = (row[name] for name in COLUMNS[:5])
    approvers = tuple(row["approvers"].split())
    return Rule(rule_id, form, measure_code, priority_code, asks_about, at_least, approvers, row["reason"])


def _unshared(rows: Sequence[Line]) -> Iterator[str]:
    """Give the lines of which no user can decide together with the other rules that can ask about the same form."""
    for line, row in rows:
        sharing = [set(one["approvers"].split()) for _, one in rows if {one["form"], row["form"]} <= {ANY, row["form"]}]
        if not set.intersection(*sharing):
            yield (
                f"  line {line}, column approvers: expected a user whom every rule that can ask about form "
                f"'{row['form']}' names, for one person decides; found '{row['approvers']}'."
            )


def _row_faults(
    row: Mapping[str, str], known: Mapping[str, Iterable[str]], seen: set[str]
) -> Iterator[tuple[str, str]]:
    """Give column and what was expected of each value that is wrong."""
    if not RULE_ID.fullmatch(row["rule_id"]) or row["rule_id"] in seen:
        yield "rule_id", "a number as SGN-001 that no other rule has"
    for column in ("form", "measure_code", "priority_code"):
        if row[column] != ANY and (not row[column] or row[column] not in known.get(column, [row[column]])):
            yield column, f"* or a known {column.replace('_', ' ')}"
    if row["asks_about"] not in KINDS:
        yield "asks_about", "one of " + ", ".join(KINDS)
    elif KINDS[row["asks_about"]] != _is_positive(row["at_least"]) or (
        row["at_least"] and not KINDS[row["asks_about"]]
    ):
        yield "at_least", "a number above 0" if KINDS[row["asks_about"]] else "nothing, for any change of it counts"
    users = row["approvers"].split()
    if not users or not all(USER.fullmatch(user) and user in known.get("approvers", [user]) for user in users):
        yield "approvers", "users of Airflow, separated by spaces"
    if not row["reason"].strip():
        yield "reason", "why somebody has to decide"


def _is_positive(text: str) -> bool:
    try:
        return Decimal(text) > 0
    except InvalidOperation:
        return False


def _wrong(path: Path, faults: Sequence[str]) -> RulesAreWrong:
    head = f"RulesAreWrong: {path.name}: no rule was used, and nothing that restates is released."
    return RulesAreWrong("\n".join([head, *faults, "Mend the file: docs/how-to/restate-and-sign-off.md"]))
