"""The checks of a form: their numbers, what they are made from, and what is wrong with a file that can't be used."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from quarterday.checking.checks import (
    Check,
    ContractRuleIsUnknown,
    check_number,
    checks_of,
    contract_checks,
    over_limit_check,
)
from quarterday.checking.document import write_checks_register
from quarterday.checking.expectations import ExpectationsAreWrong, read_expectations
from quarterday.checking.facts import read_fact_checks
from quarterday.checking.suites import Assertion, CheckCouldNotRun, run_suite
from quarterday.contracts import Column, Form, load_forms

PROJECT = Path(__file__).parents[2]
ENTRY = {
    "id": "BUD-101",
    "statement": "It is so.",
    "severity": "warning",
    "action": "flag",
    "remedy": "Do it.",
    "fails_when": "false",
}


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    return load_forms(PROJECT / "returns")


@pytest.fixture
def register(forms: dict[str, Form]) -> Form:
    return forms["budget_outturn"]


@pytest.fixture
def indicator(forms: dict[str, Form]) -> Form:
    return forms["victim_gateway"]


def with_columns(form: Form, *columns: Column) -> Form:
    return replace(form, contract=replace(form.contract, columns=columns))


def numbers(checks: list[Check]) -> set[int]:
    return {int(check.check_id.partition("-")[2]) for check in checks}


def write(folder: Path, *entries: object, **top: object) -> Path:
    (folder / "budget_outturn.yml").write_text(
        yaml.safe_dump({"form": "budget_outturn", "checks": list(entries)} | top)
    )
    return folder


def test_number_of_a_rule_never_meets_another_or_an_expectation() -> None:
    every = [check_number(position, kind) for position in range(1, 60) for kind in range(10)]
    assert len(set(every)) == len(every)
    assert {number for number in every if number < 10 or 99 < number < 500 or number > 999} == set()


@pytest.mark.parametrize("position", [0, 60])
def test_position_without_numbers_is_refused(position: int) -> None:
    with pytest.raises(ValueError, match="positions are 1 to 59"):
        check_number(position, 0)


def test_column_added_at_the_end_leaves_every_number_as_it_was(register: Form) -> None:
    before = {check.check_id: check.statement for check in contract_checks(register)}
    grown = with_columns(register, *register.contract.columns, Column("extra", "Extra", "date", required=True))
    after = {check.check_id: check.statement for check in contract_checks(grown)}
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"BUD-090", "BUD-091"}


def test_each_rule_of_a_contract_gives_its_check(register: Form) -> None:
    column = Column("a", "A", "number", True, minimum=1, maximum=2, allowed_values=("1", "2"))
    text = Column("b", "B", "string", True, pattern="^x$", action="flag", severity="info")
    checks = contract_checks(with_columns(register, column, text))
    assert numbers(checks) == {5, 10, 11, 12, 13, 14, 21, 25}
    assert {(check.action, check.severity) for check in checks if check.column == "b"} == {("flag", "info")}


def test_optional_text_without_rules_gives_no_check(register: Form) -> None:
    assert numbers(contract_checks(with_columns(register, Column("note", "Note", "string")))) == {5}


def test_indicator_checks_hold_whatever_the_contract_lists(indicator: Form) -> None:
    bare = with_columns(indicator, Column("value", "Value", "number", True))
    assert numbers(contract_checks(bare)) == {5, 6, 11, 21, 31, 40, 50, 51, 60, 70, 82, 92}


def test_contract_rule_that_no_check_is_made_from_is_refused(indicator: Form) -> None:
    odd = with_columns(indicator, Column("note", "Note", "string", pattern="^x$"))
    with pytest.raises(ContractRuleIsUnknown, match="rule on note"):
        contract_checks(odd)


def test_allowed_value_with_a_quote_stays_one_value(register: Form) -> None:
    odd = with_columns(register, Column("a", "A", "string", allowed_values=("it's", "x' or true or '")))
    (check,) = [check for check in contract_checks(odd) if check.column == "a"]
    assert check.predicate == "a::text not in ('it''s', 'x'' or true or ''')"


def test_every_check_of_every_form_is_complete_and_numbered_once(forms: dict[str, Form]) -> None:
    every = [check for form in forms.values() for check in checks_of(form, PROJECT / "expectations")]
    every += [over_limit_check(form) for form in forms.values()]
    ids = [check.check_id for check in every]
    assert len(set(ids)) == len(ids)
    for check in every:
        assert re.fullmatch(r"[A-Z]{3}-\d{3}", check.check_id)
        assert all(text.strip() for text in (check.statement, check.remedy, check.expected))
        assert check.statement.endswith(".") and check.remedy.endswith(".")


def test_form_without_an_expectations_file_has_the_contract_checks(register: Form, tmp_path: Path) -> None:
    assert checks_of(register, tmp_path) == sorted(contract_checks(register), key=lambda check: check.check_id)


def test_expectation_is_read_with_its_column_and_heading(register: Form, tmp_path: Path) -> None:
    entry = ENTRY | {"column": "budget_gbp", "expected": "more"}
    (check,) = read_expectations(register, write(tmp_path, entry))
    assert (check.predicate, check.column, check.heading, check.expected) == (
        "false",
        "budget_gbp",
        "Budget £'000",
        "more",
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"severity": "dreadful"}, "severity is 'dreadful', expected one of critical, warning, info"),
        ({"action": "ignore"}, "action is 'ignore'"),
        ({"remedy": " "}, "'remedy' must be text"),
        ({"statement": 7}, "'statement' must be text"),
        ({"id": "BUD-099"}, "the id must be BUD-101 to BUD-499"),
        ({"id": "VGW-101"}, "the id must be BUD-101 to BUD-499"),
        (
            {"whole_return": "select 1 from {lines} as line"},
            "give exactly one of fails_when, lines, whole_return.*, or fails_when and lines",
        ),
        ({"fails_when": None, "lines": "select sheet from typed.budget_outturn"}, r"must read from \{lines\}"),
        (
            {"fails_when": None, "whole_return": "select 1 from {lines} as line", "action": "quarantine_line"},
            "has no line to set aside",
        ),
        ({"fails_when": None}, "give exactly one of"),
        ({"remedy": None}, "'remedy' is missing"),
    ],
)
def test_wrong_expectation_is_refused_by_name(
    changes: dict[str, object], message: str, register: Form, tmp_path: Path
) -> None:
    entry = {key: value for key, value in (ENTRY | changes).items() if value is not None}
    with pytest.raises(ExpectationsAreWrong, match=message) as caught:
        read_expectations(register, write(tmp_path, entry))
    assert str(entry["id"]) in str(caught.value)


def test_id_that_stands_twice_is_refused(register: Form, tmp_path: Path) -> None:
    with pytest.raises(ExpectationsAreWrong, match="BUD-101 stands twice"):
        read_expectations(register, write(tmp_path, ENTRY, ENTRY))


@pytest.mark.parametrize(
    "text",
    ["form: budget_outturn\n", "- a\n", "form: other\nchecks: []\n", "form: [\n", "form: budget_outturn\nchecks: {}\n"],
)
def test_file_of_another_shape_is_refused(text: str, register: Form, tmp_path: Path) -> None:
    (tmp_path / "budget_outturn.yml").write_text(text)
    with pytest.raises(ExpectationsAreWrong, match=r"budget_outturn\.yml"):
        read_expectations(register, tmp_path)


def test_folder_without_checks_on_facts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExpectationsAreWrong, match="nothing may be published"):
        read_fact_checks(tmp_path)


def test_check_on_facts_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "a.yml").write_text("checks: [{id: FCT-001, statement: S., remedy: R., sql: select 1}]")
    with pytest.raises(ExpectationsAreWrong, match="differences"):
        read_fact_checks(tmp_path)


def test_suite_says_which_checks_failed() -> None:
    assertions = [Assertion("A-001", "critical", "flag", "S."), Assertion("A-002", "info", "flag", "S.")]
    assert run_suite(assertions, {"A-001": 0, "A-002": 3}) == {"A-001": True, "A-002": False}


def test_expectation_that_raises_is_our_fault() -> None:
    with pytest.raises(CheckCouldNotRun, match="A-001"):
        run_suite([Assertion("A-001", "critical", "flag", "S.")], {"B-001": 0})


def test_register_of_checks_names_every_check_once(forms: dict[str, Form]) -> None:
    text = write_checks_register(forms, PROJECT / "expectations")
    expected = [check.check_id for form in forms.values() for check in checks_of(form, PROJECT / "expectations")]
    expected += [check.check_id for check in read_fact_checks(PROJECT / "expectations")]
    for check_id in expected:
        assert text.count(f"| {check_id} |") == 1


def test_register_of_checks_is_up_to_date(forms: dict[str, Form]) -> None:
    written = (PROJECT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert written == write_checks_register(forms, PROJECT / "expectations"), (
        "run python -m quarterday.checking.document"
    )
