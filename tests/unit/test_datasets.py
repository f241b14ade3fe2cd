"""docs/datasets.md: a row for each of the 35 datasets, made from the forms as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quarterday.contracts import Form, load_forms
from quarterday.datasets import demo_holdings, read_datasets, write_datasets
from quarterday.errors import OperatorError
from quarterday.settings import load_settings

SETTINGS = load_settings()


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    """Every form of the project."""
    return load_forms(SETTINGS.returns)


def test_the_page_is_what_the_forms_say(forms: dict[str, Form]) -> None:
    written = (SETTINGS.project / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert written == write_datasets(forms, SETTINGS), "docs/datasets.md is not what the forms say: run make forms"


def test_every_dataset_of_the_documents_is_listed_once() -> None:
    assert [dataset.number for dataset in read_datasets(SETTINGS.returns)] == list(range(1, 36))


def test_holdings_are_read_from_the_returns_that_are_admitted(forms: dict[str, Form]) -> None:
    held = demo_holdings(forms, SETTINGS.project / "demo")["proven_reoffending"]
    assert (held.returns, held.first_day, held.last_day) == (1, "2015-10-01", "2018-03-31")


def list_of(tmp_path: Path, text: str) -> Path:
    (tmp_path / "datasets.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_form_that_is_not_there_is_named(tmp_path: Path, forms: dict[str, Form]) -> None:
    text = "dataset_number,dataset_name,supplier,forms,note\n1,Gateway,CAB,victim_gateway gone_form,\n"
    (tmp_path / "returns").mkdir()
    list_of(tmp_path / "returns", text)
    with pytest.raises(OperatorError, match="is called gone_form. Nothing was written"):
        write_datasets(forms, replace(SETTINGS, project=tmp_path))


def test_a_list_without_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="needs the columns dataset_number"):
        read_datasets(list_of(tmp_path, "number,name\n1,Gateway\n"))
