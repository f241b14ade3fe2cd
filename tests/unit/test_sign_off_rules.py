"""The rules of sign-off are data: the shipped ones fit the forms, and a wrong one is named by its place."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from quarterday import services
from quarterday.contracts import load_forms
from quarterday.restating.changes import Change, Changes, PrintedChange
from quarterday.restating.rules import (
    COLUMNS,
    Restatement,
    RulesAreWrong,
    approvers_of,
    load_rules,
    rules_that_ask,
)

PROJECT = Path(__file__).parents[2]
SEEDS = PROJECT / "dbt_project" / "seeds"
GOOD = "SGN-001,*,*,*,rating,,jo,A rating changes."


def codes(seed: str, column: str) -> set[str]:
    with (SEEDS / seed).open(newline="") as file:
        return {row[column] for row in csv.DictReader(file)}


def known() -> dict[str, set[str]]:
    return {
        "form": set(load_forms(PROJECT / "returns")),
        "measure_code": codes("measures.csv", "measure_code"),
        "priority_code": codes("priorities.csv", "priority_code"),
        "approvers": set(services.USERS),
    }


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "rules.csv"
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return path


def test_the_shipped_rules_name_forms_measures_priorities_and_users_that_there_are() -> None:
    rules = load_rules(PROJECT / "returns" / "sign_off_rules.csv", known())
    assert rules
    assert services.USERS["viewer"] not in {approver for rule in rules for approver in rule.approvers}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("SGN-1,*,*,*,rating,,jo,Why.", "column rule_id: expected a number as SGN-001 .*; found 'SGN-1'"),
        (GOOD, "line 3, column rule_id: expected a number as SGN-001 that no other rule has; found 'SGN-001'"),
        ("SGN-002,no_form,*,*,rating,,jo,Why.", "line 3, column form: expected [*] or a known form; found 'no_form'"),
        ("SGN-002,*,no,*,rating,,jo,Why.", "line 3, column measure_code: expected [*] or a known measure"),
        ("SGN-002,*,*,no,rating,,jo,Why.", "line 3, column priority_code: expected [*] or a known priority code"),
        ("SGN-002,*,*,*,colour,,jo,Why.", "line 3, column asks_about: expected one of .*; found 'colour'"),
        ("SGN-002,*,*,*,rating,3,jo,Why.", "line 3, column at_least: expected nothing.*; found '3'"),
        ("SGN-002,*,*,*,vanished,,jo,Why.", "line 3, column at_least: expected a number above 0; found ''"),
        ("SGN-002,*,*,*,vanished,-1,jo,Why.", "line 3, column at_least: expected a number above 0; found '-1'"),
        ("SGN-002,*,*,*,rating,,,Why.", "line 3, column approvers: expected users of Airflow.*; found ''"),
        ("SGN-002,*,*,*,rating,,jo, ", "line 3, column reason: expected why somebody has to decide"),
        ("SGN-002,*,*,*,rating,,jo", "line 3: expected 8 columns"),
        ("SGN-002,*,*,*,rating", "line 3: expected 8 columns"),
        ("SGN-002,*,*,*,rating,,sam,Why.", "line 3, column approvers: expected a user whom every rule"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named_by_line_and_column(tmp_path: Path, line: str, told: str) -> None:
    path = written(tmp_path, GOOD, line)
    fitting = known() | {"approvers": {"jo", "sam"}}
    with pytest.raises(RulesAreWrong, match=told):
        load_rules(path, fitting)


def test_a_missing_file_and_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesAreWrong, match="There is no file"):
        load_rules(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("rule_id,form\n")
    with pytest.raises(RulesAreWrong, match="line 1: expected the columns rule_id, form, .*; found rule_id, form"):
        load_rules(tmp_path / "other.csv")


def figure(old: str | None, new: str | None, is_there: bool = True) -> Change:
    numbers = [None if text is None else Decimal(text) for text in (old, new)]
    return Change(
        "figure", "value", "space_programme", "x", None, "m", "all", "a", "2016-17-Q1", True, is_there,
        numbers[0], numbers[1], old, new,
    )  # fmt: skip


def rating(subject: str, item: str) -> Change:
    return Change(subject, item, None, None, "p1", None, None, None, "2016-17-Q1", True, True, None, None, "R", "G")


def lines(item: str, old: int, new: int) -> Change:
    return Change(
        "register", item, "f", "x", None, None, None, None, "year", True, True,
        Decimal(old), Decimal(new), str(old), str(new),
    )  # fmt: skip


PRINTED = PrintedChange(
    "F1", "A report", "r", "line 1", "What", "48", "48", "50", "agrees", "differs", "m", "a", "2016-17-Q1"
)


@pytest.mark.parametrize(
    ("rule", "changes", "asks"),
    [
        ("*,*,*,relative_change_pct,10", [figure("100", "110")], True),
        ("*,*,*,relative_change_pct,10", [figure("100", "109")], False),
        ("*,*,*,relative_change_pct,10", [figure("-100", "-90")], True),
        ("*,*,*,relative_change_pct,10", [figure("0", "1")], True),
        ("*,*,*,relative_change_pct,10", [figure(None, "1")], True),
        ("*,*,*,relative_change_pct,10", [figure(None, None)], False),
        ("*,*,*,absolute_change,5", [figure("100", "95")], True),
        ("*,*,*,absolute_change,5", [figure("100", "96")], False),
        ("*,*,*,vanished,1", [figure("3", None, is_there=False)], True),
        ("*,*,*,vanished,2", [figure("3", None, is_there=False)], False),
        ("*,*,*,rating,", [rating("outcome", "rag_computed")], True),
        ("*,*,*,rating,", [rating("priority", "rag_rolled_up")], True),
        ("*,*,*,rating,", [rating("figure", "rag_declared")], False),
        ("*,*,*,printed,", [figure("48", "50")], True),
        ("*,*,*,printed,", [figure("47", "50")], False),
        ("*,*,*,register_lines,3", [lines("lines that go", 0, 1), lines("lines that come", 0, 2)], True),
        ("*,*,*,register_lines,4", [lines("lines that go", 0, 1), lines("lines that come", 0, 2)], False),
        ("*,*,*,register_lines,1000", [lines("lines", 90_000, 91_000)], True),
        ("other_form,*,*,absolute_change,5", [figure("100", "90")], False),
        ("*,other,*,absolute_change,5", [figure("100", "90")], False),
        ("*,*,p1,absolute_change,5", [figure("100", "90")], True),
        ("*,*,p2,absolute_change,5", [figure("100", "90")], False),
    ],
)
def test_a_rule_asks_about_what_it_says_and_nothing_else(
    tmp_path: Path, rule: str, changes: list[Change], asks: bool
) -> None:
    rules = load_rules(written(tmp_path, f"SGN-001,{rule},jo,Why."))
    restatement = Restatement(
        "space_programme", Changes((1,), tuple(changes), (PRINTED,)), {"m": frozenset({"p1"})}, accepted_lines=0
    )
    assert bool(rules_that_ask(rules, restatement)) is asks


def test_lines_taken_in_by_exception_are_asked_about_by_their_number(tmp_path: Path) -> None:
    rules = load_rules(written(tmp_path, "SGN-001,*,*,*,accepted_lines,2,jo,Why."))
    nothing = Changes((1,), (), ())
    assert [bool(rules_that_ask(rules, Restatement("f", nothing, {}, count))) for count in (0, 1, 2)] == [
        False,
        False,
        True,
    ]


def test_who_decides_is_named_by_each_of_the_rules(tmp_path: Path) -> None:
    rules = load_rules(written(tmp_path, "SGN-001,*,*,*,rating,,jo sam,Why.", "SGN-002,f,*,*,printed,,sam kim,Why."))
    assert approvers_of(rules) == ("sam",)
    assert approvers_of(rules[:1]) == ("jo", "sam")
