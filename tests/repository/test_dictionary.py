"""docs/dictionary: what the contracts and the dbt project say, each column with its unit and its origin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from quarterday.dictionary.origins import ContractColumn, contract_columns
from quarterday.dictionary.pages import Dictionary, read_dictionary, write_pages
from quarterday.dictionary.project import READ
from quarterday.dictionary.units import is_number, unit_of
from quarterday.settings import load_settings

SETTINGS = load_settings()
FOLDER = SETTINGS.project / "docs" / "dictionary"
EXPOSURES = SETTINGS.dbt_project / "models" / "exposures.yml"
# Words that stand in the view itself: which cell of a report a row is.
WRITTEN_OUT = {
    "mart.rpt_action_overview.rag",
    "mart.rpt_action_overview.rag_order",
    "mart.rpt_outcome_against_baseline.column_type",
    "mart.rpt_outcome_under_plan.reading",
}
NOT_SHOWN = {
    "reducing_offending_action_plan.carried_forward",  # a rule of the plan holds it against the term as printed
    "reducing_offending_action_plan.evidence_note",  # free text about people
    "street_crime.context",  # always empty in what is sent
    "street_crime.month",  # alike in all lines of a file: the ledger has it
}


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    """The dictionary of the project as it is; dbt parses it once for the module."""
    return read_dictionary(SETTINGS.dbt_project, SETTINGS.returns)


def test_the_pages_are_what_contracts_and_models_say(dictionary: Dictionary) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    made = write_pages(dictionary)
    assert sorted(written) == sorted(made), "docs/dictionary lacks a page, or has one too many: run make forms"
    assert [name for name in made if written[name] != made[name]] == [], "run make forms"


def test_no_column_that_readers_see_is_without_an_origin(dictionary: Dictionary) -> None:
    found = {
        f"{relation.relation}.{name}": origin
        for relation in dictionary.project.for_readers()
        for name, origin in dictionary.origins(relation).items()
    }
    assert {name for name, origin in found.items() if not origin.made_of | origin.decided_by} == WRITTEN_OUT


def test_lineage_has_the_columns_that_each_model_promises(dictionary: Dictionary) -> None:
    found = {one.relation: list(dictionary.origins(one)) for one in dictionary.project.for_readers()}
    assert found == {one.relation: list(one.columns) for one in dictionary.project.for_readers()}


@pytest.mark.parametrize(
    ("relation", "column", "sent"),
    [
        ("mart.fct_measurement", "value", {"indicator.value"}),
        ("mart.fct_measurement", "value_flag", {"indicator.value"}),
        ("mart.fct_outcome", "value", {"indicator.value", "indicator.numerator", "indicator.denominator"}),
        ("mart.fct_outcome", "area_code", {"indicator.area_code"}),
        ("mart.fct_budget_line", "period_key", {"budget_outturn.financial_year"}),
        ("mart.fct_budget_line", "variance_computed_gbp", {"budget_outturn.budget_gbp", "budget_outturn.outturn_gbp"}),
        ("mart.fct_priority", "award_year_gbp", {"community_fund_awards.awarded_gbp"}),
        ("mart.fct_action_status", "is_carried_forward", {"reducing_offending_action_plan.term_printed"}),
        ("mart.fct_recorded_crime", "lsoa_code", {"street_crime.lsoa_code"}),
        ("history.fct_recorded_offence", "offence_count", {"home_office_recorded_crime.offences"}),
        ("mart.fct_youth_disposal", "female_count", {"yjb_disposals.female"}),
        ("mart.fct_return", "due_on", set()),
    ],
)
def test_a_known_column_leads_to_the_contract(
    dictionary: Dictionary, relation: str, column: str, sent: set[str]
) -> None:
    origin = dictionary.origins(dictionary.project.named(relation))[column]
    found = contract_columns(origin.made_of, dictionary.forms)
    assert found == {ContractColumn(*name.split(".")) for name in sent}


def test_every_column_of_a_register_form_reaches_readers(dictionary: Dictionary) -> None:
    leaves = {
        leaf
        for relation in dictionary.project.for_readers()
        for origin in dictionary.origins(relation).values()
        for leaf in origin.made_of | origin.decided_by
    }
    registers = [form for form in dictionary.forms.values() if not form.is_indicator]
    sent = {ContractColumn(form.name, column.name) for form in registers for column in form.contract.columns}
    unread = sent - contract_columns(leaves, dictionary.forms)
    assert {f"{one.form}.{one.column}" for one in unread} == NOT_SHOWN


def test_every_number_that_readers_see_has_a_unit(dictionary: Dictionary) -> None:
    without = [
        f"{relation.relation}.{column.name}"
        for relation in dictionary.project.for_readers()
        for column in relation.columns.values()
        if is_number(column) and not unit_of(column, dictionary.origins(relation)[column.name], dictionary.forms)
    ]
    assert without == []


def asked_for(patterns: list[str], relations: set[str]) -> set[str]:
    """Return the relations that readers may read and that the text of some files of the project names."""
    paths = [path for pattern in patterns for path in sorted(SETTINGS.project.glob(pattern))]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert texts, f"no file of the project is called {patterns}"
    named = re.compile(rf"\b(?:{'|'.join(READ)})\.\w+")
    return {name for text in texts for name in named.findall(text)} & relations


def test_every_exposure_reads_what_its_queries_ask_for(dictionary: Dictionary) -> None:
    project = dictionary.project
    relations = {one.relation for one in project.for_readers()}
    metas = {one["name"]: one["config"]["meta"] for one in yaml.safe_load(EXPOSURES.read_text())["exposures"]}
    files = {name: meta["asks"] for name, meta in metas.items() if "dashboard" not in meta}  # see test_superset.py
    told = {
        one.name: {project.relations[name].relation for name in one.reads}
        for one in project.exposures
        if one.name in files
    }
    assert told == {name: asked_for(patterns, relations) for name, patterns in files.items()}


def test_every_exposure_has_an_owner_and_says_what_it_is(dictionary: Dictionary) -> None:
    assert dictionary.project.exposures
    assert [one.name for one in dictionary.project.exposures if not (one.owner and one.description)] == []


def test_links_of_the_pages_lead_somewhere() -> None:
    for path in FOLDER.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        for target, anchor in set(re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text)):
            there = (FOLDER / target).resolve() if target else path
            assert there.is_file(), f"{path.name}: {target}"
            assert not anchor or anchor in anchors(there), f"{path.name}: {target}#{anchor}"


def anchors(path: Path) -> set[str]:
    """Return the anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
