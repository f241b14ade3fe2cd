"""A contract that breaks its promise says so in its version."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quarterday.contract_versions import fault, faults, promise_of, promises, read_lock, renew
from quarterday.contracts import load_contract
from quarterday.errors import OperatorError

RETURNS = Path(__file__).parents[2] / "returns"
BUDGET = promise_of(load_contract(RETURNS / "budget_outturn"))


def test_every_contract_is_as_it_was_or_says_in_its_version_that_it_is_not() -> None:
    assert faults(RETURNS) == []


@pytest.fixture
def returns(tmp_path: Path) -> Path:
    """A folder with two forms and their lock."""
    for form in ("budget_outturn", "first_time_entrants"):
        shutil.copytree(RETURNS / form, tmp_path / form)
    renew(tmp_path)
    return tmp_path


def change(returns: Path, form: str, old: str, new: str) -> None:
    path = returns / form / "contract.odcs.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


BREAKING = [
    ("budget_outturn", "      - name: variance_pct\n", "      - name: variance_share\n", "column variance_pct is gone"),
    ("budget_outturn", "logicalType: number", "logicalType: integer", "type was number, is integer"),
    ("budget_outturn", "value: gbp", "value: eur", "unit was gbp, is eur"),
    ("budget_outturn", "value: 1000", "value: 1", "scale was 1000, is not said"),
    ("budget_outturn", "primaryKeyPosition: 4", "primaryKeyPosition: 5", "key was 4, is 5"),
    ("budget_outturn", "required: false", "required: true", "column outturn_gbp: is required now"),
    ("budget_outturn", "[plan, provisional, final]", "[plan, final]", "allowed value provisional is withdrawn"),
    ("budget_outturn", "maximum: 100", "maximum: 90", "maximum was 100, is 90"),
    ("budget_outturn", "minimum: 0", "minimum: 1", "minimum was 0, is 1"),
    ("budget_outturn", "[opcc_finance]", "[opcc]", "partner opcc_finance is withdrawn"),
    ("first_time_entrants", "unitOfCount: young people", "unitOfCount: offences", "is in count of offences"),
    ("first_time_entrants", "- first_time_entrants\n", "- first_time_offenders\n", "first_time_entrants is withdrawn"),
]
ADDITIONS = [
    ("budget_outturn", "[plan, provisional, final]", "[plan, provisional, final, revised]"),
    ("budget_outturn", "maximum: 100", "maximum: 200"),
    ("budget_outturn", "[opcc_finance]", "[opcc_finance, opcc]"),
    (
        "budget_outturn",
        "customProperties:\n  - property: family",
        "      - name: note\n        logicalType: string\ncustomProperties:\n  - property: family",
    ),
]


@pytest.mark.parametrize(("form", "old", "new", "said"), BREAKING)
def test_breaking_change_is_refused_until_the_major_version_rises(
    form: str, old: str, new: str, said: str, returns: Path
) -> None:
    change(returns, form, old, new)
    (found,) = faults(returns)
    assert said in found
    assert "must be 2.0.0 or later" in found
    with pytest.raises(OperatorError, match="left as it is"):
        renew(returns)
    change(returns, form, "version: 1.0.0", "version: 1.1.0")
    assert "must be 2.0.0 or later" in faults(returns)[0]
    change(returns, form, "version: 1.1.0", "version: 2.0.0")
    renew(returns)
    assert faults(returns) == []


@pytest.mark.parametrize(("form", "old", "new"), ADDITIONS)
def test_addition_is_refused_until_the_minor_version_rises(form: str, old: str, new: str, returns: Path) -> None:
    change(returns, form, old, new)
    assert "must be 1.1.0 or later" in faults(returns)[0]
    change(returns, form, "version: 1.0.0", "version: 1.1.0")
    assert "--renew" in faults(returns)[0]
    renew(returns)
    assert faults(returns) == []


def test_words_may_change_without_a_version(returns: Path) -> None:
    change(returns, "budget_outturn", "Who holds the budget.", "The body that holds the budget.")
    assert faults(returns) == []


def test_form_that_is_new_or_gone_is_written_on_purpose(returns: Path) -> None:
    shutil.copytree(RETURNS / "smart_alert", returns / "smart_alert")
    assert "smart_alert: not as in contracts.lock.yml" in faults(returns)[0]
    renew(returns)
    shutil.rmtree(returns / "smart_alert")
    assert faults(returns) == ["smart_alert: the form is gone."]
    with pytest.raises(OperatorError, match="--drop"):
        renew(returns)
    renew(returns, drop=True)
    assert set(read_lock(returns)) == {"budget_outturn", "first_time_entrants"}


def test_version_that_is_no_version_is_refused() -> None:
    with pytest.raises(OperatorError, match="version one is not"):
        fault("budget_outturn", BUDGET | {"family": "indicator"}, BUDGET | {"version": "one"})


def test_lock_reads_back_as_it_was_written(returns: Path) -> None:
    assert read_lock(returns) == promises(returns)
