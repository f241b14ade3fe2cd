"""What the columns of an indicator sample are: measure, breakdown, area, period, value; with what is only guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from quarterday.sketching.columns import Column, tell_apart
from quarterday.sketching.known import Known
from quarterday.sketching.texts import period_of

MEASURE_WORDS = ("measure", "indicator", "metric", "kpi", "question", "description", "item", "statistic")
AREA_WORDS = (
    "area",
    "authority",
    "district",
    "force",
    "region",
    "lsoa",
    "ward",
    "borough",
    "council",
    "location",
    "town",
)
BREAKDOWN_WORDS = (
    "group",
    "category",
    "level",
    "type",
    "age",
    "gender",
    "sex",
    "ethnicity",
    "breakdown",
    "need",
    "cohort",
)
VALUE_WORDS = ("value", "count", "number", "figure", "total", "result", "actual", "quantity", "volume", "amount")
NOTE_WORDS = ("note", "notes", "comment", "comments", "commentary", "narrative", "remarks")
LONG_TEXT = 60
OPEN_ROLE = "open"
ONCE = (
    "period_start",
    "period_end",
    "period",
    "numerator",
    "denominator",
    "declared_rag",
    "status",
    "measure",
    "breakdown",
)


@dataclass
class Roles:
    """The role of each column by its index; ``values`` are those whose cells are figures; ``guesses`` are sentences."""

    of: dict[int, str] = field(default_factory=dict)
    values: list[Column] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)

    def has(self, role: str) -> bool:
        """Whether some column has a role."""
        return role in self.of.values()


def roles_of(columns: list[Column], known: Known, issued_headings: set[str]) -> Roles:
    """Say what each column of an indicator form is, by its heading and what it holds; ``open`` where nothing tells."""
    roles = Roles()
    for column in columns:
        if column.heading in issued_headings:
            roles.of[column.index] = "ignore"
        elif role := _told_by_heading(column, known):
            roles.of[column.index] = OPEN_ROLE if role in ONCE and roles.has(role) else role
        elif column.is_numeric and not column.is_period or _is_period_heading(column):
            roles.values.append(column)
    for column in columns:
        if column.index not in roles.of and column not in roles.values:
            roles.of[column.index] = _left_over(column, roles)
    _numbered_breakdown(columns, roles)
    if roles.has("measure"):
        _single_value(roles)
    if len(roles.values) == 1 and not _is_period_heading(roles.values[0]):
        roles.of[roles.values.pop().index] = "value"
    return roles


def _numbered_breakdown(columns: list[Column], roles: Roles) -> None:
    """Where period and area don't tell lines apart and a few whole numbers do, as 101 and 999, these are codes."""
    keys = [one for one in columns if roles.of.get(one.index) in ("period", "area")]
    if roles.has("breakdown") or roles.has("measure") or len(roles.values) < 2 or not keys:
        return
    count = len(keys[0].values)
    if tell_apart(keys, count):
        return
    codes = [one for one in roles.values if one.kind == "integer" and one.is_few and tell_apart((*keys, one), count)]
    if codes:
        roles.values.remove(codes[0])
        roles.of[codes[0].index] = "breakdown"
        roles.guesses.append(f"column '{codes[0].name}' is the breakdown: its numbers tell lines of one period apart")


def _single_value(roles: Roles) -> None:
    """Where the measure stands in its own column and one column is called the figure, the others are something else."""
    called = [column for column in roles.values if set(VALUE_WORDS) & set(column.plain.split())]
    if len(called) == 1 and not any(_is_period_heading(column) for column in roles.values):
        for column in roles.values:
            roles.of[column.index] = "value" if column in called else OPEN_ROLE
        roles.values.clear()


def _told_by_heading(column: Column, known: Known) -> str | None:
    words = column.plain.replace("/", " ").replace("-", " ").split()
    if _is_period_heading(column):
        return None
    rules: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("period_start", lambda: column.kind == "date" and bool({"from", "start", "begins"} & set(words))),
        ("period_end", lambda: column.kind == "date" and bool({"to", "end", "ends", "until"} & set(words))),
        ("period", lambda: column.is_period and not column.is_numeric or column.is_period and "year" in words),
        ("numerator", lambda: column.is_numeric and "numerator" in words),
        ("denominator", lambda: column.is_numeric and bool({"denominator", "base"} & set(words))),
        ("declared_rag", lambda: "rag" in words),
        ("status", lambda: column.plain == "status"),
        ("note", lambda: bool(set(NOTE_WORDS) & set(words)) or _is_long(column)),
        ("area", lambda: column.kind == "string" and (_ends(words, AREA_WORDS) or _are_areas(column, known))),
        ("measure", lambda: column.kind == "string" and bool(set(MEASURE_WORDS) & set(words))),
        ("breakdown", lambda: column.kind == "string" and bool(set(BREAKDOWN_WORDS) & set(words))),
    )
    return next((role for role, tells in rules if tells()), None)


def _left_over(column: Column, roles: Roles) -> str:
    """Return the role of a column of words whose heading says nothing: the first is the measure, the next its parts."""
    if not column.values and not column.marks:
        roles.guesses.append(f"column '{column.name}' is empty in the sample, so it is left out ('ignore')")
        return "ignore"
    wanted = next((role for role in ("measure", "breakdown") if not roles.has(role)), OPEN_ROLE)
    many_values = [value for value in roles.values if not _is_period_heading(value)]
    if wanted == "measure" and len(many_values) > 1:
        wanted = OPEN_ROLE if roles.has("breakdown") else "breakdown"  # the figures' own headings are the measures
    if wanted != OPEN_ROLE:
        roles.guesses.append(f"column '{column.name}' is the {wanted}; its heading doesn't say so")
    return wanted


def _is_period_heading(column: Column) -> bool:
    return bool(column.heading) and any(
        period_of(part) for part in (str(column.heading), *str(column.heading).split(" | "))
    )


def is_period_heading(column: Column) -> bool:
    """Return whether a heading, or one of its rows, is a period."""
    return _is_period_heading(column)


def _ends(words: list[str], wanted: tuple[str, ...]) -> bool:
    return any(word in wanted for word in words)


def _are_areas(column: Column, known: Known) -> bool:
    distinct = column.distinct
    return len(distinct) > 0 and sum(known.area(value) is not None for value in distinct) > 0.6 * len(distinct)


def _is_long(column: Column) -> bool:
    return (
        column.kind == "string"
        and bool(column.values)
        and sum(map(len, column.values)) > LONG_TEXT * len(column.values)
    )
