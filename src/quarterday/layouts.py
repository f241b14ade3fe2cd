r"""Where things stand in a partner's file: ``returns/<form>/layout.yml``, read and checked.

A key that isn't listed here is an error that names the file and the key.

.. code-block:: yaml

    file_names: ['victim-gateway*.xlsx']     # required: globs over the file name; case, '_' and spaces don't matter
    example: victim-gateway-2017-18-Q3.xlsx  # required: a right file name, shown to partners
    quarter: {from: file_name, pattern: '(?P<quarter>\d{4}-\d{2}-Q[1-4])'}  # required: a SOURCE of the reporting period
    issued: {from: cell, pattern: 'Issued (?P<date>.+)'}                     # a SOURCE of the day of issue
    marks: {'n/a': x, '..': x, '*': c, '': z}   # cell text -> flag; never zero. '' is the blank cell
    labels:                                     # label as sent -> code; case, spaces and footnote digits don't matter
      measures: {Referrals received: victim_gateway_referrals}
      breakdowns: {Enhanced: enhanced}
      areas: {Stoke: stoke_on_trent}
      periods: {2015/16 Baseline: 2015-16-Q3}   # anything that calendar.parse_period reads
      statuses: {Prov.: provisional}
      rags: {Green: G}
      partners: {Stoke YOS: yos_stoke}          # register forms: also {status: {Prov.: provisional}} and the like
    editions:                                   # required: the newest last; the last that fits the return is used
      - name: '2015-09'                         # required
        partner: citizens_advice                # only where partners' layouts differ
        example: Gateway 2017-18-Q3.xlsx        # a right file name of this edition's partner, where it is another one
        from_quarter: 2015-16-Q2                # first and last reporting quarter of the edition
        to_quarter: 2019-20-Q4
        file_names: ['*.csv']                   # only where editions differ by file name
        sheets: ['Q[1-4] *']                    # globs of the sheets to read; left out: the only sheet, or the first
        ignore_sheets: ['Notes*']               # any other sheet with something in it is an error
        encoding: cp1252                        # csv; left out: UTF-8 (or UTF-16 by its mark)
        delimiter: ';'                          # csv; left out: the likeliest of , ; | and tab
        header: {rows: 1, find: ['Measure']}    # rows: 1 to 3, joined with ' | '; find: tells the header row;
                                                # left out: the row that holds most of the headings below
        columns:                                # heading -> what it is; every heading of the file must be known
          Need: measure                           # short for {is: measure}
          Organisation: {is: ignore, also: [Service], optional: true}
        wide:                                   # columns that are values: each gives a line per row (indicator forms)
          - {heading: Enhanced, breakdown: enhanced}
          - {pattern: '(?P<period>20\d\d/\d\d \| Q[1-4])', blank: leave_out}
          - {heading: RAG, is: declared_rag, period: 2017/18}   # belongs to the value with the same keys in its row
        values:                                 # what stands in no column: a fixed text or a SOURCE
          area: Staffordshire
          period: {from: sheet}
        period: {type: financial_quarter, ends: by_the_quarter}
        says: [{is: quarter, from: cell, pattern: 'Quarter (?P<quarter>.+)'}]  # must agree with the file name or sheet
        fill_down: [Area, {heading: Item, within: Short name}]  # headings whose blank cells take the value above;
                                                # within: only while the cell of another heading stays the same
        titles:                                 # rows between the lines that say something of the lines below them,
          - {is: area, at: A}                     # from the outermost to the innermost; without like: any row in which
          - {is: measure, at: A, like: ['Custody']} # nothing else is filled. A title ends those listed after it
        line_if_filled: ['Age | 15']            # a row is a line only where one of these headings has something;
                                                # a title's row may be a line, too (a row of totals)
        stop_at: ['Notes*', 'Source:*']         # globs on a row's first filled cell: this row and all below
        skip_lines: ['Total*', 'Numbers']       # globs on a row's first filled cell: this row is left out
        labels: {areas: {Staffs: staffordshire_county}}   # added to the form's labels
        tables:                                 # sheets of different layouts in one workbook: each has keys of its own
          - {sheets: ['Table P1'], columns: {Area Code: area}, wide: [...]}  # from header to labels, and the edition's
          - {sheets: ['Table P4'], optional: true, ...}                      # for the rest; optional: may be missing

A column without a heading, or with one that changes, is told by its place: ``Force: {is: area, at: A}``. Where two
columns are the same thing, the first that is filled counts, in the order of the layout: a code, and the name of an area
that has none. ``is: ignore`` in ``wide`` leaves out columns by pattern. A label that stands for different things in one
sheet has a list of codes, in the order of standing: ``West Midlands: [E12000005, E23000014]``; the sheet must hold it
just as often.

What a column can be. Indicator forms: ``measure breakdown area period period_start period_end period_type value
numerator denominator status declared_rag note ignore``. Register forms: a column of the contract, or ``ignore``.

A SOURCE is ``{from, pattern, heading, type, means, text}``: ``from`` is ``file_name``, ``sheet``, ``cell`` (any cell
above the header, read alone and with the next filled cell on its right, as 'Quarter Q3 2017/18'), ``column`` (the first
filled cell under ``heading``) or ``fixed`` (always ``text``: for files that say nothing of it). ``pattern`` is searched
without regard to case; its first named group counts, or the whole match. ``means`` says what each text found stands
for, as ``{march2018: 2018-07-19}``; one that it doesn't list counts as not found. ``type`` is a period type.

Period types: ``financial_quarter financial_year calendar_year calendar_month rolling_year date_range to_date as_at``.
The text of a period is what ``values``, the column and the heading give, joined with a space; where none gives any,
it is the period of the return itself. ``ends``: ``in_the_quarter`` (every line), ``by_the_quarter`` (none later, and
at least one in it) or ``any`` (default).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from quarterday.calendar import PERIOD_TYPES, FinancialQuarter
from quarterday.errors import OperatorError
from quarterday.openplaces import refuse_open_places
from quarterday.wording import is_like, mark_key, matching, plain

INDICATOR_FIELDS = (
    "measure",
    "breakdown",
    "area",
    "period",
    "period_start",
    "period_end",
    "period_type",
    "value",
    "numerator",
    "denominator",
    "status",
    "declared_rag",
    "note",
)
WIDE_TEXTS = ("measure", "breakdown", "area", "period", "status")
WIDE_ROLES = ("value", "numerator", "denominator", "status", "declared_rag", "note", "ignore")
SOURCES = ("file_name", "sheet", "cell", "column", "fixed")
REPEATABLE = ("measures", "breakdowns", "areas")
LABELS = ("measures", "breakdowns", "areas", "periods", "statuses", "rags", "partners")
ENDS = ("any", "in_the_quarter", "by_the_quarter")
FLAGS = ("x", "z", "c", "low", "u", "k", "w", "p", "r", "e", "b")

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Source:
    """Where a text is read: from the file name, a sheet's name, a cell above the header or a column."""

    origin: str
    pattern: re.Pattern[str] | None = None
    heading: str | None = None
    type: str | None = None
    means: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None

    def search(self, text: str) -> str | None:
        """Return what counts of a text: the first named group, or the whole match; None if it doesn't match."""
        found = self.found(text) if self.text is None else self.text
        return found if found is None or not self.means else self.means.get(plain(found))

    def found(self, text: str) -> str | None:
        """Return what the pattern takes of a text, whatever it means."""
        if self.pattern is None:
            return text
        match = self.pattern.search(text)
        if match is None:
            return None
        return next((group for group in match.groupdict().values() if group), match.group()).strip()


@dataclass(frozen=True)
class Statement:
    """What a return says of itself, to be held against its name and folder; ``about`` is quarter or partner."""

    about: str
    source: Source
    optional: bool = False


@dataclass(frozen=True)
class ColumnRule:
    """A column of the file: its heading, other headings it goes by, and what it is.

    ``place`` counts columns from 0: where it is given, the heading doesn't tell the column.
    """

    heading: str
    field: str
    also: tuple[str, ...] = ()
    optional: bool = False
    place: int | None = None

    def claims(self, heading: str) -> bool:
        """Return whether a heading, as sent, is this column."""
        return self.place is None and matching(heading, (self.heading, *self.also)) is not None


@dataclass(frozen=True)
class TitleRule:
    """Rows between the lines that say something of the lines below them: in which column (from 0), and of what."""

    field: str
    place: int
    like: tuple[str, ...] = ()

    def claims(self, cells: Sequence[str | None]) -> str | None:
        """Return the title that a row is, or None."""
        text = (cells[self.place] or "").strip() if self.place < len(cells) else ""
        if not text:
            return None
        if self.like:
            return text if is_like(text, self.like) else None
        is_alone = not any(cell and cell.strip() for index, cell in enumerate(cells) if index != self.place)
        return text if is_alone else None


def _readable(pattern: str) -> str:
    """Return a pattern for people who read none: a named group by its name, the rest as it is written in a heading."""
    while group := re.search(r"\(\?P<(\w+)>", pattern):
        depth, end = 1, group.end()
        while depth and end < len(pattern):
            depth += {"(": 1, ")": -1}.get(pattern[end], 0) if pattern[end - 1] != "\\" else 0
            end += 1
        pattern = f"{pattern[: group.start()]}[{group[1]}]{pattern[end:]}"
    return re.sub(r"\\(.)", r"\1", pattern)


@dataclass(frozen=True)
class WideRule:
    """Columns that are values, by heading or by pattern, with what they say of measure, area, period and so on."""

    role: str
    headings: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    leave_out_blank: bool = False

    @property
    def name(self) -> str:
        """The heading, or the pattern as ``[period] | Men``, to show to people."""
        return self.headings[0] if self.headings else _readable(self.pattern.pattern) if self.pattern else ""

    def claims(self, heading: str) -> Mapping[str, str] | None:
        """Return what a heading, as sent, says if it is one of these columns, else None."""
        if matching(heading, self.headings) is not None:
            return self.texts
        match = self.pattern and (
            self.pattern.fullmatch(plain(heading)) or self.pattern.fullmatch(plain(heading, footnotes=False))
        )
        return {**self.texts, **{key: text for key, text in match.groupdict().items() if text}} if match else None


@dataclass(frozen=True)
class Edition:
    """One layout that the form has had. See the module's own text for every key."""

    name: str
    columns: tuple[ColumnRule, ...]
    wide: tuple[WideRule, ...] = ()
    partner: str | None = None
    from_quarter: FinancialQuarter | None = None
    to_quarter: FinancialQuarter | None = None
    file_names: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    ignore_sheets: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    header_rows: int = 1
    header_find: tuple[str, ...] = ()
    values: Mapping[str, str | Source] = field(default_factory=dict)
    period_type: str | None = None
    period_ends: str = "any"
    says: tuple[Statement, ...] = ()
    fill_down: Mapping[str, str | None] = field(default_factory=dict)
    titles: tuple[TitleRule, ...] = ()
    line_if_filled: tuple[str, ...] = ()
    stop_at: tuple[str, ...] = ()
    skip_lines: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    repeated: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    example: str | None = None
    tables: tuple[Edition, ...] = ()
    optional: bool = False

    def fits(self, partner: str, quarter: FinancialQuarter, file_name: str) -> bool:
        """Return whether the edition is meant for a partner's return of a quarter."""
        return (
            self.partner in (None, partner)
            and (self.from_quarter is None or self.from_quarter <= quarter)
            and (self.to_quarter is None or quarter <= self.to_quarter)
            and (not self.file_names or is_like(file_name, self.file_names))
        )


@dataclass(frozen=True)
class Layout:
    """How the files of a form look."""

    file_names: tuple[str, ...]
    example: str
    quarter: Source
    issued: Source | None
    marks: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]
    editions: tuple[Edition, ...]

    def edition(self, name: str) -> Edition:
        """Return an edition by its name.

        Raises:
            KeyError: The layout has none of that name.
        """
        for edition in self.editions:
            if edition.name == name:
                return edition
        raise KeyError(name)


def load_layout(path: Path, fields: tuple[str, ...], is_indicator: bool) -> Layout:
    """Read and check a form's layout.

    Args:
        path: The form's ``layout.yml``.
        fields: What a column can be, without ``ignore``: :data:`INDICATOR_FIELDS` or the contract's columns.
        is_indicator: Whether columns can be values (``wide``).

    Raises:
        OperatorError: The file is missing, is no YAML, or a key is unknown, missing or wrong; the message names the
        file and the key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        raw = yaml.load(text, _LOADER)
    except FileNotFoundError:
        raise OperatorError(f"{path}: a form needs a layout. See docs/how-to/add-a-form.md.") from None
    except yaml.YAMLError as error:
        raise OperatorError(f"{path}: not YAML: {error}") from None
    refuse_open_places(Path(path), text)
    return _Reading(Path(path), fields, is_indicator).layout(raw)


class _Reading:
    """Reads one layout.yml; knows the file's name and the place in it for what it has to say."""

    def __init__(self, path: Path, fields: tuple[str, ...], is_indicator: bool) -> None:
        self.path, self.fields, self.is_indicator = path, fields, is_indicator

    def wrong(self, place: str, what: str) -> OperatorError:
        return OperatorError(f"{self.path}: {place}: {what} See docs/how-to/add-a-form.md.")

    def mapping(self, raw: Any, place: str, required: Iterable[str], optional: Iterable[str]) -> dict[str, Any]:
        """Return a mapping that has the required keys and no unknown ones."""
        if not isinstance(raw, dict):
            raise self.wrong(place, f"expected a mapping of keys, found '{raw}'.")
        required, known = tuple(required), (*required, *optional)
        if unknown := [str(key) for key in raw if key not in known]:
            raise self.wrong(place, f"unknown key '{unknown[0]}'; expected {', '.join(known)}.")
        if missing := [key for key in required if raw.get(key) is None]:
            raise self.wrong(place, f"the key '{missing[0]}' is missing.")
        return raw

    def one_of(self, value: Any, allowed: tuple[str, ...], place: str) -> str:
        if value not in allowed:
            raise self.wrong(place, f"expected one of {', '.join(allowed)}; found '{value}'.")
        return str(value)

    def texts(self, raw: Any, place: str) -> tuple[str, ...]:
        if raw is None:
            return ()
        if not isinstance(raw, list):
            raise self.wrong(place, f"expected a list in brackets, found '{raw}'.")
        return tuple(str(item) for item in raw)

    def layout(self, raw: Any) -> Layout:
        raw = self.mapping(
            raw, "layout", ("file_names", "example", "quarter", "editions"), ("issued", "marks", "labels")
        )
        labels = self.checked_labels(raw.get("labels"), "labels")
        layout = Layout(
            file_names=self.texts(raw["file_names"], "file_names"),
            example=str(raw["example"]),
            quarter=self.source(raw["quarter"], "quarter"),
            issued=self.source(raw["issued"], "issued") if raw.get("issued") else None,
            marks={
                mark_key(str(mark)): self.one_of(flag, FLAGS, f"marks, '{mark}'")
                for mark, flag in (raw.get("marks") or {}).items()
            },
            labels=_single(labels),
            editions=tuple(self.edition(item, labels) for item in raw["editions"]),
        )
        names = [edition.name for edition in layout.editions]
        if not names or len(set(names)) < len(names):
            raise self.wrong("editions", "expected at least one edition, each with a name of its own.")
        if not is_like(layout.example, layout.file_names):
            raise self.wrong("example", f"'{layout.example}' does not fit file_names.")
        for edition in layout.editions:
            if edition.example and not is_like(edition.example, layout.file_names):
                raise self.wrong(f"edition '{edition.name}', example", f"'{edition.example}' does not fit file_names.")
        return layout

    def checked_labels(self, raw: Any, place: str) -> dict[str, dict[str, Any]]:
        """Return labels, each with its code or, where it stands for several things, its list of codes."""
        names = LABELS if self.is_indicator else (*LABELS, *self.fields)
        raw = self.mapping(raw or {}, place, (), names)
        for name, labels in raw.items():
            if not isinstance(labels, dict):
                raise self.wrong(f"{place}, {name}", f"expected 'label: code' pairs, found '{labels}'.")
            lists = [label for label, code in labels.items() if isinstance(code, list)]
            if lists and not (self.is_indicator and name in REPEATABLE):
                takers = ", ".join(REPEATABLE)
                raise self.wrong(f"{place}, {name}, '{lists[0]}'", f"only {takers} of indicator forms take a list.")
        return {
            name: {
                plain(str(label)): tuple(map(str, code)) if isinstance(code, list) else str(code)
                for label, code in labels.items()
            }
            for name, labels in raw.items()
        }

    def source(self, raw: Any, place: str) -> Source:
        raw = self.mapping(raw, place, ("from",), ("pattern", "heading", "type", "means", "text"))
        origin = self.one_of(raw["from"], SOURCES, f"{place}, from")
        if (origin == "fixed") != ("text" in raw):
            raise self.wrong(place, "'text' goes with 'from: fixed', and with nothing else.")
        if (origin == "column") != ("heading" in raw):
            raise self.wrong(place, "'heading' goes with 'from: column', and with nothing else.")
        if origin in ("file_name", "cell") and not raw.get("pattern"):
            raise self.wrong(place, f"'from: {origin}' needs a pattern.")
        kind = self.one_of(raw["type"], PERIOD_TYPES, f"{place}, type") if "type" in raw else None
        means = self.mapping(raw.get("means") or {}, f"{place}, means", (), raw.get("means") or {})
        return Source(
            origin,
            self.pattern(raw.get("pattern"), place),
            raw.get("heading"),
            kind,
            {plain(str(found)): str(meaning) for found, meaning in means.items()},
            str(raw["text"]) if "text" in raw else None,
        )

    def pattern(self, raw: Any, place: str) -> re.Pattern[str] | None:
        try:
            return None if raw is None else re.compile(str(raw), re.IGNORECASE)
        except re.error as error:
            raise self.wrong(f"{place}, pattern", f"'{raw}' is no regular expression: {error}.") from None

    def edition(self, raw: Any, form_labels: Mapping[str, Mapping[str, Any]]) -> Edition:
        place = f"edition '{raw.get('name') if isinstance(raw, dict) else raw}'"
        raw = self.mapping(raw, place, ("name",), (*_OF_EDITIONS, *_OF_TABLES, "tables"))
        labels = _merged(form_labels, self.checked_labels(raw.get("labels"), f"{place}, labels"))
        if raw.get("tables") is None:
            return self.checked(self.table(raw, labels, place), place)
        shared = {key: value for key, value in raw.items() if key not in ("tables", "labels")}
        tables = tuple(self.part(item, shared, labels, place) for item in raw["tables"])
        return replace(self.table({**shared, "columns": {}}, labels, place), tables=tables)

    def part(self, raw: Any, shared: Mapping[str, Any], labels: Mapping[str, Mapping[str, Any]], place: str) -> Edition:
        """Return one of an edition's tables; what it doesn't say itself, the edition says."""
        raw = self.mapping(raw, f"{place}, tables", ("sheets",), (*_OF_TABLES, "optional"))
        place = f"{place}, table of {', '.join(self.texts(raw['sheets'], place))}"
        own = _merged(labels, self.checked_labels(raw.get("labels"), f"{place}, labels"))
        table = self.table({**shared, **raw}, own, place)
        return replace(self.checked(table, place), optional=bool(raw.get("optional", False)))

    def table(self, raw: Mapping[str, Any], labels: Mapping[str, Mapping[str, Any]], place: str) -> Edition:
        header = self.mapping(raw.get("header") or {}, f"{place}, header", (), ("rows", "find"))
        period = self.mapping(raw.get("period") or {}, f"{place}, period", (), ("type", "ends"))
        lists: dict[str, Any] = {key: self.texts(raw.get(key), f"{place}, {key}") for key in _LISTS}
        return Edition(
            name=str(raw["name"]),
            columns=self.columns(raw.get("columns") or {}, f"{place}, columns"),
            wide=tuple(self.wide(item, f"{place}, wide") for item in raw.get("wide") or ()),
            partner=raw.get("partner"),
            example=str(raw["example"]) if "example" in raw else None,
            from_quarter=self.quarter(raw, "from_quarter", place),
            to_quarter=self.quarter(raw, "to_quarter", place),
            **lists,
            encoding=self.encoding(raw.get("encoding"), place),
            delimiter=raw.get("delimiter"),
            header_rows=int(self.one_of(str(header.get("rows", 1)), ("1", "2", "3"), f"{place}, header, rows")),
            header_find=self.texts(header.get("find"), f"{place}, header, find"),
            values=self.values(raw.get("values") or {}, f"{place}, values"),
            period_type=self.one_of(period["type"], PERIOD_TYPES, f"{place}, period, type")
            if "type" in period
            else None,
            period_ends=self.one_of(period.get("ends", "any"), ENDS, f"{place}, period, ends"),
            says=tuple(self.statement(item, f"{place}, says") for item in raw.get("says") or ()),
            fill_down=self.fill_down(raw.get("fill_down"), f"{place}, fill_down"),
            titles=tuple(self.title(item, f"{place}, titles") for item in raw.get("titles") or ()),
            labels=_single(labels),
            repeated=_lists(labels),
        )

    def fill_down(self, raw: Any, place: str) -> dict[str, str | None]:
        if raw is not None and not isinstance(raw, list):
            raise self.wrong(place, f"expected a list in brackets, found '{raw}'.")
        filled: dict[str, str | None] = {}
        for item in raw or ():
            raw_entry = item if isinstance(item, dict) else {"heading": item}
            entry = self.mapping(raw_entry, place, ("heading",), ("within",))
            filled[str(entry["heading"])] = str(entry["within"]) if "within" in entry else None
        return filled

    def title(self, raw: Any, place: str) -> TitleRule:
        raw = self.mapping(raw, place, ("is", "at"), ("like",))
        fields = self.fields if not self.is_indicator else WIDE_TEXTS
        return TitleRule(
            self.one_of(raw["is"], tuple(fields), f"{place}, is"),
            self.place_of(raw["at"], f"{place}, at"),
            self.texts(raw.get("like"), f"{place}, like"),
        )

    def place_of(self, raw: Any, place: str) -> int:
        """Return a column's place, from 0, by its letters."""
        if not re.fullmatch(r"[A-Z]{1,2}", str(raw)):
            raise self.wrong(place, f"expected the letter of a column, such as A; found '{raw}'.")
        number = 0
        for letter in str(raw):
            number = number * 26 + ord(letter) - 64
        return number - 1

    def checked(self, edition: Edition, place: str) -> Edition:
        headings = {heading for column in edition.columns for heading in (column.heading, *column.also)}
        for heading in (name for pair in edition.fill_down.items() for name in pair if name is not None):
            if heading not in headings:
                raise self.wrong(f"{place}, fill_down", f"'{heading}' is no heading of columns.")
        if edition.wide and not self.is_indicator:
            raise self.wrong(f"{place}, wide", "only indicator forms have columns that are values.")
        is_valued = any(rule.role == "value" for rule in edition.wide) or any(
            column.field == "value" for column in edition.columns
        )
        if self.is_indicator and not is_valued:
            raise self.wrong(place, "no column is a value: name one in columns, or list wide columns.")
        if not edition.columns and not edition.wide:
            raise self.wrong(place, "the key 'columns' is missing.")
        return edition

    def quarter(self, raw: Mapping[str, Any], key: str, place: str) -> FinancialQuarter | None:
        try:
            return None if raw.get(key) is None else FinancialQuarter.parse(str(raw[key]))
        except ValueError as error:
            raise self.wrong(f"{place}, {key}", str(error)) from None

    def encoding(self, raw: Any, place: str) -> str | None:
        try:
            "".encode(raw or "utf-8")
        except LookupError:
            raise self.wrong(
                f"{place}, encoding", f"unknown encoding '{raw}'; expected such as cp1252 or utf-8."
            ) from None
        return str(raw) if raw else None

    def columns(self, raw: Any, place: str) -> tuple[ColumnRule, ...]:
        if not isinstance(raw, dict):
            raise self.wrong(place, f"expected 'heading: what it is' pairs, found '{raw}'.")
        return tuple(self.column(str(heading), item, f"{place}, '{heading}'") for heading, item in raw.items())

    def column(self, heading: str, raw: Any, place: str) -> ColumnRule:
        raw = self.mapping({"is": raw} if isinstance(raw, str) else raw, place, ("is",), ("also", "optional", "at"))
        kind = self.one_of(raw["is"], (*self.fields, "ignore"), place)
        return ColumnRule(
            heading,
            kind,
            self.texts(raw.get("also"), f"{place}, also"),
            bool(raw.get("optional", False)),
            self.place_of(raw["at"], f"{place}, at") if "at" in raw else None,
        )

    def wide(self, raw: Any, place: str) -> WideRule:
        raw = self.mapping(raw, place, (), ("heading", "also", "pattern", "is", "optional", "blank", *WIDE_TEXTS))
        if ("heading" in raw) == ("pattern" in raw):
            raise self.wrong(place, "each entry has either a heading or a pattern.")
        pattern = self.pattern(raw.get("pattern"), place)
        for group in pattern.groupindex if pattern else ():
            self.one_of(group, WIDE_TEXTS, f"{place}, named group of the pattern")
        return WideRule(
            role=self.one_of(raw.get("is", "value"), WIDE_ROLES, f"{place}, is"),
            headings=(str(raw["heading"]), *self.texts(raw.get("also"), f"{place}, also")) if "heading" in raw else (),
            pattern=pattern,
            texts={key: str(raw[key]) for key in WIDE_TEXTS if key in raw},
            optional=bool(raw.get("optional", False)),
            leave_out_blank=self.one_of(raw.get("blank", "keep"), ("keep", "leave_out"), f"{place}, blank")
            == "leave_out",
        )

    def values(self, raw: Any, place: str) -> dict[str, str | Source]:
        raw = self.mapping(raw, place, (), self.fields)
        return {
            key: self.source(item, f"{place}, {key}") if isinstance(item, dict) else str(item)
            for key, item in raw.items()
        }

    def statement(self, raw: Any, place: str) -> Statement:
        raw = self.mapping(raw, place, ("is", "from"), ("pattern", "heading", "type", "means", "optional"))
        source = self.source({key: item for key, item in raw.items() if key not in ("is", "optional")}, place)
        return Statement(
            self.one_of(raw["is"], ("quarter", "partner"), f"{place}, is"), source, bool(raw.get("optional", False))
        )


def _merged(
    first: Mapping[str, Mapping[str, Any]], second: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in sorted({*first, *second})}


def _single(labels: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    return {
        name: {label: code for label, code in codes.items() if isinstance(code, str)} for name, codes in labels.items()
    }


def _lists(labels: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (name.removesuffix("s"), label): codes
        for name, by_label in labels.items()
        for label, codes in by_label.items()
        if isinstance(codes, tuple)
    }


_OF_EDITIONS = (
    "partner",
    "example",
    "from_quarter",
    "to_quarter",
    "file_names",
    "ignore_sheets",
    "encoding",
    "delimiter",
)
_OF_TABLES = (
    *("sheets", "header", "columns", "wide", "values", "period", "says", "fill_down", "titles", "line_if_filled"),
    *("stop_at", "skip_lines", "labels"),
)
_LISTS = ("file_names", "sheets", "ignore_sheets", "line_if_filled", "stop_at", "skip_lines")


def code_for(label: str | None, labels: Mapping[str, str], codes: Iterable[str] = ()) -> str | None:
    """Return the code of a label as sent; a code itself may be sent, too. None where it is unknown."""
    if label is None:
        return None
    known = {**{plain(code): code for code in codes}, **{plain(code): code for code in labels.values()}, **labels}
    found = matching(label, known)
    return None if found is None else known[found]
