"""Writes the first layout of a form from a sample; what it can't know is an open place, and no form loads with one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from quarterday.calendar import Period
from quarterday.reading.places import letter
from quarterday.sketching.columns import Column, columns_of, flag_of
from quarterday.sketching.known import Known
from quarterday.sketching.looking import FOOT_WORDS, Sample
from quarterday.sketching.periods import Saying, issue_sayings, name_pattern, period_shape, quarter_sayings, quoted
from quarterday.sketching.roles import OPEN_ROLE, Roles, is_period_heading, roles_of
from quarterday.sketching.texts import period_of, period_within, slug
from quarterday.sketching.yamltext import listed, open_place, scalar
from quarterday.wording import plain

HOW_TO_READ = "Look at every 'guess', and write over every open place."
FLAGS_IN_WORDS = "x not available, z not applicable, c suppressed, low, or u not reliable"
RESERVED = ("load_id", "sheet", "line_number", "column_number", "form")
MOST_TITLES_TOLD = 3


@dataclass
class Draft:
    """A form being drafted from a sample: what its two files are made from."""

    sample: Sample
    form: str
    family: str
    partner: str | None
    known: Known
    guesses: list[str] = field(default_factory=list)

    @cached_property
    def columns(self) -> list[Column]:
        """Every column of the sample."""
        return columns_of(self.sample.table)

    @cached_property
    def issued(self) -> Saying | None:
        """Where the day of issue stands."""
        return next(iter(issue_sayings(self.sample, self.columns)), None)

    @cached_property
    def sayings(self) -> list[Saying]:
        """Where the sample says which period it is about, the surest first."""
        return quarter_sayings(self.sample, self.columns)

    @property
    def period(self) -> Period | None:
        """The period that the sample is about."""
        return self.sayings[0].period if self.sayings else None

    @cached_property
    def roles(self) -> Roles:
        """What the columns of an indicator form are."""
        heading = [
            column.heading for column in self.columns if self.issued and quoted(column.heading) in self.issued.source
        ]
        roles = roles_of(self.columns, self.known, {text for text in heading if text})
        self.guesses += roles.guesses
        return roles

    @cached_property
    def measures(self) -> dict[str, str]:
        """The measures' codes by their labels, from the measure column or the wide headings, if either says."""
        labels = self.labels_of("measure") or self.wide_parts("measure")
        if not labels:
            return {}
        return {label: self.known.measures.get(plain(label, False)) or self.code(label) for label in labels}

    @cached_property
    def breakdowns(self) -> dict[str, str]:
        """The breakdowns' codes by their labels."""
        labels = [*self.labels_of("breakdown"), *self.wide_parts("breakdown")]
        return {label: "all" if _is_all(label) else slug(label) or "all" for label in labels}

    @cached_property
    def areas(self) -> dict[str, str | None]:
        """The areas' codes by their labels; None where the seed knows no such area."""
        return {label: self.known.area(label) for label in self.labels_of("area")}

    @property
    def periods(self) -> list[Period]:
        """Every period that the lines or the headings name."""
        cells = [
            cell for column in self.columns if self.roles.of.get(column.index) == "period" for cell in column.distinct
        ]
        headings = [part for column in self.roles.values for part in [period_part(column)] if part]
        return [period for text in (*cells, *headings) if (period := period_of(text))]

    def code(self, label: str) -> str:
        """Return a measure's code for its label, beginning with the form's name."""
        return f"{self.form}_{slug(label)}" if slug(label) else self.form

    def labels_of(self, role: str) -> list[str]:
        """Return the different values of the columns of a role, in order of standing, but for total rows."""
        labels: dict[str, str] = {}
        for column in self.columns:
            if self.roles.of.get(column.index) == role:
                for value in column.values:
                    labels.setdefault(plain(value, False), value)
        return list(labels.values())

    @property
    def wide_is(self) -> str:
        """What the headings of figures say beside a period: the measure, where no column does; else the breakdown."""
        return "breakdown" if self.roles.has("measure") else "measure"

    def wide_parts(self, role: str) -> list[str]:
        """Return what the headings of the figures say of a role, but for their periods."""
        if role != self.wide_is:
            return []
        parts = [part for column in self.roles.values if (part := other_part(column))]
        return list(dict.fromkeys(parts))


def period_part(column: Column) -> str | None:
    """Return what of a heading is a period: all of it, or one of its rows."""
    heading = str(column.heading)
    return next((text for text in (heading, *heading.split(" | ")) if period_of(text)), None)


def other_part(column: Column) -> str | None:
    """Return what a figure's heading says beside its period."""
    period, heading = period_part(column), str(column.heading)
    if period == heading:
        return None
    return " | ".join(part for part in heading.split(" | ") if part != period)


def layout_text(draft: Draft) -> str:
    """Return the draft of ``layout.yml``."""
    sample = draft.sample
    lines = [
        f"# Drafted from {sample.path.name}. {HOW_TO_READ}",
        f"file_names: {_file_names(draft)}",
        f"example: {scalar(sample.path.name)}",
        f"quarter: {_quarter(draft)}",
    ]
    lines += [f"issued: {draft.issued.source}"] if draft.issued else [
        "# issued: the file says no day of issue, so the day of receipt counts; see 'source' in add-a-form.md"
    ]  # fmt: skip
    lines += _marks(draft) + _labels(draft)
    lines += ["editions:", f"  - name: {_edition_name(draft)}"]
    lines += [f"    {line}" for line in _edition(draft)]
    return "\n".join(lines) + "\n"


def column_names(draft: Draft) -> dict[int, str]:
    """Return the name of each column of a register form, by its index: a code of the heading, with its unit."""
    names: dict[int, str] = {}
    for column in draft.columns:
        name = slug(column.heading or "") or f"column_{letter(column.index).lower()}"
        name = re.sub(r"_?gbp(_|$)", r"\1", name).strip("_") + "_gbp" if column.unit == "gbp" else name
        name = re.sub(r"_?pct(_|$)", r"\1", name).strip("_") + "_pct" if column.unit == "percent" else name
        name = re.sub(r"_000s?(_|$)", r"\1", name) if column.scale != 1 else name
        name = f"{name}_date" if column.kind == "date" and "date" not in name else name
        name = f"{name}_" if name in RESERVED else name.lstrip("_")
        taken = set(names.values())
        names[column.index] = next(
            one for one in (name, *(f"{name}_{number}" for number in range(2, 999))) if one not in taken
        )
    return names


def heading_entry(column: Column, draft: Draft, what: str) -> str:
    """Return a column's entry in the layout; one without a heading of its own is told by its place."""
    headings = [plain(one.heading or "") for one in draft.columns]
    if column.heading and headings.count(plain(column.heading)) == 1:
        return f"  {scalar(column.heading)}: {what}"
    shown = f"{column.heading} (column {letter(column.index)})" if column.heading else f"Column {letter(column.index)}"
    return f"  {scalar(shown)}: {{is: {what}, at: {letter(column.index)}}}"


def skipped(draft: Draft) -> list[str]:
    """Return globs of rows within the table that are no lines: totals and headers that come again."""
    table = draft.sample.table
    firsts = {_first(cells) for _, cells in table.totals}
    firsts |= {next(heading for heading in table.headings if heading)} if table.repeated_headers else set()
    return sorted(_glob(first) for first in firsts)


def stops(draft: Draft) -> list[str]:
    """Return the glob of the row at which the table ends."""
    below = draft.sample.table.below
    if not below:
        return []
    words = _first(below[0][1]).split()
    is_told = words[0].casefold().rstrip("s:*0123456789") in FOOT_WORDS
    return [_glob(words[0].rstrip(":") if is_told else " ".join(words[:3]).rstrip(":")) + "*"]


def period_type(draft: Draft) -> str | None:
    """Return the one type that all periods of the lines are of, if they are."""
    kinds = {period.type for period in draft.periods}
    return kinds.pop() if len(kinds) == 1 else None


def period_ends(draft: Draft) -> str:
    """Return how the periods of the lines stand to the quarter of the return, as far as the sample shows."""
    if not draft.period or not draft.periods:
        return "any"
    quarters = {period.quarter for period in draft.periods}
    if quarters == {draft.period.quarter}:
        return "in_the_quarter"
    return "by_the_quarter" if max(quarters) == draft.period.quarter else "any"


def _is_all(label: str) -> bool:
    return plain(label, False).split(" ")[0] in ("all", "total", "overall")


def _first(cells: list[str | None]) -> str:
    return next((cell.strip() for cell in cells if cell and cell.strip()), "")


def _glob(text: str) -> str:
    return re.sub(r"([\[?])", r"[\1]", text)


def _file_names(draft: Draft) -> str:
    name = name_pattern(draft.sample)
    suffix = draft.sample.path.suffix.lower()
    # The workbook that `quarterday template` writes goes by the same name.
    endings = dict.fromkeys([suffix, ".xlsx"])
    return listed(f"{name}{ending}" for ending in endings)


def _quarter(draft: Draft) -> str:
    if not draft.sayings:
        wanted = "a regular expression for the period in the file name, such as (?P<quarter>\\d{4}-\\d{2}-Q[1-4])"
        return f"{{from: file_name, pattern: {open_place(wanted)}}}"
    first = draft.sayings[0]
    return f"{first.source}  # guess: {first.place} says '{first.text}'"


def _edition_name(draft: Draft) -> str:
    """The first month of the edition: the sample's, for nothing is known of earlier ones."""
    return f"'{draft.period.start:%Y-%m}'" if draft.period else "first"


def _marks(draft: Draft) -> list[str]:
    marks = sorted({mark for column in draft.columns for mark in column.marks})
    lines = [f"  {scalar(mark)}: {_flag(mark)}" for mark in marks if not mark.startswith("[")]
    if draft.family == "indicator" and any(column.blanks for column in figures(draft)):
        wanted = f"what a blank figure means: {FLAGS_IN_WORDS}; or take this line out, and a blank figure is set aside"
        lines.append(f"  '': {open_place(wanted)}")
    return ["marks:", *lines] if lines else []


def figures(draft: Draft) -> list[Column]:
    """Return the columns of an indicator sample that hold figures."""
    return [*draft.roles.values, *(column for column in draft.columns if draft.roles.of.get(column.index) == "value")]


def _flag(mark: str) -> str:
    flag = flag_of(mark)
    return f"{flag}  # guess" if flag else open_place(f"what it means: {FLAGS_IN_WORDS}")


def _labels(draft: Draft) -> list[str]:
    if draft.family == "register":
        return []
    parts: list[tuple[str, dict[str, str | None]]] = [
        ("measures", {label: code for label, code in draft.measures.items() if draft.labels_of("measure")}),
        (
            "breakdowns",
            {label: code for label, code in draft.breakdowns.items() if label in draft.labels_of("breakdown")},
        ),
        ("areas", dict(draft.areas)),
    ]
    if not draft.roles.has("area"):
        parts[2] = ("areas", {"the whole area": None})
    wanted = "the area's code in dbt_project/seeds/areas.csv, such as pcc_area"
    lines = []
    for name, codes in parts:
        if codes:
            lines += [
                f"  {name}:",
                *(f"    {scalar(label)}: {code or open_place(wanted)}" for label, code in codes.items()),
            ]
    return ["labels:", *lines] if lines else []


def _edition(draft: Draft) -> list[str]:
    sample = draft.sample
    lines = [f"sheets: {listed(_sheet_globs(draft))}"] if not sample.is_csv else []
    lines += [f"ignore_sheets: {listed(sample.other_sheets)}  # guess"] if sample.other_sheets else []
    lines += [f"encoding: {sample.encoding}"] if sample.encoding else []
    lines += [f"delimiter: {scalar(sample.delimiter)}"] if sample.delimiter and sample.delimiter in ";|" else []
    lines += [f"header: {{rows: {sample.table.header_rows}}}"] if sample.table.header_rows > 1 else []
    lines += _columns(draft)
    if draft.family == "indicator":
        lines += _wide(draft) + _values(draft) + _period(draft)
    lines += _says(draft) + _fill_down(draft) + _titles(draft)
    lines += [f"skip_lines: {listed(skipped(draft))}  # guess"] if skipped(draft) else []
    lines += [f"stop_at: {listed(stops(draft))}  # guess"] if stops(draft) else []
    return lines


def _sheet_globs(draft: Draft) -> list[str]:
    """Return the sheets' names; those that name a period become a pattern that also fits the next one."""
    globs = []
    for name in draft.sample.like_sheets:
        words = [re.sub(r"\d", "?", word) if re.search(r"\d", word) else word for word in re.split(r"( )", name)]
        globs.append(
            "".join(words) if any(period_of(part) for part in (name, *name.split(" ", 1)[1:])) else _glob(name)
        )
    return list(dict.fromkeys(globs))


def _columns(draft: Draft) -> list[str]:
    if draft.family == "register":
        names = column_names(draft)
        return ["columns:", *(heading_entry(column, draft, scalar(names[column.index])) for column in draft.columns)]
    entries = []
    for column in draft.columns:
        role = draft.roles.of.get(column.index)
        if role == OPEN_ROLE:
            role = open_place(f"what column {column.name} is (it holds {', '.join(column.distinct[:3])}), or ignore")
        if role:
            entries.append(heading_entry(column, draft, role))
    return ["columns:", *entries] if entries else []


def _wide(draft: Draft) -> list[str]:
    dated = [column for column in draft.roles.values if is_period_heading(column)]
    plain_ones = [column for column in draft.roles.values if column not in dated]
    if not draft.roles.values:
        return []
    lines = ["wide:"]
    for other in dict.fromkeys(other_part(column) for column in dated):
        lines.append(_wide_periods(other, [column for column in dated if other_part(column) == other], draft))
    for column in plain_ones:
        if dated and period_within(column.name):
            wanted = open_place("the period that it is, as 2015/16; or write 'is: ignore' in place of 'period'")
            lines.append(f"  - {{heading: {scalar(column.name)}, period: {wanted}}}")
        elif dated:
            draft.guesses.append(f"column '{column.name}' is no figure of one period, so it is left out ('ignore')")
            lines.append(f"  - {{heading: {scalar(column.name)}, is: ignore}}  # guess: no figure of one period")
        else:
            lines.append(
                f"  - {{heading: {scalar(column.name)}, {draft.wide_is}: {_wide_code(column.name, draft)}}}  # guess"
            )
    return lines


def _wide_code(label: str, draft: Draft) -> str:
    return (draft.measures if draft.wide_is == "measure" else draft.breakdowns)[label]


def _wide_periods(other: str | None, columns: list[Column], draft: Draft) -> str:
    shape = f"(?P<period>{period_shape([str(period_part(column)) for column in columns])})"
    if other is None:
        return f"  - {{pattern: {quoted(shape)}}}"
    is_last = str(columns[0].heading).endswith(str(period_part(columns[0])))
    # As it is written, for the blank workbook shows it; a pattern is compared without regard to case.
    shown = " ".join(other.split())
    words = re.escape(shown if shown.casefold() == plain(other) else plain(other))
    words = words.replace("\\ ", " ").replace("\\-", "-")
    pattern = rf"{words} \| {shape}" if is_last else rf"{shape} \| {words}"
    return f"  - {{pattern: {quoted(pattern)}, {draft.wide_is}: {_wide_code(other, draft)}}}"


def _values(draft: Draft) -> list[str]:
    values = []
    if not draft.measures:
        values.append(f"measure: {draft.form}")
    if not draft.roles.has("area"):
        values.append("area: the whole area")
    if _is_dated_by_sheet(draft):
        values.append("period: {from: sheet}")
    return [f"values: {{{', '.join(values)}}}"] if values else []


def _is_dated_by_sheet(draft: Draft) -> bool:
    """Return whether sheets are of a period each, as their names say, and nothing within them says it."""
    names = draft.sample.like_sheets
    return len(names) > 0 and not draft.periods and all(period_of(name) for name in names)


def _period(draft: Draft) -> list[str]:
    if not draft.periods:
        return []
    kind = f"type: {period_type(draft)}, " if period_type(draft) else ""
    return [f"period: {{{kind}ends: {period_ends(draft)}}}  # guess: as it is in the sample"]


def _says(draft: Draft) -> list[str]:
    """A second place that says the same period is held against the first."""
    others = [one for one in draft.sayings[1:] if one.period == draft.period and one.source.startswith("{from: cell")]
    if not others:
        return []
    return ["says:", f"  - {{is: quarter, {others[0].source[1:]}  # guess: {others[0].place} says '{others[0].text}'"]


def _fill_down(draft: Draft) -> list[str]:
    """A column whose first cell is filled and many are blank says its text once per block."""
    cells = draft.sample.table.cells
    blocks = [one for one in draft.columns if one.heading and one.blanks and one.values and cells(one.index)[0]]
    if draft.family == "indicator":
        named = [one for one in blocks if draft.roles.of.get(one.index) in ("measure", "breakdown", "area", "period")]
        draft.guesses += [f"a blank cell under '{one.name}' takes the text above it ('fill_down')" for one in named]
        return [f"fill_down: {listed(one.name for one in named)}  # guess"] if named else []
    sparse = [one.name for one in blocks if one.kind in ("string", "integer") and one.blanks > len(one.values)]
    return [f"# fill_down: {listed(sparse)} would give a blank cell there the text above it"] if sparse else []


def _titles(draft: Draft) -> list[str]:
    titles = draft.sample.table.titles
    if not titles:
        return []
    place = next(index for index, cell in enumerate(titles[0][1]) if cell and cell.strip())
    what = open_place("what the rows with nothing beside say of the lines below them: " + _title_choices(draft))
    return ["titles:", f"  - {{is: {what}, at: {letter(place)}}}"]


def _title_choices(draft: Draft) -> str:
    return "area, measure or breakdown" if draft.family == "indicator" else "a column of the contract, added to it"
