"""Writes the first contract of a form from a sample, in the Open Data Contract Standard."""

from __future__ import annotations

from itertools import chain, combinations, product
from string import ascii_uppercase

from quarterday.sketching.columns import Column, key_of, unit_of
from quarterday.sketching.drafting import HOW_TO_READ, Draft, column_names, figures, other_part
from quarterday.sketching.roles import OPEN_ROLE
from quarterday.sketching.texts import is_mark, is_whole, slug
from quarterday.sketching.yamltext import listed, open_place, scalar
from quarterday.wording import plain

CADENCES = {"financial_quarter": "financial_quarter", "financial_year": "financial_year", "as_at": "as_at"}
INDICATOR_KEY = (
    ("measure_code", "Measure", "What is counted, by the code of the measure list."),
    ("breakdown_code", "Breakdown", "The part of the measure; 'all' is the figure as a whole."),
    ("area_code", "Area", "The area that the figure is about."),
    ("period_start", "Period from", "First day of the period that the figure is about."),
    ("period_end", "Period to", "Last day of the period that the figure is about."),
)
UNITS_OF_COUNT = {
    "gbp": "pounds",
    "hours": "hours",
    "days": "days",
    "weeks": "weeks",
    "seconds": "seconds",
    "minutes": "minutes",
    "years": "years",
}


def contract_text(draft: Draft) -> str:
    """Return the draft of ``contract.odcs.yaml``."""
    columns = _indicator_columns(draft) if draft.family == "indicator" else _register_columns(draft)
    name = draft.known.partners.get(draft.partner or "")
    lines = [
        f"# Drafted from {draft.sample.path.name}. {HOW_TO_READ}",
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: quarterday.{draft.form}",
        f"name: {draft.form}",
        "version: 1.0.0",
        "status: active",
        "description:",
        f"  purpose: {open_place('what the return tells, in one sentence')}",
        "team:",
        f"  name: {scalar(name) if name else open_place('who sends it, by name')}",
        "  members:",
        f"    - username: {open_place('an email address that answers questions about the return')}",
        "      role: owner",
        "schema:",
        f"  - name: {draft.form}",
        "    physicalType: table",
        f"    description: {scalar(_grain(draft))}  # guess",
        "    properties:",
        *(f"      {line}" for line in columns),
        "customProperties:",
        *(f"  {line}" for line in _form_properties(draft)),
    ]
    return "\n".join([*lines, *_seed_comment(draft)]) + "\n"


def seed_lines(draft: Draft) -> list[str]:
    """Return the lines for the measure seed; what can't be known stands in angle brackets."""
    known = set(draft.known.measures.values())
    lines = []
    for label, code in _measures(draft).items():
        if code in known:
            continue
        unit, count = _unit_of(label, draft), "<unit of count>"
        name = f'"{label}"' if "," in label else label
        additive = "<true or false>"
        lines.append(
            f"{code},{name},{unit or '<unit>'},{UNITS_OF_COUNT.get(unit or '', count)},{additive},{additive},"
            f"<higher_is_better, lower_is_better or no_direction>,<sum, pooled_rate or none>,0,<who publishes it>"
        )
    return lines


def check_prefix(form: str, taken: frozenset[str]) -> str:
    """Return three letters of a form's name that no other form has."""
    words = form.upper().split("_")
    letters = "".join(letter for word in words for letter in word if letter.isalpha())
    firsts = "".join(word[0] for word in words if word[0].isalpha())
    consonants = letters[0] + "".join(letter for letter in letters[1:] if letter not in "AEIOU")
    tries = chain(
        [firsts[:3]], combinations(consonants, 3), combinations(letters + "XYZ", 3), product(ascii_uppercase, repeat=3)
    )
    return next(text for one in tries if len(text := "".join(one)) == 3 and text not in taken and text != "QDY")


def _measures(draft: Draft) -> dict[str, str]:
    return draft.measures or {_only_figure(draft) or draft.form.replace("_", " ").capitalize(): draft.form}


def _only_figure(draft: Draft) -> str | None:
    figure = next((column for column in draft.columns if draft.roles.of.get(column.index) == "value"), None)
    words = ("value", "count", "number", "figure", "total")
    return figure.heading if figure and figure.plain not in words else None


def _unit_of(label: str, draft: Draft) -> str | None:
    """Return a measure's unit as its label, its heading or its cells show it; a whole number is a count."""
    cells = [cell for column in figures(draft) for cell in _cells_of(label, column, draft) if not is_mark(cell)]
    headings = {str(column.heading) for column in figures(draft) if label in str(column.heading)}
    unit, _ = unit_of(" ".join([label, *headings]), cells, "number")
    if unit or not cells or "rate" in label.casefold():
        return unit
    return "count" if all(is_whole(cell) for cell in cells) else None


def _cells_of(label: str, column: Column, draft: Draft) -> list[str]:
    """Return the cells of a column of figures that are of one measure: told by the row, by the heading, or all."""
    told_by = next((one for one in draft.columns if draft.roles.of.get(one.index) == "measure"), None)
    if told_by is None:
        is_other = bool(draft.measures) and column.name != label and other_part(column) != label
        return [] if is_other else list(column.values)
    rows = zip(draft.sample.table.cells(told_by.index), draft.sample.table.cells(column.index), strict=True)
    return [cell for name, cell in rows if cell and name and plain(name, False) == plain(label, False)]


def _grain(draft: Draft) -> str:
    if draft.family == "indicator":
        return "Grain: one line per measure, breakdown, area and period."
    key = [column.name.lower() for column in _key(draft)]
    if not key:
        return "Grain: one line per line of the list. Lines may be alike in every column, so there is no key."
    return f"Grain: one line per {key[0] if len(key) == 1 else ', '.join(key[:-1]) + ' and ' + key[-1]}."


def _key(draft: Draft) -> tuple[Column, ...]:
    return key_of(draft.columns, len(draft.sample.table.lines))


def _property(name: str, heading: str, kind: str, required: bool, description: str, position: int | None) -> list[str]:
    lines = [
        f"- name: {scalar(name)}",
        f"  businessName: {scalar(heading)}",
        f"  logicalType: {kind}",
        f"  required: {str(required).lower()}",
    ]
    lines += ["  primaryKey: true", f"  primaryKeyPosition: {position}"] if position else []
    return [*lines, f"  description: {description}"]


def _allowed(codes: list[str]) -> list[str]:
    return [
        "  quality:",
        "    - metric: invalidValues",
        "      arguments:",
        "        validValues:",
        *(f"          - {scalar(code)}" for code in dict.fromkeys(codes)),
        "      mustBe: 0",
        "      severity: critical",
    ]


def _indicator_columns(draft: Draft) -> list[str]:
    allowed = {
        "measure_code": list(_measures(draft).values()),
        "breakdown_code": [*draft.breakdowns.values()] or ["all"],
    }
    lines: list[str] = []
    for position, (name, heading, description) in enumerate(INDICATOR_KEY, start=1):
        kind = "date" if name.startswith("period") else "string"
        heading = _headed(name.removesuffix("_code"), draft) or heading
        lines += _property(name, heading, kind, True, scalar(description), position)
        lines += _allowed(allowed[name]) if name in allowed else []
        lines += _measure_properties(draft) if name == "measure_code" else []
    figures = "The figure; what it counts and in what unit, the measure says."
    lines += _property("value", "Value", "number", True, scalar(figures), None)
    is_negative = any(column.is_negative for column in draft.columns)
    lines += (
        ["  logicalTypeOptions:", "    minimum: 0  # guess: no figure of the sample is below"]
        if not is_negative
        else []
    )
    return lines


def _headed(role: str, draft: Draft) -> str | None:
    """Return the heading of the one column of a role: the word that the partner knows it by."""
    headings = [column.heading for column in draft.columns if draft.roles.of.get(column.index) == role]
    return headings[0] if len(headings) == 1 else None


def _measure_properties(draft: Draft) -> list[str]:
    lines = ["  customProperties:", "    - property: measures", "      value:"]
    for label, code in _measures(draft).items():
        unit = _unit_of(label, draft)
        told = f"{unit}" if unit else open_place("unit, such as count, percent, gbp or hours")
        count = UNITS_OF_COUNT.get(unit or "") or open_place("what is counted, such as people, visits or offences")
        meaning = open_place(f"what '{label}' counts and what not, in one sentence")
        lines += [f"        {code}:", f"          unit: {told}{'  # guess' if unit else ''}"]
        lines += [f"          unitOfCount: {count}", f"          meaning: {meaning}"]
    return lines


def _register_columns(draft: Draft) -> list[str]:
    names = column_names(draft)
    key = [column.index for column in _key(draft)]
    lines: list[str] = []
    for column in draft.columns:
        required = not column.blanks and not column.marks
        position = key.index(column.index) + 1 if column.index in key else None
        wanted = open_place(f"what '{column.name}' means, in one sentence")
        lines += _property(names[column.index], column.name, column.kind, required, wanted, position)
        lines += _seen(column) + _bounds(column) + _custom(column)
    return lines


def _seen(column: Column) -> list[str]:
    """What a sample shows of a list of values is a hint and no rule: the next return may hold one more."""
    if column.kind != "string" or not column.is_few or column.is_period:
        return []
    return [
        f"  # Seen: {listed(sorted(column.distinct))}. To allow only these, add 'quality' as in returns/budget_outturn."
    ]


def _bounds(column: Column) -> list[str]:
    if not column.is_numeric or column.is_negative:
        return []
    return ["  logicalTypeOptions:", "    minimum: 0  # guess: no figure of the sample is below"]


def _custom(column: Column) -> list[str]:
    items: list[tuple[str, str]] = []
    if column.is_numeric:
        unit = column.unit or ("count" if column.kind == "integer" else None)
        guess = f"{unit}  # guess" if unit else open_place("unit, such as count, percent, gbp or degree")
        items.append(("unit", guess))
        if unit == "count":
            items.append(("unitOfCount", open_place("what is counted, such as people, visits or offences")))
    if column.scale != 1:
        items.append(("scale", f"{column.scale}  # guess: the heading says thousands"))
    if column.may_be_personal:
        items.append(("personal", "true  # guess: shown to nobody but the partner"))
    lines = [line for name, value in items for line in (f"    - property: {name}", f"      value: {value}")]
    return ["  customProperties:", *lines] if lines else []


def _form_properties(draft: Draft) -> list[str]:
    kind = draft.period.type if draft.period else None
    cadence = CADENCES.get(kind or "", "irregular")
    partner = scalar(draft.partner) if draft.partner else open_place("the partner’s code, the name of its inbox folder")
    items = (
        ("family", f"{draft.family}"),
        (
            "checkPrefix",
            f"{check_prefix(draft.form, draft.known.prefixes)}  # guess: never change it once a return was checked",
        ),
        ("partners", f"[{partner}]"),
        ("cadence", f"{cadence}  # guess: financial_quarter, financial_year, season, as_at or irregular"),
        ("dueWorkingDays", open_place("working days after the end of the quarter, such as 20")),
        ("lagQuarters", "0  # guess: quarters between the period and the one in which its figures can be known"),
        (
            "contractStart",
            open_place("first day on which a return is owed, as 2026-04-01; take the property out if none is"),
        ),
        ("quarantineLimit", "0  # share of lines that may be set aside before the return is rejected"),
    )
    lines = [line for name, value in items for line in (f"- property: {name}", f"  value: {value}")]
    served = [f"    - {open_place(f'one of {said}')}" for said in _by_plan(draft.known.priorities)]
    return [*lines, "- property: priorities", "  value:", *(served or ["    []"])]


def _by_plan(priorities: tuple[str, ...]) -> list[str]:
    plans = sorted({code.split(".")[0] for code in priorities})
    return [", ".join(code for code in priorities if code.startswith(f"{plan}.")) for plan in plans]


def partner_line(draft: Draft) -> str | None:
    """Return the line that the list of partners lacks, if it doesn't know who sends the form."""
    is_known = draft.partner is None or draft.partner in draft.known.partners
    return None if is_known else f"{draft.partner},<name>,<kind of body, such as charity or local authority>"


def _seed_comment(draft: Draft) -> list[str]:
    told = "with everything in angle brackets written over; then take this out:"
    partner, lines = partner_line(draft), seed_lines(draft) if draft.family == "indicator" else []
    comment = [f"# For returns/partners.csv, {told}", f"#   {partner}"] if partner else []
    comment += [f"# For dbt_project/seeds/measures.csv, {told}"] if lines else []
    return [*comment, *(f"#   {line}" for line in lines)]


def open_columns(draft: Draft) -> list[str]:
    """Return the columns of an indicator sample of which nothing tells what they are."""
    return [column.name for column in draft.columns if draft.roles.of.get(column.index) == OPEN_ROLE]


def default_name(stem: str, period_text: str | None) -> str:
    """Return a form's code from a file's name without its period."""
    bare = stem.replace(period_text, " ") if period_text else stem
    return slug(bare)
