"""Writes a blank form as a workbook: one table a sheet, headings frozen, cells that say what they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from quarterday.blanks.earlier import Earlier
from quarterday.blanks.guide import due_day, guide_lines, shown_day
from quarterday.blanks.plan import Blank, BlankRow, BlankSheet
from quarterday.blanks.rules import Rule
from quarterday.reading.files import EARLIER_SHEET, GUIDE_SHEET
from quarterday.receipts import plain_words, safe_cell

LISTS_SHEET = "Lists"
FIRST_DAY = date(2000, 1, 1)
PROMPT_LENGTH = 255
TITLE_LENGTH = 32
LIST_LENGTH = 250
HEADING_FILL = PatternFill("solid", fgColor="FFD9E2EC")
INPUT_FILL = PatternFill("solid", fgColor="FFFFFBE6")
MISSING_FILL = PatternFill("solid", bgColor="FFFFD6D6")


def write_blank(blank: Blank, earlier: Earlier, path: Path) -> None:
    """Write a blank form.

    Args:
        blank: What it holds.
        earlier: The last figures, for a sheet that the loader leaves out.
        path: Where to; there is no file yet.
    """
    book = Workbook()
    writer = _Writer(book)
    guide = book.active
    assert isinstance(guide, Worksheet)
    guide.title = GUIDE_SHEET
    _write_guide(blank, guide)
    for sheet in blank.sheets:
        writer.sheet(sheet, blank)
    _write_earlier(earlier, book.create_sheet(EARLIER_SHEET))
    writer.write_lists()
    book.active = 1
    guide.sheet_view.tabSelected = False
    book.properties.title = f"{plain_words(blank.form.name)}, {blank.quarter.label}"
    book.properties.language = "en-GB"
    with path.open("xb") as file:
        book.save(file)


class _Writer:
    """One workbook while it is written; keeps the lists that cells choose from."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.lists: dict[tuple[str, ...], str] = {}

    def sheet(self, plan: BlankSheet, blank: Blank) -> None:
        sheet = self.book.create_sheet(plan.name[:31])
        due = due_day(blank)
        by = f", due {shown_day(due)}" if due else ""
        sheet["A1"] = f"{plain_words(blank.form.name)}: return of {plain_words(blank.partner)}{by}"
        sheet["A1"].font = Font(bold=True, size=14)
        top = 2 + len(plan.statements) + plan.header_rows
        for row, statement in enumerate(plan.statements, start=2):
            sheet.cell(row, 1, statement.label)
            cell = sheet.cell(row, 2, statement.text)
            if statement.rule:
                cell.fill, cell.protection = INPUT_FILL, Protection(locked=False)
                self.validate(sheet, statement.rule, [(row, row)], 2)
        last = self.headings(sheet, plan, top)
        self.rows(sheet, plan, last)
        sheet.freeze_panes = sheet.cell(last + 1, 2)
        if plan.is_prefilled:
            self.protect(sheet)

    def headings(self, sheet: Worksheet, plan: BlankSheet, top: int) -> int:
        """Write the headings, their upper rows repeated over each column instead of merged; return their last row."""
        for column in plan.columns:
            parts = column.heading.split(" | ") if column.heading else []
            for row, part in enumerate(parts, start=top):
                cell = sheet.cell(row, column.place + 1, part)
                cell.font, cell.fill = Font(bold=True), HEADING_FILL
                cell.alignment = Alignment(wrap_text=True, vertical="top")
            width = max([12, *(min(len(part) + 2, 40) for part in parts)])
            sheet.column_dimensions[get_column_letter(column.place + 1)].width = width
        return top + max((len(column.heading.split(" | ")) for column in plan.columns), default=1) - 1

    def rows(self, sheet: Worksheet, plan: BlankSheet, last: int) -> None:
        cells: dict[tuple[int, Rule], list[int]] = {}
        for number, row in enumerate(plan.rows, start=last + 1):
            for place, text in row.given.items():
                sheet.cell(number, place + 1, text)
                letter = get_column_letter(place + 1)
                sheet.column_dimensions[letter].width = max(
                    sheet.column_dimensions[letter].width, min(len(text) + 2, 60)
                )
            for place, rule in _inputs(row, plan):
                cell = sheet.cell(number, place + 1)
                cell.protection = Protection(locked=False)
                if row.given:
                    cell.fill = INPUT_FILL
                if rule.kind == "date":
                    cell.number_format = "yyyy-mm-dd"
                cells.setdefault((place, rule), []).append(number)
        for (place, rule), numbers in cells.items():
            self.validate(sheet, rule, _ranges(numbers), place + 1)
        self.mark_missing(sheet, plan, last)

    def mark_missing(self, sheet: Worksheet, plan: BlankSheet, last: int) -> None:
        """Colour a required cell that is blank in a row that is begun; the words are in the cell's own message."""
        first, end = last + 1, last + len(plan.rows)
        width = get_column_letter(max(column.place for column in plan.columns) + 1)
        for column in plan.columns:
            if column.rule and column.rule.required and end >= first:
                letter = get_column_letter(column.place + 1)
                formula = f"AND(LEN(TRIM({letter}{first}))=0,COUNTA($A{first}:${width}{first})>0)"
                rule = FormulaRule(formula=[formula], fill=MISSING_FILL)  # type: ignore[no-untyped-call]
                sheet.conditional_formatting.add(f"{letter}{first}:{letter}{end}", rule)

    def protect(self, sheet: Worksheet) -> None:
        sheet.protection.sheet = True
        for name in ("formatColumns", "formatRows", "sort", "autoFilter"):
            setattr(sheet.protection, name, False)

    def validate(self, sheet: Worksheet, rule: Rule, ranges: Iterable[tuple[int, int]], column: int) -> None:
        """Give cells of a column their rule: what they take, and the words when one goes to them or writes amiss."""
        ranges, letter = list(ranges), get_column_letter(column)
        check = self.check(rule, f"{letter}{ranges[0][0]}")
        check.allow_blank = not rule.required
        check.promptTitle = (rule.title or "To fill in")[:TITLE_LENGTH]
        check.prompt = rule.message[:PROMPT_LENGTH] or None
        check.showInputMessage = bool(rule.message)
        check.errorTitle = "That can't be read"
        check.error = _error(rule)[:PROMPT_LENGTH]
        check.showErrorMessage = check.type not in (None, "none")
        for first, last in ranges:
            check.add(f"{letter}{first}:{letter}{last}")
        sheet.add_data_validation(check)

    def check(self, rule: Rule, cell: str) -> DataValidation:
        if rule.kind == "list":
            return DataValidation(type="list", formula1=self.choices((*rule.choices, *rule.marks)))
        if rule.kind == "text":
            return DataValidation(type=None)
        if rule.marks:
            return DataValidation(type="custom", formula1=_formula(rule, cell))
        if rule.kind == "date":
            first, last = _days(rule)
            return DataValidation(type="date", operator="between", formula1=first, formula2=last)
        if rule.minimum is not None and rule.maximum is not None:
            bounds = {"operator": "between", "formula1": _shown(rule.minimum), "formula2": _shown(rule.maximum)}
        elif rule.maximum is not None:
            bounds = {"operator": "lessThanOrEqual", "formula1": _shown(rule.maximum)}
        else:
            bounds = {
                "operator": "greaterThanOrEqual",
                "formula1": _shown(-1e15 if rule.minimum is None else rule.minimum),
            }
        return DataValidation(type=rule.kind, **bounds)  # type: ignore[arg-type]

    def choices(self, choices: tuple[str, ...]) -> str:
        """Return a list for cells to choose from: in the rule itself, or where it is long on a hidden sheet."""
        text = ",".join(choices)
        if len(text) <= LIST_LENGTH and not any("," in choice or '"' in choice for choice in choices):
            return f'"{text}"'
        letter = get_column_letter(len(self.lists) + 1)
        return self.lists.setdefault(choices, f"{LISTS_SHEET}!${letter}$1:${letter}${len(choices)}")

    def write_lists(self) -> None:
        if self.lists:
            sheet = self.book.create_sheet(LISTS_SHEET)
            sheet.sheet_state = "hidden"  # hidden sheets are no part of a return
            for column, choices in enumerate(self.lists, start=1):
                for row, choice in enumerate(choices, start=1):
                    sheet.cell(row, column, choice)


def _inputs(row: BlankRow, plan: BlankSheet) -> Iterator[tuple[int, Rule]]:
    """Yield the cells of a row that are to be filled in, with what they take."""
    if not plan.is_prefilled and row.rules:
        yield from row.rules.items()
        return
    if row.given and not plan.is_prefilled:
        return  # a title
    for column in plan.columns:
        rule = row.rules.get(column.place) or column.rule
        if rule and (column.place not in row.given or column.place in row.open):
            yield column.place, rule


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Return runs of numbers that follow each other, as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _formula(rule: Rule, cell: str) -> str:
    """Return a formula that is true for a value within its bounds and for each mark."""
    tests = [f"ISNUMBER({cell})"]
    if rule.kind == "whole":
        tests.append(f"{cell}=INT({cell})")
    if rule.kind == "date":
        first, last = _days(rule)
        tests += [f"{cell}>={first}", f"{cell}<={last}"]
    else:
        tests += [f"{cell}>={_shown(rule.minimum)}"] if rule.minimum is not None else []
        tests += [f"{cell}<={_shown(rule.maximum)}"] if rule.maximum is not None else []
    marks = [f'{cell}="{mark.replace(chr(34), chr(34) * 2)}"' for mark in rule.marks]
    # IFERROR: INT of a text is an error, and so would be the whole formula.
    return f"OR(IFERROR(AND({','.join(tests)}),FALSE),{','.join(marks)})"


def _days(rule: Rule) -> tuple[str, str]:
    first = FIRST_DAY if rule.minimum is None else date.fromordinal(int(rule.minimum))
    return f"DATE({first.year},{first.month},{first.day})", "TODAY()" if "send" in rule.message else "DATE(2099,12,31)"


def _shown(number: float | None) -> str:
    return "" if number is None else str(int(number)) if float(number).is_integer() else str(number)


def _error(rule: Rule) -> str:
    kinds = {
        "whole": "a whole number",
        "decimal": "a number",
        "date": "a date",
        "list": "one of the list",
        "text": "text",
    }
    bounds = [f"at least {_shown(rule.minimum)}"] if rule.minimum is not None else []
    bounds += [f"at most {_shown(rule.maximum)}"] if rule.maximum is not None else []
    marks = f", or {', '.join(rule.marks)}" if rule.marks else ""
    return f"Expected {kinds[rule.kind]}{', ' + ' and '.join(bounds) if bounds else ''}{marks}."


def _write_guide(blank: Blank, sheet: Worksheet) -> None:
    sheet["A1"] = f"How to fill in the return for {blank.quarter.label}"
    _write_table(sheet, ("What", "What to know"), guide_lines(blank), (30, 100))


def _write_earlier(earlier: Earlier, sheet: Worksheet) -> None:
    sheet["A1"] = "Earlier figures"
    sheet["A2"] = earlier.note
    if earlier.lines:
        _write_table(sheet, earlier.headings, earlier.lines, tuple(24 for _ in earlier.headings))


def _write_table(
    sheet: Worksheet, headings: tuple[str, ...], lines: Iterable[tuple[str | None, ...]], widths: tuple[int, ...]
) -> None:
    """Write a table with its title in A1, its headings in row 3 and frozen."""
    sheet["A1"].font = Font(bold=True, size=14)
    for column, (heading, width) in enumerate(zip(headings, widths, strict=True), start=1):
        cell = sheet.cell(3, column, heading)
        cell.font, cell.fill = Font(bold=True), HEADING_FILL
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row, line in enumerate(lines, start=4):
        for column, text in enumerate(line, start=1):
            sheet.cell(row, column, str(safe_cell(text or ""))).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A4"
