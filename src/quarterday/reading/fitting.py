"""Holds a sheet against an edition: which row is the header, which column is what, and what is missing or unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from quarterday.errors import Finding
from quarterday.layouts import ColumnRule, Edition, WideRule
from quarterday.reading.files import Sheet
from quarterday.reading.grids import Row
from quarterday.reading.places import letter
from quarterday.wording import is_like, plain

HEADER_WITHIN_ROWS = 200
REMEDY = "Send the form with its own headings. If the form itself has changed, tell the office: it needs a new edition."


@dataclass(frozen=True)
class WideColumn:
    """A column of values: where it is, its heading as sent and what that says."""

    index: int
    heading: str
    rule: WideRule
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Fit:
    """How a sheet fits: ``header_line`` is the last row of the header, ``headings`` those as sent, by column from 0."""

    sheet: Sheet
    header_line: int
    first_header_line: int
    headings: tuple[str | None, ...]
    columns: Mapping[int, ColumnRule]
    wide: tuple[WideColumn, ...]
    edition: Edition

    def heading(self, index: int) -> str:
        """Return a column's heading, or its letter where it has none."""
        heading = self.headings[index] if index < len(self.headings) else None
        return heading or letter(index)


def choose_sheets(
    sheets: list[Sheet], edition: Edition, check_id: str
) -> tuple[list[tuple[Sheet, Edition]], list[Finding]]:
    """Return the sheets to read, each with its table's layout, and a finding for each that is missing or unknown.

    A csv is its only sheet.
    """
    tables = edition.tables or (edition,)
    if len(sheets) == 1 and sheets[0].name is None:
        return [(sheets[0], tables[0])], []
    filled = [sheet for sheet in sheets if any(_is_filled(cells) for _, cells in sheet.rows())]
    filled = [sheet for sheet in filled if not is_like(sheet.name or "", edition.ignore_sheets)]
    wanted = [(sheet, table) for table in tables for sheet in _wanted(filled, table)]
    unknown = [sheet for sheet in filled if not any(sheet is known for known, _ in wanted)]
    findings = [
        Finding(
            check_id,
            " or ".join(_sheet_words(table) for table in tables),
            sheet.name,
            "Name the sheet as on the form, or take it out of the file.",
            sheet=sheet.name,
        )
        for sheet in unknown
    ]
    missing = [table for table in tables if not any(table is known for _, known in wanted) and not table.optional]
    if not unknown or edition.tables:
        findings += [
            Finding(
                check_id, _sheet_words(table), None, "Send the form with its sheets filled in, none of them hidden."
            )
            for table in missing
        ]
    return wanted, findings


def _wanted(filled: list[Sheet], table: Edition) -> list[Sheet]:
    return [sheet for sheet in filled if is_like(sheet.name or "", table.sheets)] if table.sheets else filled[:1]


def _sheet_words(table: Edition) -> str:
    if not table.sheets:
        return "one sheet with the form on it"
    return f"a sheet named like {' or '.join(repr(name) for name in table.sheets)}"


def fit_sheet(sheet: Sheet, edition: Edition, check_id: str) -> tuple[Fit | None, list[Finding]]:
    """Find the header of a sheet and say what every column is.

    Returns:
        The fit, and a finding for every heading that is missing, unknown or there twice. No fit where no row is a
        header.
    """
    top = list(islice(sheet.rows(), HEADER_WITHIN_ROWS))
    best, most = None, 0
    for start in range(len(top)):
        headings = headings_of(top[start : start + edition.header_rows], sheet)
        if edition.header_find and not _holds(headings, edition.header_find):
            continue
        named = [heading for heading in headings if heading]
        # Below the header, hardly a row has so many cells that it could be the better one.
        claimed = sum(_claims(heading, edition) for heading in named) if len(named) > most else 0
        if claimed > most:
            best, most = (start, headings), claimed
    if best is None:
        return None, [_no_header(sheet, top, edition, check_id)]
    start, headings = best
    last = min(start + edition.header_rows, len(top)) - 1
    fit = _fit(sheet, top[last][0], top[start][0], headings, edition)
    return fit, _faults(fit, edition, check_id)


def _is_filled(cells: Iterable[str | None]) -> bool:
    return any(cell and cell.strip() for cell in cells)


def headings_of(rows: list[Row], sheet: Sheet) -> tuple[str | None, ...]:
    """Return one heading per column; the parts of several rows are joined with ' | '."""
    width = max((len(cells) for _, cells in rows), default=0)
    parts: list[list[str]] = [[] for _ in range(width)]
    for level, (line, cells) in enumerate(rows):
        cells = [cell.strip() if cell and cell.strip() else None for cell in cells] + [None] * (width - len(cells))
        if level < len(rows) - 1:
            cells = _spread(line, cells, sheet)
        for index, cell in enumerate(cells):
            if cell:
                parts[index].append(cell)
    return tuple(" | ".join(part) or None for part in parts)


def _spread(line: int, cells: list[str | None], sheet: Sheet) -> list[str | None]:
    """Give an upper heading to every column under it: as far as it is merged, or to the next where nothing is."""
    across = [(left, right) for (top, left), (bottom, right) in sheet.merged if top <= line <= bottom and right > left]
    spread = list(cells)
    for left, right in across:
        spread[left - 1 : right] = [cells[left - 1]] * (min(right, len(cells)) - left + 1)
    if not across:
        for index in range(1, len(spread)):
            spread[index] = spread[index] or spread[index - 1]
    return spread


def _holds(headings: Iterable[str | None], wanted: Iterable[str]) -> bool:
    there = {
        plain(part, footnotes)
        for heading in headings
        if heading
        for part in (heading, *heading.split(" | "))
        for footnotes in (True, False)
    }
    return all(plain(heading) in there for heading in wanted)


def _claims(heading: str, edition: Edition) -> bool:
    return any(rule.claims(heading) for rule in edition.columns) or any(
        rule.claims(heading) is not None for rule in edition.wide
    )


def _fit(sheet: Sheet, header_line: int, first: int, headings: tuple[str | None, ...], edition: Edition) -> Fit:
    columns = {rule.place: rule for rule in edition.columns if rule.place is not None}
    headings = (*headings, *[None] * (max(columns, default=-1) + 1 - len(headings)))
    wide: list[WideColumn] = []
    for index, heading in enumerate(headings):
        if heading is None or index in columns:
            continue
        rule = next((rule for rule in edition.columns if rule.claims(heading)), None)
        if rule:
            columns[index] = rule
            continue
        for wide_rule in edition.wide:
            texts = wide_rule.claims(heading)
            if texts is not None:
                wide.append(WideColumn(index, heading, wide_rule, texts))
                break
    return Fit(sheet, header_line, first, headings, columns, tuple(wide), edition)


def _faults(fit: Fit, edition: Edition, check_id: str) -> list[Finding]:
    taken = {*fit.columns, *(column.index for column in fit.wide)}
    unknown = [heading for index, heading in enumerate(fit.headings) if heading and index not in taken]
    return [
        *_missing(fit, edition, unknown, check_id),
        *_unknown(fit, edition, unknown, check_id),
        *_doubled(fit, check_id),
    ]


def _missing(fit: Fit, edition: Edition, unknown: list[str], check_id: str) -> list[Finding]:
    wanted: list[tuple[str, ColumnRule | WideRule]]
    found_rules = [*fit.columns.values(), *(column.rule for column in fit.wide)]
    wanted = [
        (" or ".join(repr(name) for name in (rule.heading, *rule.also)), rule)
        for rule in edition.columns
        if not rule.optional
    ]
    wanted += [
        (" or ".join(map(repr, rule.headings)) or f"a heading like {rule.name}", rule)
        for rule in edition.wide
        if not rule.optional
    ]
    findings = []
    for expected, rule in wanted:
        if not any(rule is found for found in found_rules):
            name = rule.heading if isinstance(rule, ColumnRule) else rule.name
            nearest = get_close_matches(name, unknown, n=1)
            findings.append(
                Finding(
                    check_id,
                    f"a column headed {expected}",
                    nearest[0] if nearest else None,
                    REMEDY,
                    fit.sheet.name,
                    fit.header_line,
                )
            )
    return findings


def _unknown(fit: Fit, edition: Edition, unknown: list[str], check_id: str) -> list[Finding]:
    if not unknown:
        return []
    expected = f"only the headings of the form: {', '.join(repr(name) for name in _expected_headings(edition))}"
    return [
        Finding(check_id, expected, heading, REMEDY, fit.sheet.name, fit.header_line, heading) for heading in unknown
    ]


def _doubled(fit: Fit, check_id: str) -> list[Finding]:
    findings, seen = [], set()
    for index, rule in sorted(fit.columns.items()):
        if rule.field != "ignore" and id(rule) in seen:
            heading = fit.heading(index)
            findings.append(
                Finding(
                    check_id,
                    f"one column headed '{rule.heading}'",
                    "two",
                    REMEDY,
                    fit.sheet.name,
                    fit.header_line,
                    heading,
                )
            )
        seen.add(id(rule))
    keys = set()
    for column in fit.wide:
        key = (plain(column.heading), column.rule.role)
        if key in keys and column.rule.role != "ignore":
            findings.append(
                Finding(
                    check_id,
                    f"one column headed '{column.heading}'",
                    "two",
                    REMEDY,
                    fit.sheet.name,
                    fit.header_line,
                    column.heading,
                )
            )
        keys.add(key)
    return findings


def _no_header(sheet: Sheet, top: list[Row], edition: Edition, check_id: str) -> Finding:
    wanted = edition.header_find or _expected_headings(edition)
    expected = f"a row with the headings {', '.join(repr(name) for name in wanted)}"
    line, first = next(((line, cells) for line, cells in top if _is_filled(cells)), (None, []))
    found = ", ".join(cell.strip() for cell in first if cell and cell.strip())[:200] or None
    return Finding(check_id, expected, found, REMEDY, sheet.name, line)


def _expected_headings(edition: Edition) -> list[str]:
    return [rule.heading for rule in edition.columns] + [rule.name for rule in edition.wide]
