"""The seeds of the dbt project against the contracts: a code that a return may use is a code that the star knows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
KNOWN_BY = {"measure_code": "measures", "area_code": "areas", "fund_code": "funds"}


def seed(name: str, column: str) -> set[str]:
    """Return the values of one column of a seed."""
    with (PROJECT / "dbt_project" / "seeds" / f"{name}.csv").open(newline="") as file:
        return {row[column] for row in csv.DictReader(file)}


def allowed_codes(form: str, column: str) -> set[str]:
    """Return the values that a form's contract allows in a column."""
    contract = yaml.safe_load((PROJECT / "returns" / form / "contract.odcs.yaml").read_text())
    rules = [
        rule["arguments"]["validValues"]
        for entry in contract["schema"][0]["properties"]
        if entry["name"] == column
        for rule in entry.get("quality", [])
        if rule.get("metric") == "invalidValues"
    ]
    return {value for values in rules for value in values}


FORMS = sorted(path.parent.name for path in (PROJECT / "returns").glob("*/contract.odcs.yaml"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("column", KNOWN_BY)
def test_every_code_of_a_contract_is_in_its_seed(form: str, column: str) -> None:
    assert allowed_codes(form, column) <= seed(KNOWN_BY[column], column)


@pytest.mark.parametrize("form", FORMS)
def test_every_area_of_a_layout_is_in_its_seed(form: str) -> None:
    layout = yaml.safe_load((PROJECT / "returns" / form / "layout.yml").read_text())
    tables = [layout, *(table for edition in layout["editions"] for table in (edition, *edition.get("tables", ())))]
    codes = [code for table in tables for code in table.get("labels", {}).get("areas", {}).values()]
    assert {name for code in codes for name in (code if isinstance(code, list) else [code])} <= seed(
        "areas", "area_code"
    )


def test_every_form_and_partner_of_a_contract_is_in_its_seed() -> None:
    contracts = [yaml.safe_load((PROJECT / "returns" / form / "contract.odcs.yaml").read_text()) for form in FORMS]
    partners = {
        partner
        for contract in contracts
        for entry in contract["customProperties"]
        if entry["property"] == "partners"
        for partner in entry["value"]
    }
    assert set(FORMS) <= seed("forms", "form")
    assert partners <= seed("partners", "partner_code")


@pytest.mark.parametrize(
    ("child", "column", "parent", "key"),
    [
        ("measure_outcomes", "measure_code", "measures", "measure_code"),
        ("measure_outcomes", "outcome_code", "outcomes", "outcome_code"),
        ("outcomes", "priority_code", "priorities", "priority_code"),
        ("priorities", "plan_code", "plans", "plan_code"),
        ("baselines", "measure_code", "measures", "measure_code"),
        ("series_breaks", "measure_code", "measures", "measure_code"),
        ("targets", "measure_code", "measures", "measure_code"),
        ("targets", "area_code", "areas", "area_code"),
        ("services", "form", "forms", "form"),
        ("form_priorities", "form", "forms", "form"),
        ("form_priorities", "priority_code", "priorities", "priority_code"),
        ("fund_priorities", "fund_code", "funds", "fund_code"),
        ("fund_priorities", "priority_code", "priorities", "priority_code"),
    ],
)
def test_seeds_know_what_they_refer_to(child: str, column: str, parent: str, key: str) -> None:
    assert seed(child, column) <= seed(parent, key)


def lines_of(name: str) -> list[dict[str, str]]:
    """Return a seed's lines."""
    with (PROJECT / "dbt_project" / "seeds" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("bridge", "key", "parent"), [("form_priorities", "form", "forms"), ("fund_priorities", "fund_code", "funds")]
)
def test_everything_serves_one_priority_of_each_plan_for_as_long_as_the_plan_holds(
    bridge: str, key: str, parent: str
) -> None:
    plans = {(line["plan_code"], line["valid_from"], line["valid_to"]) for line in lines_of("plans")}
    found = sorted(
        (line[key], line["priority_code"].split(".")[0], line["valid_from"], line["valid_to"])
        for line in lines_of(bridge)
    )
    assert found == sorted((code, *plan) for code in seed(parent, key) for plan in plans)


@pytest.mark.parametrize("form", FORMS)
def test_priority_of_a_contract_is_the_form_s_in_its_plan(form: str) -> None:
    contract = yaml.safe_load((PROJECT / "returns" / form / "contract.odcs.yaml").read_text())
    (priority,) = [entry["value"] for entry in contract["customProperties"] if entry["property"] == "priority"]
    assert priority in {line["priority_code"] for line in lines_of("form_priorities") if line["form"] == form}
