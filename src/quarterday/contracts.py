"""A form's contract: who sends it, when it is due, and what every column means.

Contracts are Open Data Contract Standard 3.1; what we use of it is in docs/how-to/add-a-form.md. They are read
without the standard's own package, which takes a second to import: a test holds every contract against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from quarterday.corrections import (
    CORRECTIONS_FILE,
    INDICATOR_COLUMNS,
    INDICATOR_KEYS,
    CorrectableColumns,
    Correction,
    load_corrections,
)
from quarterday.errors import OperatorError
from quarterday.layouts import INDICATOR_FIELDS, Layout, load_layout
from quarterday.openplaces import refuse_open_places

FAMILIES = ("indicator", "register")
CADENCES = ("financial_quarter", "financial_year", "season", "as_at", "irregular")
LOGICAL_TYPES = ("string", "integer", "number", "date", "boolean")
ACTIONS = ("reject_return", "quarantine_line", "flag")
CONTRACT_FILE = "contract.odcs.yaml"
# The block of the columns, which is most of a contract: up to the next key at the beginning of a line.
SCHEMA = re.compile(r"^schema:[^\n]*\n(?:(?![A-Za-z])[^\n]*\n)*", re.MULTILINE)
LAYOUT_FILE = "layout.yml"
KEPT_FORMS = 200

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Column:
    """One column of a form, as its contract says it.

    ``key_position`` is 1, 2, ... for columns of the key; ``scale`` multiplies a sent number (1000 for thousands);
    ``severity`` and ``action`` are those of a line that breaks the column's rules; ``measures`` says of each
    measure of an indicator form its unit, unit of count and meaning.
    """

    name: str
    business_name: str
    logical_type: str
    required: bool = False
    unique: bool = False
    key_position: int | None = None
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    allowed_values: tuple[str, ...] = ()
    unit: str | None = None
    unit_of_count: str | None = None
    personal: bool = False
    scale: int = 1
    severity: str = "critical"
    action: str = "quarantine_line"
    measures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """One form's contract.

    ``quarantine_limit`` is a share of the lines, 0 to 1; the dates are the first and last day a return is owed.
    ``contacts`` are the addresses of the team's owners. A return is reminded of so many working days before it is due,
    and called overdue to those who can act on it so many after.
    """

    form: str
    version: str
    description: str
    family: str
    check_prefix: str
    partners: tuple[str, ...]
    cadence: str
    due_working_days: int
    lag_quarters: int
    contract_start: date | None
    contract_end: date | None
    quarantine_limit: float
    priorities: tuple[str, ...]
    grain: str
    columns: tuple[Column, ...]
    quality: tuple[Mapping[str, Any], ...] = ()
    contacts: tuple[str, ...] = ()
    reminder_working_days: int = 5
    escalation_working_days: int = 10

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that together tell one line from another."""
        keyed = [column for column in self.columns if column.key_position is not None]
        return tuple(column.name for column in sorted(keyed, key=lambda column: column.key_position or 0))

    def column(self, name: str) -> Column | None:
        """Return a column by its name; None where the contract has none of that name."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Form:
    """A form: its contract, its layout, its folder, and what is known to be wrong in its returns."""

    contract: Contract
    layout: Layout
    folder: Path
    corrections: tuple[Correction, ...] = ()

    @property
    def name(self) -> str:
        """The form's code."""
        return self.contract.form

    @property
    def is_indicator(self) -> bool:
        """Whether every line is one number, in the shape that all indicator forms share."""
        return self.contract.family == "indicator"


def load_forms(returns_folder: Path) -> dict[str, Form]:
    """Read every form of the folder, by its code, in order.

    Raises:
        OperatorError: A contract or a layout is missing or wrong, or two forms share a check prefix.
    """
    folders = sorted(path.parent for path in Path(returns_folder).glob(f"*/{CONTRACT_FILE}"))
    forms = [load_form(folder) for folder in folders]
    prefixes: dict[str, str] = {}
    for form in forms:
        other = prefixes.setdefault(form.contract.check_prefix, form.name)
        if other != form.name:
            raise OperatorError(
                f"{form.folder / CONTRACT_FILE}: checkPrefix {form.contract.check_prefix} belongs to {other}. "
                "Choose another."
            )
    return {form.name: form for form in forms}


def load_form(folder: Path) -> Form:
    """Read one form's folder.

    Raises:
        OperatorError: The contract or the layout is missing, or one of its files is wrong.
    """
    return _form(folder, tuple(_content(folder / name) for name in (CONTRACT_FILE, LAYOUT_FILE, CORRECTIONS_FILE)))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


# A process asks for the forms again and again; to read the bytes of all is a twentieth of what it takes to parse them.
@lru_cache(maxsize=KEPT_FORMS)
def _form(folder: Path, _: tuple[bytes | None, ...]) -> Form:
    """Read one form's folder, once for as long as its files hold the same."""
    contract = load_contract(folder)
    is_indicator = contract.family == "indicator"
    fields = INDICATOR_FIELDS if is_indicator else tuple(column.name for column in contract.columns)
    layout = load_layout(folder / LAYOUT_FILE, fields, is_indicator=is_indicator)
    corrections = load_corrections(folder, contract.check_prefix, _correctable(contract))
    return Form(contract, layout, folder, corrections)


def load_terms(returns_folder: Path) -> dict[str, Contract]:
    """Read every contract of the folder, by its form, without its columns: who sends what when, in a fifth of the time.

    Raises:
        OperatorError: A contract is wrong; the message names the file and the key.
    """
    folders = sorted(path.parent for path in returns_folder.glob(f"*/{CONTRACT_FILE}"))
    return {folder.name: load_contract(folder, with_columns=False) for folder in folders}


def _correctable(contract: Contract) -> CorrectableColumns:
    headings = {column.name: column.business_name for column in contract.columns}
    personal = {column.name for column in contract.columns if column.personal}
    if contract.family == "indicator":
        named = {name: headings.get(name, name.replace("_", " ").capitalize()) for name in INDICATOR_COLUMNS}
        return CorrectableColumns(named, INDICATOR_KEYS, personal)
    return CorrectableColumns(headings, tuple(headings), personal)


def load_contract(folder: Path, with_columns: bool = True) -> Contract:
    """Read a form's contract; without columns only what stands outside its schema.

    Raises:
        OperatorError: The file is missing, is no YAML, or lacks or misuses a key; the message names the file and the
        key.
    """
    path = Path(folder) / CONTRACT_FILE
    raw = _read(path, None if with_columns else SCHEMA)
    try:
        contract = _contract(raw)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise OperatorError(f"{path}: {reason}. See docs/how-to/add-a-form.md.") from error
    if contract.form != path.parent.name:
        raise OperatorError(
            f"{path}: the contract's name is '{contract.form}' but its folder is '{path.parent.name}'. They must agree."
        )
    return contract


def _read(path: Path, left_out: re.Pattern[str] | None = None) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        text = left_out.sub("schema: [{properties: []}]\n", text) if left_out else text
        raw = yaml.load(text, _LOADER)
    except FileNotFoundError:
        raise OperatorError(f"{path}: a form needs a contract. See docs/how-to/add-a-form.md.") from None
    except yaml.YAMLError as error:
        raise OperatorError(f"{path}: not YAML: {error}") from None
    refuse_open_places(path, text)
    if not isinstance(raw, dict):
        raise OperatorError(f"{path}: expected a mapping of keys, found {type(raw).__name__}.")
    return raw


def _custom(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in raw.get("customProperties") or []}


def _contract(raw: dict[str, Any]) -> Contract:
    custom, table = _custom(raw), raw["schema"][0]
    return Contract(
        form=raw["name"],
        version=str(raw["version"]),
        description=(raw.get("description") or {}).get("purpose", ""),
        family=_one_of(custom["family"], FAMILIES, "family"),
        check_prefix=custom["checkPrefix"],
        partners=tuple(custom["partners"]),
        cadence=_one_of(custom["cadence"], CADENCES, "cadence"),
        due_working_days=int(custom["dueWorkingDays"]),
        lag_quarters=int(custom.get("lagQuarters", 0)),
        contract_start=_day(custom["contractStart"]) if custom.get("contractStart") else None,
        contract_end=_day(custom["contractEnd"]) if custom.get("contractEnd") else None,
        quarantine_limit=float(custom.get("quarantineLimit", 0)),
        priorities=tuple(custom.get("priorities") or ()),
        grain=table.get("description", ""),
        columns=tuple(_column(item) for item in table["properties"]),
        quality=tuple(table.get("quality") or ()),
        contacts=tuple(one["username"] for one in (raw.get("team") or {}).get("members", ()) if one["role"] == "owner"),
        reminder_working_days=int(custom.get("reminderWorkingDays", 5)),
        escalation_working_days=int(custom.get("escalationWorkingDays", 10)),
    )


def _column(raw: dict[str, Any]) -> Column:
    options, custom = raw.get("logicalTypeOptions") or {}, _custom(raw)
    rules = [rule for rule in raw.get("quality") or () if rule.get("metric") == "invalidValues"]
    rule: dict[str, Any] = rules[0] if rules else {}
    return Column(
        name=raw["name"],
        business_name=raw.get("businessName") or raw["name"],
        logical_type=_one_of(raw["logicalType"], LOGICAL_TYPES, f"logicalType of {raw['name']}"),
        required=bool(raw.get("required", False)),
        unique=bool(raw.get("unique", False)),
        key_position=raw.get("primaryKeyPosition") if raw.get("primaryKey") else None,
        description=raw.get("description", ""),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        pattern=options.get("pattern"),
        allowed_values=tuple(str(value) for value in (rule.get("arguments") or {}).get("validValues", ())),
        unit=custom.get("unit"),
        unit_of_count=custom.get("unitOfCount"),
        personal=bool(custom.get("personal", False)),
        scale=int(custom.get("scale", 1)),
        severity=rule.get("severity") or custom.get("severity", "critical"),
        action=_one_of(custom.get("action", "quarantine_line"), ACTIONS, f"action of {raw['name']}"),
        measures=custom.get("measures") or {},
    )


def _one_of(value: str, allowed: tuple[str, ...], key: str) -> str:
    if value not in allowed:
        raise ValueError(f"{key} is '{value}', expected one of {', '.join(allowed)}")
    return value


def _day(value: str | date) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)
