"""The demonstration returns are what the script makes, and read as demo/expected.csv says."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from quarterday.contracts import Form, load_forms
from quarterday.errors import ReturnRejected
from quarterday.identifying import Identity, identify
from quarterday.reading import Line, read_return

PROJECT = Path(__file__).parents[2]
DEMO = PROJECT / "demo"
EXPECTED = list(csv.DictReader((DEMO / "expected.csv").open(encoding="utf-8", newline="")))
READABLE = [row for row in EXPECTED if row["line_count"]]


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    """Every form of the project."""
    return load_forms(PROJECT / "returns")


def maker() -> ModuleType:
    """Load demo/make_returns.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("make_returns", DEMO / "make_returns.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def path_of(row: Mapping[str, str]) -> Path:
    """Return where a listed file stands."""
    return DEMO / "returns" / row["partner_code"] / row["file"]


def name_of(row: Mapping[str, str]) -> str:
    """Return a row's file name, to name the test by."""
    return row["file"]


def identity_of(name: str, forms: Mapping[str, Form]) -> tuple[Path, Identity]:
    """Return a listed file's path and what it is identified as."""
    row = next(row for row in EXPECTED if row["file"] == name)
    return path_of(row), identify(path_of(row), row["partner_code"], forms)


def lines_of(name: str, forms: Mapping[str, Form]) -> list[Line]:
    """Return the lines of a listed file."""
    path, identity = identity_of(name, forms)
    return list(read_return(path, forms[identity.form], identity))


def rejection_of(name: str, forms: Mapping[str, Form]) -> ReturnRejected:
    """Return why a listed file is refused while it is identified or read."""
    with pytest.raises(ReturnRejected) as caught:
        lines_of(name, forms)
    return caught.value


def test_making_the_returns_again_gives_the_same_bytes(tmp_path: Path) -> None:
    made = {path.relative_to(tmp_path): path.read_bytes() for path in maker().write_returns(tmp_path)}
    kept = {path_of(row).relative_to(DEMO / "returns"): path_of(row).read_bytes() for row in EXPECTED}
    assert made == kept


def test_every_file_below_returns_is_listed_once() -> None:
    listed = [path_of(row) for row in EXPECTED]
    kept = [path for path in (DEMO / "returns").rglob("*") if path.is_file()]
    assert sorted(listed) == sorted(kept)


@pytest.mark.parametrize("row", EXPECTED, ids=name_of)
def test_a_file_is_identified_as_listed(row: dict[str, str], forms: dict[str, Form]) -> None:
    identity = identify(path_of(row), row["partner_code"], forms)
    assert (identity.form, identity.partner_code) == (row["form"], row["partner_code"])
    assert (identity.reporting_quarter, str(identity.issued_on)) == (row["reporting_quarter"], row["issued_on"])


@pytest.mark.parametrize("row", READABLE, ids=name_of)
def test_a_file_reads_to_the_listed_number_of_lines(row: dict[str, str], forms: dict[str, Form]) -> None:
    identity = identify(path_of(row), row["partner_code"], forms)
    assert len(list(read_return(path_of(row), forms[row["form"]], identity))) == int(row["line_count"])


def test_unknown_heading_is_named_with_its_line_and_the_headings_of_the_form(forms: dict[str, Form]) -> None:
    findings = rejection_of("rj-hub_2017-18-Q4.csv", forms).findings
    assert {finding.check_id for finding in findings} == {"RJH-002"}
    (unknown,) = [finding for finding in findings if finding.found]
    assert (unknown.line, unknown.column, unknown.found) == (1, "Refs rec'd", "Refs rec'd")
    assert "'Count'" in unknown.expected


def test_wrong_quarter_inside_is_named_with_its_sheet_and_line(forms: dict[str, Form]) -> None:
    (finding,) = rejection_of("victim-gateway-2020-21-Q2.xlsx", forms).findings
    assert (finding.check_id, finding.sheet, finding.line) == ("VGW-003", "Q2 2020-21", 3)
    assert finding.found == "2020/21 Q1"


def test_text_in_a_count_is_kept_as_sent_with_its_place(forms: dict[str, Form]) -> None:
    line = lines_of("Business Crime Advisor 2020-21 Q2.csv", forms)[0]
    assert (line.line_number, line.column_name, line.cells["value"]) == (5, "Figure", "to follow")


def test_copy_has_the_bytes_of_the_file_it_copies() -> None:
    folder = DEMO / "returns" / "citizens_advice"
    copy = folder / "victim-gateway-2020-21-Q1 (copy).xlsx"
    assert copy.read_bytes() == (folder / "victim-gateway-2020-21-Q1.xlsx").read_bytes()


def test_units_in_contracts_are_those_of_the_measure_list() -> None:
    seed = csv.DictReader((PROJECT / "dbt_project" / "seeds" / "measures.csv").open(encoding="utf-8", newline=""))
    listed = {row["measure_code"]: (row["unit"], row["unit_of_count"]) for row in seed}
    written = {code: (said["unit"], said["unitOfCount"]) for code, said in measures_of_contracts().items()}
    assert len(written) > 20
    assert written == {code: listed[code] for code in written}


def measures_of_contracts() -> dict[str, dict[str, str]]:
    """Return what the contracts say of each measure, by its code."""
    contracts = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in PROJECT.glob("returns/*/contract.odcs.yaml")
    ]
    columns = [column for contract in contracts for column in contract["schema"][0]["properties"]]
    said = [item for column in columns for item in column.get("customProperties", ()) if item["property"] == "measures"]
    return {code: text for item in said for code, text in item["value"].items()}
