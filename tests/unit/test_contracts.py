"""Contracts: ours, held against the standard; and what is said of a wrong one."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from datacontract.data_contract import DataContract
from open_data_contract_standard.model import OpenDataContractStandard

from quarterday.contracts import load_contract, load_form, load_forms
from quarterday.errors import OperatorError

RETURNS = Path(__file__).parents[2] / "returns"
FORMS = sorted(path.name for path in RETURNS.iterdir() if path.is_dir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the Victim Gateway's folder."""
    return Path(shutil.copytree(RETURNS / "victim_gateway", tmp_path / "victim_gateway"))


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "contract.odcs.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_a_contract_says_to_the_standards_own_model_what_it_says_to_us(form: str) -> None:
    ours = load_contract(RETURNS / form)
    theirs = OpenDataContractStandard.from_file(str(RETURNS / form / "contract.odcs.yaml"))
    assert theirs.apiVersion == "v3.1.0"
    assert (theirs.name, theirs.version) == (ours.form, ours.version)
    assert theirs.schema_ is not None
    properties = theirs.schema_[0].properties or []
    assert [(one.name, one.logicalType, bool(one.required)) for one in properties] == [
        (column.name, column.logical_type, column.required) for column in ours.columns
    ]


def test_a_form_is_read_once_until_one_of_its_files_holds_something_else(folder: Path) -> None:
    before = load_form(folder)
    assert load_form(folder) is before
    change(folder, "status: active", "status: active ")
    assert (changed := load_form(folder)) is not before and changed == before
    for name in ("layout.yml", "corrections.yml"):
        known = load_form(folder)
        with (folder / name).open("a") as file:
            file.write("# new\n" if name == "layout.yml" else "form: victim_gateway\ncorrections: []\n")
        assert load_form(folder) is not known, name
    change(folder, "name: victim_gateway", "name: another")
    for _ in range(2):
        with pytest.raises(OperatorError, match="They must agree"):
            load_form(folder)


@pytest.mark.parametrize("form", FORMS)
def test_a_contract_passes_the_standards_lint(form: str) -> None:
    result = DataContract(data_contract_file=str(RETURNS / form / "contract.odcs.yaml")).lint()
    assert [check.reason for check in result.checks or [] if check.result != "passed"] == []
    assert result.result == "passed"


@pytest.mark.parametrize("form", FORMS)
def test_a_contract_describes_every_column_and_has_a_key_or_says_that_there_is_none(form: str) -> None:
    contract = load_contract(RETURNS / form)
    assert [column.name for column in contract.columns if not column.description] == []
    # A published list may have lines that are alike and yet are different things: its grain then says so.
    assert contract.key or "there is no key" in contract.grain
    assert contract.description


def test_a_contract_is_read_whole(folder: Path) -> None:
    contract = load_contract(folder)
    assert (contract.check_prefix, contract.partners, contract.due_working_days) == ("VGW", ("citizens_advice",), 20)
    assert contract.contract_start == date(2015, 9, 1)
    assert contract.key == ("measure_code", "breakdown_code", "area_code", "period_start", "period_end")
    value = contract.column("value")
    assert value is not None
    assert (value.logical_type, value.minimum, value.unit_of_count, value.required) == ("number", 0, "person", True)
    breakdown = contract.column("breakdown_code")
    assert breakdown is not None
    assert breakdown.allowed_values == ("all", "enhanced", "standard")


def test_thousands_in_the_file_are_a_scale_in_the_contract() -> None:
    budget = load_contract(RETURNS / "budget_outturn").column("budget_gbp")
    assert budget is not None
    assert budget.scale == 1000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value: indicator", "value: something", "family is 'something', expected one of indicator, register"),
        ("property: checkPrefix", "property: prefix", "'checkPrefix' is missing"),
        (
            "name: victim_gateway\n",
            "name: other\n",
            "the contract's name is 'other' but its folder is 'victim_gateway'",
        ),
        ("value: '2015-09-01'", "value: '2015-09-31'", "day"),
        ("logicalType: number", "logicalType: decimal", "logicalType of value is 'decimal'"),
    ],
)
def test_a_wrong_contract_is_refused_with_the_file_and_the_key(folder: Path, old: str, new: str, message: str) -> None:
    change(folder, old, new)
    with pytest.raises(OperatorError, match="contract.odcs.yaml") as caught:
        load_contract(folder)
    assert message in str(caught.value)


def test_a_contract_that_is_no_yaml_is_refused(folder: Path) -> None:
    (folder / "contract.odcs.yaml").write_text("schema: [", encoding="utf-8")
    with pytest.raises(OperatorError, match="not YAML"):
        load_contract(folder)


def test_a_folder_without_a_contract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="a form needs a contract"):
        load_contract(tmp_path)


def test_two_forms_with_one_check_prefix_are_refused(tmp_path: Path, folder: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "another_gateway"))
    path = other / "contract.odcs.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**raw, "name": "another_gateway"}), encoding="utf-8")
    with pytest.raises(OperatorError, match="checkPrefix VGW belongs to another_gateway"):
        load_forms(tmp_path)


def test_every_form_of_the_project_loads() -> None:
    forms = load_forms(RETURNS)
    assert list(forms) == FORMS
    assert {form.contract.family for form in forms.values()} == {"indicator", "register"}
