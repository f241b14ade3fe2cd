"""What a workbook stores of some cells that calamine gives no word of: errors, formulas without a result, percentages.

Read from the parts of the file themselves, and only where they say that there are such cells: the text of an error
(``#DIV/0!``), the formula whose result is missing (``=SUM(B2:B5)``), and that a number is shown as a percentage.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import unescape

import xlrd

PERCENT = "%"
# A cell is never split by more than this between two chunks: a formula has at most 8,192 characters.
OVERLAP = 16_384

# By (row, column) from 1: the text to show, or PERCENT where the number is to be shown as a percentage.
Cells = dict[tuple[int, int], str]
# Merged cells: (first row, first column), (last row, last column), from 1.
Area = tuple[tuple[int, int], tuple[int, int]]

_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_ERROR = re.compile(
    rb'<(?:\w+:)?c\s([^>]*\bt="e"[^>]*)>(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?<(?:\w+:)?v>([^<]*)<'
)
_FORMULA = re.compile(
    rb'<(?:\w+:)?c\s((?:(?!\bt="str")[^>])*)><(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"
)
# In an xls: the record of a cell that is an error, and that of a formula whose result is one.
_XLS_ERROR = re.compile(
    rb"\x05\x02\x08\x00.{6}[\x00\x07\x0f\x17\x1d\x24\x2a\x2b]\x01"
    rb"|\x06\x00.{8}\x02.[\x00\x07\x0f\x17\x1d\x24\x2a\x2b].{3}\xff\xff",
    re.DOTALL,
)
_BUILT_IN_PERCENT = {b"9", b"10"}
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "


def column_number(letters: bytes) -> int:
    """Return a column's number from 1: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def shown_cell(value: Any, text: str | None, stored: str) -> str | None:
    """Return a cell's text with what is stored of it: 0.413 shown as a percentage is '41.3%'."""
    if stored != PERCENT:
        return stored
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text
    number = Decimal(format(value, ".15g")) * 100
    return format(number.normalize() if number else Decimal(0), "f") + "%"


def sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the name of each sheet of an xlsx by the part that holds it; nothing where the file doesn't say."""
    try:
        targets = {
            relation.get("Id"): "xl/" + str(relation.get("Target")).removeprefix("/xl/")
            for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        }
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    except (KeyError, ElementTree.ParseError):
        return {}  # calamine will say what is wrong with the file
    sheets = (element for element in book.iter() if element.tag.endswith("}sheet"))
    return {targets.get(sheet.get(_RELATION), ""): str(sheet.get("name")) for sheet in sheets}


def percent_styles(archive: zipfile.ZipFile) -> set[bytes]:
    """Return the numbers of the cell styles of an xlsx that show a percentage."""
    try:
        styles = archive.read("xl/styles.xml")
    except KeyError:
        return set()
    formats = {_attribute(tag, b"numFmtId") for tag in re.findall(rb"<(?:\w+:)?numFmt\s[^>]*>", styles) if _shows(tag)}
    block = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    cells = re.findall(rb"<(?:\w+:)?xf\s[^>]*>", block.group()) if block else []
    wanted = formats | _BUILT_IN_PERCENT
    return {str(number).encode() for number, tag in enumerate(cells) if _attribute(tag, b"numFmtId") in wanted}


def _attribute(tag: bytes, name: bytes) -> bytes | None:
    match = re.search(rb"\b%s=\"([^\"]*)\"" % name, tag)
    return match[1] if match else None


def _shows(tag: bytes) -> bool:
    """Say whether a number format shows a percentage: quoted and escaped signs are only text."""
    code = unescape((_attribute(tag, b"formatCode") or b"").decode(errors="replace"), {"&quot;": '"'})
    return "%" in re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code)


class SheetPart:
    """Gathers the stored cells of one sheet of an xlsx while its part is read chunk by chunk."""

    def __init__(self, percent: set[bytes]) -> None:
        self.cells: Cells = {}
        styles = b"|".join(sorted(percent))
        self.percent = re.compile(rb'<(?:\w+:)?c\s([^>]*\bs="(?:%s)"[^>]*)(?<!/)>' % styles) if percent else None

    def take(self, chunk: bytes, has_error: bool, has_formula: bool) -> None:
        """Look through a chunk, which begins with the end of the one before and may have errors or formulas in it."""
        if self.percent:
            self.keep((attributes, PERCENT) for attributes in self.percent.findall(chunk))
        if has_error:
            self.keep((attributes, _text(error)) for attributes, error in _ERROR.findall(chunk))
        if has_formula:
            self.keep((attributes, "=" + (_text(formula) or "…")) for attributes, formula in _FORMULA.findall(chunk))

    def keep(self, found: Iterator[tuple[bytes, str]]) -> None:
        """Note cells by the place that their tag names."""
        for attributes, text in found:
            if place := _REFERENCE.search(attributes):
                self.cells[int(place[2]), column_number(place[1])] = text


def _text(content: bytes) -> str:
    return unescape(content.decode(errors="replace"), {"&quot;": '"', "&apos;": "'"})


def xls_errors(content: bytes) -> dict[str, Cells]:
    """Return the text of every cell of an xls that is an error, by the sheet's name; nothing where xlrd can't read it.

    Calamine says of such a file what is wrong with it.
    """
    if not _XLS_ERROR.search(content):
        return {}
    try:
        with xlrd.open_workbook(file_contents=content, ragged_rows=True, logfile=io.StringIO()) as book:
            return {sheet.name: dict(_xls_errors_of(sheet)) for sheet in book.sheets()}
    except Exception:  # of a damaged file it raises whatever it meets
        return {}


def _xls_errors_of(sheet: xlrd.sheet.Sheet) -> Iterator[tuple[tuple[int, int], str]]:
    for row in range(sheet.nrows):
        for column, kind in enumerate(sheet.row_types(row)):
            if kind == xlrd.XL_CELL_ERROR:
                code = sheet.cell_value(row, column)
                yield (row + 1, column + 1), xlrd.error_text_from_code.get(code, "#ERROR!")


def ods_cells(content: bytes) -> dict[str, Cells]:
    """Return the stored cells of every sheet of an ods, by the sheet's name; ``content`` is its content.xml.

    Raises:
        xml.parsers.expat.ExpatError: The part is no XML.
    """
    reading = _OdsReading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.CharacterDataHandler = reading.characters
    parser.Parse(content, True)
    return reading.tables


class _OdsReading:
    """Counts rows and cells of a content.xml as a person does, and keeps those that are a percentage or an error."""

    def __init__(self) -> None:
        self.tables: dict[str, Cells] = {}
        self.table: Cells = {}
        self.row, self.column, self.rows, self.columns = 0, 0, 1, 1
        self.kind, self.words = "", ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == f"{_TABLE}table":
            self.table = self.tables.setdefault(attributes.get(f"{_TABLE}name", ""), {})
            self.row, self.rows = 0, 1
        elif tag == f"{_TABLE}table-row":
            self.row += self.rows
            self.rows, self.column, self.columns = _times(attributes, "rows"), 0, 1
        elif tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            self.column += self.columns
            self.columns, self.words = _times(attributes, "columns"), ""
            kinds = [value for name, value in attributes.items() if name.endswith(" value-type")]
            self.kind = next((kind for kind in ("error", "percentage") if kind in kinds), "")

    def characters(self, text: str) -> None:
        if self.kind == "error":
            self.words += text

    def end(self, tag: str) -> None:
        if tag == f"{_TABLE}table-row":
            self.row, self.rows = self.row + self.rows - 1, 1
        if tag.endswith("table-cell") and self.kind:
            # Repeated cells are few in a form; what stands beyond a thousand is refused as too large or is blank.
            stored = PERCENT if self.kind == "percentage" else self.words or "#ERROR!"
            for column in range(self.column, self.column + min(self.columns, 1000)):
                self.table[self.row, column] = stored
            self.kind = ""


def _times(attributes: dict[str, str], what: str) -> int:
    text = attributes.get(f"{_TABLE}number-{what}-repeated", "1")
    return int(text) if text.isdecimal() else 1
