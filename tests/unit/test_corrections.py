"""Corrections: what a file of them may say, and what is said of a wrong one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from quarterday.contracts import load_forms
from quarterday.corrections import CorrectableColumns, Correction, load_corrections
from quarterday.errors import OperatorError

RETURNS = Path(__file__).parents[2] / "returns"
COLUMNS = CorrectableColumns({"station": "Station", "visitor": "Visitor"}, ("station", "visit_number"), {"visitor"})
WHERE = {"partner": "icv_scheme", "quarter": "2017-18-Q3", "line": 3}
ENTRY = {
    "id": "VIS-C01",
    "where": WHERE,
    "column": "station",
    "expect": "Leek",
    "value": "Burton",
    "reason": "Leek has no cells.",
    "source": "The rota.",
    "date": "2018-02-01",
    "asked": "The scheme's manager, who agreed.",
}
SHA256 = "ab" * 32


def write(folder: Path, *entries: dict[str, Any], **top: Any) -> Path:
    place = folder / "visits"
    place.mkdir(exist_ok=True)
    text = yaml.safe_dump({"form": "visits", "corrections": list(entries)} | top)
    (place / "corrections.yml").write_text(text, encoding="utf-8")
    return place


def read(folder: Path, **changes: Any) -> Correction:
    (correction,) = load_corrections(write(folder, ENTRY | changes), "VIS", COLUMNS)
    return correction


def test_form_without_a_file_has_no_corrections(tmp_path: Path) -> None:
    assert load_corrections(tmp_path, "VIS", COLUMNS) == ()


def test_correction_is_read_whole(tmp_path: Path) -> None:
    correction = read(tmp_path, expect=None, where=WHERE | {"key": {"visit_number": 7}, "issued": "2018-01-20"})
    assert (correction.column, correction.heading, correction.expect, correction.value) == (
        "station", "Station", None, "Burton",
    )  # fmt: skip
    assert (correction.line, correction.key, correction.decided_on) == (3, {"visit_number": "7"}, date(2018, 2, 1))


@pytest.mark.parametrize(
    ("where", "concerns"),
    [
        ({"quarter": "2017-18-Q3"}, True),
        ({"quarter": "2017-18-Q4"}, False),
        ({"from_quarter": "2017-18-Q1"}, True),
        ({"from_quarter": "2017-18-Q4"}, False),
        ({"from_quarter": "2017-18-Q1", "to_quarter": "2017-18-Q2"}, False),
        ({"quarter": "2017-18-Q3", "issued": "2018-01-20"}, True),
        ({"quarter": "2017-18-Q3", "issued": "2018-01-21"}, False),
        ({"quarter": "2017-18-Q3", "partner": "rj_hub"}, False),
    ],
)
def test_correction_concerns_the_returns_that_it_names(where: dict[str, str], concerns: bool, tmp_path: Path) -> None:
    correction = read(tmp_path, where={"partner": "icv_scheme", "line": 3} | where)
    assert correction.concerns(SHA256, "icv_scheme", "2017-18-Q3", date(2018, 1, 20)) is concerns


def test_correction_of_a_file_concerns_its_bytes_alone(tmp_path: Path) -> None:
    correction = read(tmp_path, where={"file": SHA256, "line": 3})
    assert correction.concerns(SHA256, "anybody", "2017-18-Q3", date(2018, 1, 20))
    assert not correction.concerns("cd" * 32, "icv_scheme", "2017-18-Q3", date(2018, 1, 20))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "VIS-101"}, "the id must be VIS-C and a number"),
        ({"column": "place"}, "column is 'place', expected one of station, visitor"),
        ({"column": "visitor"}, "the column is personal"),
        ({"expect": 170.057}, "170.057 must be text in quotation marks"),
        ({"value": True}, "True must be text"),
        ({"value": "Leek"}, "there is nothing to correct"),
        ({"reason": " "}, "reason must say something"),
        ({"date": "soon"}, "soon"),
        ({"note": "x"}, "unknown key 'note'"),
        ({"where": {"partner": "icv_scheme", "line": 3}}, "or the partner and its quarter"),
        ({"where": WHERE | {"from_quarter": "2017-18-Q1"}}, "give quarter, or from_quarter"),
        ({"where": {"file": SHA256, "partner": "x", "line": 3}}, "partner has no place beside it"),
        ({"where": {"file": "abc", "line": 3}}, "must be a SHA-256"),
        ({"where": {"file": SHA256}}, "where must name the line"),
        ({"where": WHERE | {"key": {"report": "R1"}}}, "key has 'report'"),
        ({"where": "everywhere"}, "expected a mapping"),
    ],
)
def test_wrong_correction_is_refused_with_file_and_number(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="corrections.yml") as caught:
        read(tmp_path, **changes)
    assert said in str(caught.value)


@pytest.mark.parametrize("key", sorted(ENTRY))
def test_correction_without_a_key_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=f"'{key}' is missing"):
        load_corrections(write(tmp_path, {name: ENTRY[name] for name in ENTRY if name != key}), "VIS", COLUMNS)


def test_number_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="VIS-C01 stands twice"):
        load_corrections(write(tmp_path, ENTRY, ENTRY), "VIS", COLUMNS)


def test_file_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="expected 'form: visits'"):
        load_corrections(write(tmp_path, ENTRY, form="calls"), "VIS", COLUMNS)


def test_every_correction_of_the_project_is_of_a_partner_of_its_form() -> None:
    for form in load_forms(RETURNS).values():
        for correction in form.corrections:
            assert correction.file_sha256 or correction.partner_code in form.contract.partners
