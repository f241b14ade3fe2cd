"""Known errors in what a partner sent: ``returns/<form>/corrections.yml``, read and checked.

What was sent stays as sent in landing. A correction is applied when a load is judged: the typed view then gives the
corrected text, typed, flags the cell as ``corrected``, and the ledger says what was changed and why
(:mod:`quarterday.checking.correcting`). A load that is judged already never changes by a correction.

.. code-block:: yaml

    form: reducing_offending_action_plan
    corrections:
      - id: ROA-C01                # the form's prefix, C and a number; never used again for another correction
        where:                     # which returns: 'file' alone, or 'partner' and quarters
          file: 9f86d08...         # SHA-256 of the file
          partner: citizens_advice
          quarter: 2017-18-Q3      # or from_quarter and, if it ends, to_quarter
          issued: 2018-01-26       # only the return issued on that day; left out: any
          sheet: Q3                # which line, of these what is needed to name one:
          line: 48                 # row of the sheet or line of the file
          key: {action_number: 48} # landing columns and their text as sent
        column: term_printed       # a column of the contract; of an indicator form value, numerator, denominator ...
        expect: G                  # the text as sent; null for a blank cell
        value: M                   # the text that it should have been, as the partner would have sent it
        reason: Why it is wrong, and why the value is right.
        source: Where that can be seen.
        date: 2018-04-24           # when it was decided
        asked: Who was asked, and what they said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from quarterday.calendar import FinancialQuarter
from quarterday.errors import OperatorError

CORRECTIONS_FILE = "corrections.yml"
INDICATOR_COLUMNS = ("value", "numerator", "denominator", "status", "declared_rag")
INDICATOR_KEYS = (
    *("measure_code", "breakdown_code", "area_code", "period_label", "period_type", "period_start", "period_end"),
    *("status", "column_name"),
)
KEYS = {"id", "where", "column", "expect", "value", "reason", "source", "date", "asked"}
WHERE = {"file", "partner", "quarter", "from_quarter", "to_quarter", "issued", "sheet", "line", "key"}


@dataclass(frozen=True)
class Correction:
    """One known error. ``key`` holds landing columns and their text as sent; blank texts are None."""

    correction_id: str
    column: str
    heading: str
    expect: str | None
    value: str | None
    reason: str
    source: str
    decided_on: date
    asked: str
    file_sha256: str | None = None
    partner_code: str | None = None
    from_quarter: FinancialQuarter | None = None
    to_quarter: FinancialQuarter | None = None
    issued_on: date | None = None
    sheet: str | None = None
    line: int | None = None
    key: Mapping[str, str] = field(default_factory=dict)

    def concerns(self, file_sha256: str, partner_code: str, quarter: str, issued_on: date) -> bool:
        """Return whether a return is one in which the error stands, or should."""
        if self.file_sha256:
            return self.file_sha256 == file_sha256
        reported = FinancialQuarter.parse(quarter)
        return (
            self.partner_code == partner_code
            and self.issued_on in (None, issued_on)
            and (self.from_quarter is None or self.from_quarter <= reported)
            and (self.to_quarter is None or reported <= self.to_quarter)
        )


@dataclass(frozen=True)
class CorrectableColumns:
    """What a form's corrections may name: columns with their headings, those of a key, and those that are personal."""

    headings: Mapping[str, str]
    keys: Collection[str]
    personal: Collection[str]


def load_corrections(folder: Path, prefix: str, columns: CorrectableColumns) -> tuple[Correction, ...]:
    """Read a form's corrections; none where there is no file.

    Args:
        folder: The form's folder.
        prefix: The form's check prefix, with which every id begins.
        columns: What they may be about.

    Raises:
        OperatorError: The file is no YAML, or a key is unknown, missing or wrong; the message names the correction.
    """
    path = folder / CORRECTIONS_FILE
    if not path.exists():
        return ()
    corrections = tuple(_Reading(path, prefix, columns).correction(entry) for entry in _entries(path))
    ids = [correction.correction_id for correction in corrections]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise OperatorError(f"{path}: {twice[0]} stands twice. Give the later correction a number of its own.")
    return corrections


def _entries(path: Path) -> list[Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise OperatorError(f"{path}: not YAML: {error}") from None
    is_right = isinstance(content, dict) and set(content) == {"form", "corrections"}
    if not is_right or not isinstance(content["corrections"], list) or content["form"] != path.parent.name:
        raise OperatorError(f"{path}: expected 'form: {path.parent.name}' and 'corrections', a list.")
    return content["corrections"]


class _Reading:
    """Reads one file's corrections; knows what to say of a wrong one."""

    def __init__(self, path: Path, prefix: str, columns: CorrectableColumns) -> None:
        self.path, self.prefix, self.columns = path, prefix, columns

    def correction(self, entry: Any) -> Correction:
        name = entry.get("id", "a correction without id") if isinstance(entry, dict) else str(entry)
        try:
            return self.read(entry)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise OperatorError(f"{self.path}, {name}: {reason}. See docs/how-to/correct-a-return.md.") from None

    def read(self, entry: dict[str, Any]) -> Correction:
        _refuse_unknown(entry, KEYS)
        where = entry["where"]
        _refuse_unknown(where, WHERE)
        self.refuse_wrong(entry, where)
        quarter = where.get("quarter")
        return Correction(
            correction_id=entry["id"],
            column=entry["column"],
            heading=self.columns.headings[entry["column"]],
            expect=_cell(entry["expect"]),
            value=_cell(entry["value"]),
            **{key: _words(entry, key) for key in ("reason", "source", "asked")},
            decided_on=_day(entry["date"]),
            file_sha256=where.get("file"),
            partner_code=where.get("partner"),
            from_quarter=_quarter(quarter or where.get("from_quarter")),
            to_quarter=_quarter(quarter or where.get("to_quarter")),
            issued_on=_day(where["issued"]) if "issued" in where else None,
            sheet=where.get("sheet"),
            line=where.get("line"),
            key={name: str(value) for name, value in (where.get("key") or {}).items()},
        )

    def refuse_wrong(self, entry: dict[str, Any], where: dict[str, Any]) -> None:
        if not re.fullmatch(rf"{self.prefix}-C\d+", str(entry["id"])):
            raise ValueError(f"the id must be {self.prefix}-C and a number")
        if entry["column"] not in self.columns.headings:
            raise ValueError(f"column is {entry['column']!r}, expected one of {', '.join(self.columns.headings)}")
        if entry["column"] in self.columns.personal:
            raise ValueError("the column is personal, and what is about a person has no place in a repository")
        if other := set(where.get("key") or {}) - set(self.columns.keys):
            raise ValueError(f"key has {sorted(other)[0]!r}, expected {', '.join(self.columns.keys)}")
        if entry["expect"] == entry["value"]:
            raise ValueError("value is what expect says, so there is nothing to correct")
        _refuse_where(where)


def _refuse_where(where: dict[str, Any]) -> None:
    if "file" in where:
        if not re.fullmatch("[0-9a-f]{64}", str(where["file"])):
            raise ValueError("file must be a SHA-256: 64 figures and letters a to f")
        if beside := set(where) & {"partner", "quarter", "from_quarter", "to_quarter", "issued"}:
            raise ValueError(f"file names one return, so {sorted(beside)[0]} has no place beside it")
    elif "partner" not in where or not where.keys() & {"quarter", "from_quarter"}:
        raise ValueError("where must name the file, or the partner and its quarter or from_quarter")
    if "quarter" in where and where.keys() & {"from_quarter", "to_quarter"}:
        raise ValueError("give quarter, or from_quarter and to_quarter")
    if not where.keys() & {"line", "key"}:
        raise ValueError("where must name the line: by its number, or by a key")


def _refuse_unknown(raw: Any, known: set[str]) -> None:
    if not isinstance(raw, dict):
        raise TypeError(f"expected a mapping, found {raw!r}")
    if unknown := set(raw) - known:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}")


def _cell(value: Any) -> str | None:
    """Return a cell's text; YAML reads 170.057 as a number and yes as true, which would not be as sent."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} must be text in quotation marks, exactly as sent")
    return (value or "").strip() or None


def _words(entry: dict[str, Any], key: str) -> str:
    if not isinstance(entry[key], str) or not entry[key].strip():
        raise ValueError(f"{key} must say something")
    return " ".join(entry[key].split())


def _quarter(text: str | None) -> FinancialQuarter | None:
    return FinancialQuarter.parse(text) if text else None


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
