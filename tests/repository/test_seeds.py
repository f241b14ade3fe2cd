"""The seeds of the dbt project against the contracts: a code that a return may use is a code that the star knows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from quarterday.contracts import load_contract
from quarterday.reference import read_partners

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


@pytest.mark.parametrize("form", FORMS)
def test_every_partner_of_a_contract_is_known(form: str) -> None:
    assert set(load_contract(PROJECT / "returns" / form).partners) <= set(read_partners(PROJECT / "returns"))


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


def test_every_fund_serves_one_priority_of_each_plan_for_as_long_as_the_plan_holds() -> None:
    plans = {(line["plan_code"], line["valid_from"], line["valid_to"]) for line in lines_of("plans")}
    found = sorted(
        (line["fund_code"], line["priority_code"].split(".")[0], line["valid_from"], line["valid_to"])
        for line in lines_of("fund_priorities")
    )
    assert found == sorted((code, *plan) for code in seed("funds", "fund_code") for plan in plans)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_serves_one_known_priority_of_each_plan(form: str) -> None:
    priorities = load_contract(PROJECT / "returns" / form).priorities
    assert set(priorities) <= seed("priorities", "priority_code")
    assert sorted(code.split(".")[0] for code in priorities) == sorted(seed("plans", "plan_code"))


def test_every_service_reports_on_a_form() -> None:
    assert seed("services", "form") <= set(FORMS)


def test_it_is_decided_for_every_unit_of_count_whether_it_counts_people() -> None:
    assert seed("measures", "unit_of_count") == seed("disclosure_thresholds", "unit_of_count")
    own = seed("disclosure_thresholds", "measure_code") - {"*"}
    assert own <= seed("measures", "measure_code")


@pytest.mark.parametrize("column", ["measure_code", "numerator_measure_code", "denominator_measure_code"])
def test_rates_are_of_measures_that_there_are(column: str) -> None:
    assert seed("disclosure_rates", column) - {""} <= seed("measures", "measure_code")
