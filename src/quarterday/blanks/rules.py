"""What may be written into a cell of a blank form, from the contract: kind, bounds, choices, and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quarterday.contracts import Column

UNIT_WORDS = {
    "gbp": "pounds", "percent": "percent, from 0 to 100", "count": "number", "rate_per_100000": "rate per 100,000",
    "full_time_equivalents": "full-time equivalents", "rate_per_1000": "rate per 1,000",
    "gbp_per_person_per_day": "pounds for each person and day",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """What a cell takes. ``kind`` is whole, decimal, date, list or text; ``marks`` are taken in place of a value."""

    title: str
    kind: str
    message: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """What the contract or the measure list says of a measure."""

    unit: str | None = None
    unit_of_count: str | None = None
    meaning: str | None = None


def rule_of(column: Column, heading: str, choices: tuple[str, ...], marks: tuple[str, ...]) -> Rule:
    """Return the rule of a contract's column under a heading of the form."""
    kinds = {"integer": "whole", "number": "decimal", "date": "date", "boolean": "list", "string": "text"}
    kind = "list" if choices else kinds[column.logical_type]
    if column.logical_type == "boolean":
        choices = ("Yes", "No")
    unit = _unit(Measure(column.unit, column.unit_of_count), column.scale)
    rule = Rule(heading, kind, "", choices=choices, required=column.required, marks=marks)
    if kind in ("whole", "decimal"):
        rule = replace(rule, minimum=_scaled(column.minimum, column), maximum=_scaled(column.maximum, column))
        if rule.minimum is None and column.unit == "count":
            rule = replace(rule, minimum=0)
    return _told(rule, column.description, unit)


def value_rule(column: Column, measure: Measure, code: str, heading: str, marks: tuple[str, ...]) -> Rule:
    """Return the rule of a figure, by what its measure counts: people are whole numbers, shares go to 100."""
    # A monthly mean and a rate count something, too, but are no whole numbers.
    is_whole = measure.unit == "count" and "_per_" not in code and "rate" not in code
    minimum = _scaled(column.minimum, column)
    maximum = _scaled(column.maximum, column)
    if measure.unit == "percent":
        maximum = 100 if maximum is None else min(maximum, 100)
    if minimum is None and measure.unit in ("count", "percent"):
        minimum = 0
    rule = Rule(heading, "whole" if is_whole else "decimal", "", minimum, maximum, (), column.required, marks)
    return _told(rule, measure.meaning or column.description, _unit(measure, column.scale))


def _scaled(bound: float | None, column: Column) -> float | None:
    return None if bound is None else bound / column.scale


def _unit(measure: Measure, scale: int) -> str:
    if measure.unit == "count" and measure.unit_of_count:
        words = f"number of {measure.unit_of_count}"
    else:
        words = UNIT_WORDS.get(measure.unit or "", (measure.unit or "").replace("_", " "))
    return f"{words}, in thousands" if words and scale == 1000 else words


def _told(rule: Rule, meaning: str, unit: str) -> Rule:
    parts = [meaning.rstrip(".")] if meaning else []
    parts += [f"Unit: {unit}"] if unit else []
    parts += ["Required" if rule.required else "May be left blank"]
    parts += [f"Or one of: {', '.join(rule.marks)}"] if rule.marks and rule.kind in ("whole", "decimal", "date") else []
    return replace(rule, message=". ".join(parts) + ".")


def measures_of(raw_contract: Mapping[str, object], seed: Mapping[str, Mapping[str, str]]) -> dict[str, Measure]:
    """Return what is known of each measure: from the contract's own list, else from the measure seed."""
    found = {code: Measure(row["unit"], row["unit_of_count"], row["measure_name"]) for code, row in seed.items()}
    schema = raw_contract.get("schema") or [{}]
    for column in schema[0].get("properties", ()):  # type: ignore[index]
        for item in column.get("customProperties") or ():
            if item["property"] == "measures":
                found |= {
                    code: Measure(said.get("unit"), said.get("unitOfCount"), said.get("meaning"))
                    for code, said in item["value"].items()
                }
    return found
