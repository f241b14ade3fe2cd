"""What a blank form holds: its sheets, headings, rows and cells to fill in, as the form's newest edition reads them."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from quarterday.blanks.rules import Measure, Rule, measures_of, rule_of, value_rule
from quarterday.blanks.wordings import file_name, months_of, periods_of, same, sheet_names, worded, wordings, written
from quarterday.calendar import FinancialQuarter, Period, parse_period
from quarterday.contracts import CONTRACT_FILE, LAYOUT_FILE, Column, Form
from quarterday.errors import OperatorError
from quarterday.layouts import ColumnRule, Edition, Source, TitleRule, WideRule
from quarterday.settings import Settings
from quarterday.wording import is_like, plain

SPARE_ROWS = 60
SPARE_FIGURES = 20
ROWS_PER_TITLE = 8
MOST_ROWS = 60
CADENCE_TYPES = {"financial_quarter": "financial_quarter", "financial_year": "financial_year", "as_at": "as_at"}
DIMENSIONS = ("measure", "breakdown", "area")
STATUSES = ("target", "plan", "provisional", "interim", "final", "revised")


@dataclass(frozen=True)
class BlankColumn:
    """A column: where it stands (from 0), its heading, parts joined with ' | ', and what its cells take, if any."""

    place: int
    heading: str
    field: str
    rule: Rule | None = None
    texts: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class BlankRow:
    """A row below the header: what is written already, and what cells take that differ from their column.

    ``open`` are places that are written already and yet may be written over.
    """

    given: Mapping[int, str] = dataclasses.field(default_factory=dict)
    rules: Mapping[int, Rule] = dataclasses.field(default_factory=dict)
    open: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Statement:
    """A cell above the table with its label on the left: written already, or to be filled in."""

    label: str
    text: str | None
    rule: Rule | None = None


@dataclass(frozen=True)
class BlankSheet:
    """One sheet. ``is_prefilled`` where its rows are known, so that only figures are missing."""

    name: str
    statements: tuple[Statement, ...]
    header_rows: int
    columns: tuple[BlankColumn, ...]
    rows: tuple[BlankRow, ...]
    is_prefilled: bool


@dataclass(frozen=True)
class Blank:
    """A blank form for one partner and quarter."""

    form: Form
    partner: str
    quarter: FinancialQuarter
    period: Period | None
    file_name: str
    edition: str
    sheets: tuple[BlankSheet, ...]


def plan_blank(form: Form, quarter: FinancialQuarter, partner: str | None, settings: Settings) -> Blank:
    """Plan the blank workbook of a form's newest edition.

    Raises:
        OperatorError: The partner isn't said and several send the form, or sends it not; no file name of a workbook is
            the form's; no edition is meant for the quarter.
    """
    return _Planning(form, quarter, _partner(form, partner), settings).blank()


def _partner(form: Form, partner: str | None) -> str:
    partners = form.contract.partners
    if partner is None and len(partners) == 1:
        return partners[0]
    if partner not in partners:
        asked = f"'{partner}' doesn't send it" if partner else "say for whom, with --partner"
        raise OperatorError(f"{form.name} is sent by {', '.join(partners)}: {asked}. Nothing was written.")
    return partner


class _Planning:
    """One blank form while it is planned."""

    def __init__(self, form: Form, quarter: FinancialQuarter, partner: str, settings: Settings) -> None:
        self.form, self.quarter, self.partner, self.settings = form, quarter, partner, settings
        self.raw: dict[str, Any] = yaml.safe_load((form.folder / LAYOUT_FILE).read_text(encoding="utf-8"))

    def blank(self) -> Blank:
        name = self.name()
        fitting = [one for one in self.form.layout.editions if one.fits(self.partner, self.quarter_of_return, name)]
        if not fitting:
            raise OperatorError(
                f"{self.form.name}: no edition of the form is meant for {self.quarter.label} of {self.partner} under "
                f"the name '{name}', so nothing was written. See docs/how-to/add-an-edition.md."
            )
        edition = fitting[-1]
        sheets = tuple(sheet for table in edition.tables or (edition,) for sheet in self.sheets(table, edition))
        return Blank(self.form, self.partner, self.quarter_of_return, self.period, name, edition.name, sheets)

    # What the return is about.

    @cached_property
    def candidates(self) -> list[Period]:
        """The periods that a return of the quarter may be about, the likeliest first."""
        periods = periods_of(self.quarter)
        kind = self.form.layout.quarter.type or CADENCE_TYPES.get(self.form.contract.cadence)
        if self.form.contract.cadence == "season":
            return []  # a season's days are the partner's to say
        return [periods[kind]] if kind in periods else list(periods.values())

    @cached_property
    def period(self) -> Period | None:
        """The period of the return; None where only the partner can say it."""
        source = self.form.layout.quarter
        if source.origin == "fixed":
            return parse_period(source.text or "", source.type)
        for period in self.candidates:
            if source.origin in ("column", "sheet") or self.is_worded(source, period):
                return period
        return None

    def is_worded(self, source: Source, period: Period) -> bool:
        if source.origin == "file_name":
            return file_name(self.stem(), source, [period]) is not None
        return self.statement_text(source, [period]) is not None

    @property
    def quarter_of_return(self) -> FinancialQuarter:
        """The quarter in which the return's period ends: for a yearly form the last of its year."""
        return self.period.quarter if self.period else self.quarter

    # The file's name.

    def stem(self) -> str:
        """Return the partner's example of a file name as a workbook's."""
        examples = [one.example for one in self.form.layout.editions if one.partner == self.partner and one.example]
        example = examples[-1] if examples else self.form.layout.example
        return str(Path(example).with_suffix(".xlsx"))

    def name(self) -> str:
        layout = self.form.layout
        name = file_name(self.stem(), layout.quarter, [self.period] if self.period else [])
        if layout.quarter.origin == "cell" and name:
            name = re.sub(r"(?<!\d)20\d\d(?!\d)", str(self.quarter.end.year), name)
        if layout.issued and layout.issued.origin == "file_name" and name and not layout.issued.means:
            name = self.dated(name, layout.issued)
        name = name or self.stem()
        if not is_like(name, layout.file_names):
            raise OperatorError(
                f"{self.form.name} takes no workbook by the name '{name}', so none was written. Add one to file_names "
                f"in {self.form.folder / LAYOUT_FILE}, such as '{Path(layout.file_names[0]).stem}*.xlsx'."
            )
        return name

    def dated(self, name: str, source: Source) -> str:
        """Put today's day where the name says the day of issue; who sends it later mends it."""
        from datetime import date

        match = source.pattern.search(name) if source.pattern else None
        if match is None:
            return name
        group = next((key for key, text in match.groupdict().items() if text), 0)
        return name[: match.start(group)] + date.today().isoformat() + name[match.end(group) :]

    # Labels as the partner writes them.

    def labels(self, name: str, edition: Edition) -> dict[str, tuple[str, ...]]:
        """Return the layout's labels in their own spelling, each with its code or codes; only those in force here."""
        known = {**edition.labels.get(name, {}), **self.repeated(name, edition)}
        found: dict[str, tuple[str, ...]] = {}
        for part in _parts_of(self.raw):
            for label, code in ((part.get("labels") or {}).get(name) or {}).items():
                if plain(str(label)) in known:
                    found[str(label)] = tuple(map(str, code)) if isinstance(code, list) else (str(code),)
        return found

    def repeated(self, name: str, edition: Edition) -> dict[str, tuple[str, ...]]:
        return {label: codes for (one, label), codes in edition.repeated.items() if f"{one}s" == name}

    def choices(self, dimension: str, edition: Edition) -> list[tuple[str, str]]:
        """Return the (label, code) pairs of measure, breakdown or area that the contract allows; a code once."""
        column = self.form.contract.column(f"{dimension}_code")
        allowed = column.allowed_values if column else ()
        pairs: dict[str, str] = {}
        found: list[tuple[str, str]] = []
        for label, codes in self.labels(f"{dimension}s", edition).items():
            for code in codes:
                if (not allowed or code in allowed) and code not in pairs:
                    pairs[code] = label
                    found.append((label, code))
        return found or [(code, code) for code in allowed]

    @cached_property
    def measures(self) -> dict[str, Measure]:
        contract = yaml.safe_load((self.form.folder / CONTRACT_FILE).read_text(encoding="utf-8"))
        path = self.settings.dbt_project / "seeds" / "measures.csv"
        rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        return measures_of(contract, {row["measure_code"]: row for row in rows})

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """The marks in their own spelling, but for the blank cell."""
        return tuple(str(mark) for mark in self.raw.get("marks") or {} if str(mark).strip())

    # Sheets.

    def sheets(self, table: Edition, edition: Edition) -> Iterator[BlankSheet]:
        periods = [self.period] if self.period else []
        names = sheet_names(table.sheets, periods) if table.sheets else ["Return"]
        columns = tuple(self.columns(table))
        for name in names:
            rows = tuple(self.rows(columns, table, name))
            is_prefilled = self.form.is_indicator and any(row.given for row in rows)
            yield BlankSheet(
                name, tuple(self.statements(edition, table)), table.header_rows, columns, rows, is_prefilled
            )

    def statements(self, edition: Edition, table: Edition) -> Iterator[Statement]:
        layout = self.form.layout
        sources = [("quarter", layout.quarter)] if layout.quarter.origin == "cell" else []
        sources += [(one.about, one.source) for one in table.says or edition.says if one.source.origin == "cell"]
        sources += [("issued", layout.issued)] if layout.issued and layout.issued.origin == "cell" else []
        for about, source in sources:
            yield self.statement(about, source)

    def statement(self, about: str, source: Source) -> Statement:
        label = _label(source)
        if about == "issued":
            return Statement(label or "Issued", None, Rule(label, "date", "The day on which you send the return."))
        if about == "partner":
            names = [text for text, codes in self.partner_names().items() if self.partner in codes]
            return Statement(label or "Partner", names[0] if names else self.partner)
        text = self.statement_text(source, [self.period] if self.period else [])
        told = "What the return is about, from its first day to its last, as 20/07/2016 - 31/08/2016."
        return Statement(label or "Period", text, None if text else Rule(label, "text", told, required=True))

    def statement_text(self, source: Source, periods: list[Period]) -> str | None:
        label = _label(source)
        frame = f"{label} {{}}" if label else "{}"
        kinds = periods_of(self.quarter_of_periods(periods))
        asked = [*periods, *([kinds[source.type]] if source.type in kinds else [])]
        # Of those that the cell takes, the one that names its quarter by months says the most to a partner.
        return worded(source, asked, frame)

    def quarter_of_periods(self, periods: list[Period]) -> FinancialQuarter:
        return periods[0].quarter if periods else self.quarter

    def partner_names(self) -> dict[str, tuple[str, ...]]:
        return {
            str(label): (str(code),)
            for part in _parts_of(self.raw)
            for label, code in ((part.get("labels") or {}).get("partners") or {}).items()
        }

    # Columns.

    def columns(self, table: Edition) -> Iterator[BlankColumn]:
        taken = {rule.place for rule in table.columns if rule.place is not None}
        free = (place for place in range(2_000) if place not in taken)
        seen: set[str] = set()
        for rule in table.columns:
            place = rule.place if rule.place is not None else next(free)
            is_again = rule.field in seen and rule.field != "ignore"
            seen.add(rule.field)
            heading = "" if rule.place is not None and rule.field == "ignore" else rule.heading
            yield BlankColumn(place, heading, rule.field, None if is_again else self.rule(rule, table))
        for wide in table.wide:
            if wide.optional and wide.role != "value":
                continue
            if wide.role == "ignore":
                yield BlankColumn(next(free), wide.headings[0] if wide.headings else self.any_heading(wide), "ignore")
                continue
            for heading, texts in self.headings(wide, table):
                yield BlankColumn(next(free), heading, wide.role, self.wide_rule(wide, heading, texts, table), texts)

    def any_heading(self, wide: WideRule) -> str:
        heading = written(wide.pattern, {}) if wide.pattern else ""
        return heading[:1].upper() + heading[1:]

    def headings(self, wide: WideRule, table: Edition) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield the headings of a rule for columns of figures: its own, or one for each that its pattern names."""
        if wide.headings:
            yield wide.headings[0], wide.texts
            return
        assert wide.pattern is not None
        groups = [name for name in wide.pattern.groupindex if name in (*DIMENSIONS, "period")]
        fixed = {text for one in table.wide if one is not wide for text in one.texts.values()}
        choices = [
            self.period_wordings(table)
            if name == "period"
            else [label for label, code in self.choices(name, table) if code not in fixed and label not in fixed]
            for name in groups
        ]
        is_dated = "period" in groups
        for chosen in product(*choices):
            heading = written(wide.pattern, dict(zip(groups, chosen, strict=True)))
            heading = heading[:1].upper() + heading[1:]
            texts = wide.claims(heading)
            if texts is not None and self.is_own(heading, wide, table):
                yield heading, texts
                if is_dated and len(groups) == 1:
                    return  # the first wording that the pattern takes

    def is_own(self, heading: str, wide: WideRule, table: Edition) -> bool:
        first = next((one for one in table.wide if one.claims(heading) is not None), None)
        return first is wide and not any(rule.claims(heading) for rule in table.columns)

    def period_wordings(self, table: Edition) -> list[str]:
        """Return the wordings of the period of a table's figures."""
        periods = periods_of(self.quarter_of_return)
        kind = table.period_type
        wanted = [periods[kind]] if kind in periods else [*([self.period] if self.period else []), *periods.values()]
        return [wording for period in wanted for wording in wordings(period)]

    def rule(self, rule: ColumnRule, table: Edition) -> Rule | None:
        """Return what the cells of a column take; None where nothing is to be written."""
        if not self.form.is_indicator:
            column = self.form.contract.column(rule.field)
            return self.register_rule(column, rule.heading, table) if column else None
        if rule.field == "value":
            return self.figure(rule.heading, None)
        if rule.field in DIMENSIONS:
            column = self.form.contract.column(f"{rule.field}_code")
            choices = tuple(dict.fromkeys(label for label, _ in self.choices(rule.field, table)))
            return rule_of(column, rule.heading, choices, ()) if column else None
        return self.other_rule(rule, table)

    def other_rule(self, rule: ColumnRule, table: Edition) -> Rule | None:
        """Return the rule of a column that is neither figure nor dimension."""
        issued, heading = self.form.layout.issued, rule.heading
        if issued and issued.origin == "column" and same(issued.heading or "", heading):
            return Rule(heading, "date", "The day on which you send the return.")
        if rule.field in ("numerator", "denominator"):
            return Rule(
                heading, "decimal", f"The {rule.field} of the rate. May be left blank.", minimum=0, marks=self.marks
            )
        if rule.field == "status":
            choices = tuple(self.labels("statuses", table)) or STATUSES
            return Rule(heading, "list", "May be left blank.", choices=choices)
        if rule.field == "declared_rag":
            choices = tuple(self.labels("rags", table)) or ("R", "A", "G")
            return Rule(heading, "list", "Your own rating. May be left blank.", choices=choices)
        if rule.field.startswith("period"):
            kind = "date" if rule.field in ("period_start", "period_end") else "text"
            periods = self.figure_periods(table)
            example = self.period_text(periods[0], table) if periods else None
            told = (
                f"The period that the figure is about, as {example or 'Q3 2017/18'}. "
                "Left blank, it is that of the whole return."
            )
            return Rule(heading, kind, told)
        return Rule(heading, "text", "May be left blank.") if rule.field == "note" else None

    def register_rule(self, column: Column, heading: str, table: Edition) -> Rule:
        labels = tuple(self.labels(column.name, table))
        is_number = column.logical_type in ("integer", "number")
        choices = labels or (() if is_number else column.allowed_values)
        rule = self.contract_rule(column, heading, choices)
        said = [one.source for one in table.says if one.about == "quarter" and one.source.origin == "column"]
        if self.period and any(same(source.heading or "", heading) for source in said):
            wording = next((text for source in said if (text := worded(source, [self.period]))), None)
            rule = dataclasses.replace(rule, message=f"{rule.message} Here: {wording}.") if wording else rule
        return rule

    def contract_rule(self, column: Column, heading: str, choices: tuple[str, ...]) -> Rule:
        return rule_of(column, heading, choices, self.marks if column.logical_type != "string" else ())

    def figure(self, heading: str, code: str | None) -> Rule | None:
        column = self.form.contract.column("value")
        if column is None:
            return None
        known = self.measures.get(code or "", Measure(column.unit, column.unit_of_count))
        return value_rule(column, known, code or "", heading, self.marks)

    def wide_rule(self, wide: WideRule, heading: str, texts: Mapping[str, str], table: Edition) -> Rule | None:
        if wide.role == "value":
            return self.figure(heading, self.code("measure", texts.get("measure"), table))
        role = ColumnRule(heading, wide.role)
        return self.other_rule(role, table)

    def code(self, dimension: str, label: str | None, table: Edition) -> str | None:
        if label is None:
            given = table.values.get(dimension)
            label = given if isinstance(given, str) else None
        return next(
            (code for one, code in self.choices(dimension, table) if label and (same(one, label) or code == label)),
            label,
        )

    # Rows.

    def rows(self, columns: tuple[BlankColumn, ...], table: Edition, sheet: str) -> Iterator[BlankRow]:
        if not self.form.is_indicator:
            yield from self.titled_rows(table) if table.titles else (BlankRow() for _ in range(SPARE_ROWS))
            return
        own = {column.field: column for column in reversed(columns) if column.rule}
        dimensions = [name for name in DIMENSIONS if name in own]
        for periods, chosen in product(self.given_periods(own, table), self.combinations(dimensions, table)):
            given = {own[name].place: label for name, (label, _) in zip(dimensions, chosen, strict=True)}
            given |= periods
            # Without a type, the layout takes figures of other periods, too.
            is_open = table.period_type is None
            codes = dict(zip(dimensions, (code for _, code in chosen), strict=True))
            rules = dict(self.figure_rules(columns, codes, table, sheet))
            yield BlankRow(given, rules, frozenset(periods if is_open else ()))
        yield from (BlankRow() for _ in range(SPARE_FIGURES if "value" in own else 0))

    def combinations(self, dimensions: list[str], table: Edition) -> list[tuple[tuple[str, str], ...]]:
        """Return the rows' labels: every combination, or, where those are too many, the whole of what is divided."""
        choices = {name: self.choices(name, table) for name in dimensions}
        for name in ("breakdown", "area"):
            size = 1
            for pairs in choices.values():
                size *= len(pairs)
            if size > MOST_ROWS and name in choices and len(dimensions) > 1:
                choices[name] = choices[name][:1]
        return list(product(*choices.values()))

    def given_periods(self, own: Mapping[str, BlankColumn], table: Edition) -> list[dict[int, str]]:
        """Return what the columns of periods hold, where the return's own period is known; each month has its rows."""
        if self.period is None or (table.period_type is None and self.form.contract.cadence == "as_at"):
            return [{}]  # of figures as at a day, some run up to it: which, the partner says
        given = []
        for figures in self.figure_periods(table):
            dated = figures if figures.type == "calendar_month" else self.period
            texts = {"period": self.period_text(figures, table)}
            texts |= {"period_start": str(dated.start), "period_end": str(dated.end)}
            given.append({own[name].place: text for name, text in texts.items() if name in own and text})
        return given if any(given) else [{}]

    def figure_periods(self, table: Edition) -> list[Period]:
        """Return the periods of a table's figures: one, or the months of a quarter that is returned month by month."""
        if self.period is None:
            return []
        if table.period_type == "calendar_month" and self.period.type == "financial_quarter":
            return months_of(self.quarter_of_return)
        return [periods_of(self.quarter_of_return).get(table.period_type or "", self.period)]

    def period_text(self, period: Period, table: Edition) -> str | None:
        # '2017-18 Q3' is how the office shows a quarter; a year or a day as people write it.
        return worded(Source("column", None, None, table.period_type), [period])

    def figure_rules(
        self, columns: tuple[BlankColumn, ...], codes: Mapping[str, str], table: Edition, sheet: str
    ) -> Iterator[tuple[int, Rule]]:
        """Yield what the cells of figures of one row take: each by its measure."""
        given = table.values.get("measure")
        by_sheet = sheet if isinstance(given, Source) and given.origin == "sheet" else None
        for column in columns:
            if column.field != "value":
                continue
            code = codes.get("measure") or self.code("measure", column.texts.get("measure") or by_sheet, table)
            if rule := self.figure(column.heading, code):
                yield column.place, rule

    def titled_rows(self, table: Edition) -> Iterator[BlankRow]:
        """Yield a block as its titles part it: one to be filled in, then each known one with rows for its lines."""
        open_titles = [title for title in table.titles if not title.like]
        for title in open_titles:
            told = f"Write here, alone in its row, the {title.field.replace('_', ' ')} of the lines below."
            yield BlankRow({}, {title.place: Rule(title.field, "text", told, required=True)})
        for known, text in ((title, text) for title in table.titles for text in _literal(title)):
            yield BlankRow({known.place: text})
            yield from (BlankRow() for _ in range(ROWS_PER_TITLE))


def _literal(title: TitleRule) -> Iterator[str]:
    return (text for text in title.like if not set("*?[") & set(text))


def _label(source: Source) -> str:
    """Return what a source's pattern wants in front of what it reads: 'Issued' of '^Issued:? (?P<date>.+)'."""
    if source.pattern is None or not source.pattern.groupindex:
        return ""
    name = next(iter(source.pattern.groupindex))
    text = written(source.pattern, {name: "\0"}).partition("\0")[0].strip()
    return text[:1].upper() + text[1:]


def _parts_of(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield everything in a layout that has labels: the form, its editions, their tables."""
    yield raw
    for edition in raw.get("editions") or ():
        yield edition
        yield from edition.get("tables") or ()
