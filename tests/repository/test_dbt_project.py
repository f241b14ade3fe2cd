"""The dbt project's own habits: grain first, contracts and grain tests on what others read, no table to rebuild."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from quarterday import generating
from quarterday.contracts import load_forms

PROJECT = Path(__file__).parents[2]
MODELS = PROJECT / "dbt_project" / "models"
SQL = sorted(MODELS.rglob("*.sql"))
READ_BY_OTHERS = [path for path in SQL if path.relative_to(MODELS).parts[0] in ("core", "marts", "history")]
REMAKE = "make forms"


@functools.cache
def described() -> dict[str, dict[str, Any]]:
    """Return every model's entry in the YAML files, by name."""
    files = (yaml.safe_load(path.read_text()) for path in MODELS.rglob("*.yml"))
    return {model["name"]: model for file in files for model in file.get("models", [])}


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_model_says_its_grain_first_and_ends_plainly(path: Path) -> None:
    lines = path.read_text().rstrip().splitlines()
    assert lines[0].startswith("-- Grain: one row")
    assert lines[-1] == "select * from final"


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_model_uses_no_alias_of_one_letter(path: Path) -> None:
    statements = re.sub(r"--.*", "", path.read_text())
    assert re.findall(r"\bas [a-z]\b|\b(?:from|join) [a-z_.]+ [a-z]\b", statements) == []


@pytest.mark.parametrize("path", READ_BY_OTHERS, ids=lambda path: path.stem)
def test_model_that_others_read_has_every_column_typed_and_described_and_its_grain_tested(path: Path) -> None:
    model = described()[path.stem]
    assert model["description"].startswith("Grain: one row")
    assert all(column["data_type"] and column["description"] for column in model["columns"])
    assert any("unique_combination" in test for test in model["data_tests"])


@pytest.mark.parametrize("path", sorted((MODELS / "core" / "current").glob("*.sql")), ids=lambda path: path.stem)
def test_what_is_kept_as_published_says_of_its_columns_what_its_fact_says(path: Path) -> None:
    kept, fact = (
        {column["name"]: (column["data_type"], column["description"]) for column in described()[name]["columns"]}
        for name in (path.stem, path.stem.removesuffix("_current"))
    )
    assert {name: said for name, said in kept.items() if fact.get(name, said) != said} == {}


def test_contracts_are_enforced_and_nothing_is_rebuilt() -> None:
    models = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text())["models"]["quarterday"]
    assert all(models[layer]["+contract"]["enforced"] for layer in ("core", "marts", "history"))
    assert models["core"]["+full_refresh"] is False
    assert not [path.stem for path in SQL if "materialized='table'" in path.read_text()]


def test_sources_are_what_the_contracts_say() -> None:
    written = (MODELS / "typed.yml").read_text().split("\n", 1)[1]
    assert written == generating.dbt_sources(load_forms(PROJECT / "returns")), f"make it again: {REMAKE}"
