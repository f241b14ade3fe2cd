"""Makes bad files from good ones. A case names a good file and the steps below that spoil it, with their arguments.

A step either changes the sheets (rows of values, written anew as the file's kind) or the bytes. Where a step wants a
``cell``, it is the first cell that reads just so, or its address (``D8``) after an ``@``.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook, load_workbook
from openpyxl.utils import coordinate_to_tuple, get_column_letter

from quarterday.reading.files import read_grid

DEMO = Path(__file__).parents[2] / "demo" / "returns"
FIRST_DAY_OF_ZIP = (1980, 1, 1, 0, 0, 0)

CUSTODY_LOG: list[list[Any]] = [
    [
        "Visit",
        "Date of visit",
        "Station",
        "Ages",
        "Detainees",
        "Cost (£)",
        "Announced",
        "Visitor",
        "Reference",
        "Remarks",
    ],
    [1, date(2017, 10, 4), "Burton", "18+", 3, 12.5, "no", "A. Ahmed", "R001", "All well"],
    [2, date(2017, 10, 11), "Cannock", "10-17", 1, 8, "no", "B. Brown", "R002", None],
    [3, date(2017, 10, 18), "Hanley", "18+", 12, 1042.75, "no", "C. Clark", "R003", "Cell 4 cold"],
    [4, date(2017, 10, 25), "Stafford", "18+", 0, 0, "no", "D. Davies", "R004", None],
    [5, date(2017, 11, 1), "Burton", "15-17", 2, 12.5, "yes", "E. Evans", "R005", None],
    [6, date(2017, 11, 8), "Cannock", "18+", 7, 8, "no", "F. Fox", "R006", "Interpreter asked for"],
    [7, date(2017, 11, 15), "Hanley", "10-14", 1, 9.99, "no", "G. Green", "R007", None],
    [8, date(2017, 11, 22), "Stafford", "18+", 5, 30, "no", "H. Hall", "R008", None],
    [9, date(2017, 12, 6), "Burton", "18+", 4, 12.5, "no", "I. Iqbal", "R009", None],
    [10, date(2017, 12, 20), "Hanley", "18+", 9, 21, "no", "J. Jones", "R010", "Christmas visit"],
]


@dataclass
class Formula:
    """A cell with a formula; ``kept`` is the result stored beside it, an error or None for none."""

    text: str
    kept: str | None = None


@dataclass
class Shown:
    """A number with the format in which a spreadsheet shows it."""

    value: float
    format: str


@dataclass
class Tab:
    """One sheet. ``merged`` are ranges such as ``B7:C7``."""

    name: str
    rows: list[list[Any]]
    state: str = "visible"
    merged: list[str] = field(default_factory=list)

    def find(self, cell: str) -> tuple[int, int]:
        """Return where a cell is, row and column from 0."""
        if cell.startswith("@"):
            row, column = coordinate_to_tuple(cell[1:])
            return row - 1, column - 1
        for row, cells in enumerate(self.rows):
            for column, value in enumerate(cells):
                if value is not None and str(value) == cell:
                    return row, column
        raise LookupError(f"no cell of sheet '{self.name}' reads '{cell}'")

    def width(self) -> int:
        """Return the number of columns."""
        return max((len(cells) for cells in self.rows), default=0)


@dataclass
class Draft:
    """A file that is being spoiled: its sheets while steps change those, its bytes once they are written."""

    kind: str
    content: bytes
    tabs: list[Tab] | None = None
    delimiter: str = ","
    codec: str = "utf-8"
    line_end: str = "\n"

    def sheets(self) -> list[Tab]:
        """Return the sheets, read from the bytes the first time."""
        if self.tabs is None:
            self.tabs = _read(self)
        return self.tabs

    def tab(self, name: str | None = None) -> Tab:
        """Return a sheet by name, or the first."""
        return next(tab for tab in self.sheets() if name in (None, tab.name))

    def bytes(self) -> bytes:
        """Return the file, with whatever was done to its sheets."""
        if self.tabs is not None:
            self.content = _WRITERS[self.kind](self)
            self.tabs = None
        return self.content

    def text(self) -> str:
        """Return a csv's text."""
        return self.bytes().decode(self.codec)

    def coded(self, text: str) -> bytes:
        """Return some text as it stands within the file."""
        return text.encode("utf-8" if self.codec == "utf-8-sig" else self.codec)


# Good files.


def good_file(base: str) -> Draft:
    """Return a good file: one below demo/returns, or ``custody_log.<kind>``, a register made here."""
    kind = base.rpartition(".")[2]
    if base.startswith("custody_log."):
        return Draft(kind, b"", [Tab("Log", [list(row) for row in CUSTODY_LOG])])
    content = (DEMO / base).read_bytes()
    if kind != "csv":
        return Draft(kind, content)
    codec = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "cp1252" if b"\x96" in content else "utf-8"
    return Draft(
        kind,
        content,
        delimiter=";" if content.startswith(b"Metric;") else ",",
        codec=codec,
        line_end="\r\n" if b"\r\n" in content else "\n",
    )


def spoil(base: str, steps: list[dict[str, Any]]) -> bytes:
    """Return a good file's bytes after some steps, each a mapping of one mutator to its arguments."""
    draft = good_file(base)
    for step in steps:
        ((name, arguments),) = step.items()
        mutator = MUTATORS[name]
        mutator(draft, **arguments) if isinstance(arguments, dict) else mutator(draft, arguments)
    return draft.bytes()


def _read(draft: Draft) -> list[Tab]:
    if draft.kind == "csv":
        return [Tab("", [list(row) for row in csv.reader(io.StringIO(draft.text()), delimiter=draft.delimiter)])]
    if draft.kind == "ods":
        path = DEMO / "ministry_of_justice" / "proven-reoffending-2015-16-Q3.ods"
        return [Tab(str(sheet.name), [list(cells) for _, cells in sheet.rows()]) for sheet in read_grid(path)]
    book = load_workbook(io.BytesIO(draft.content))
    return [
        Tab(sheet.title, [list(row) for row in sheet.iter_rows(values_only=True)], sheet.sheet_state)
        for sheet in book.worksheets
    ]


def _write_csv(draft: Draft) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=draft.delimiter, lineterminator=draft.line_end)
    for row in draft.sheets()[0].rows:
        writer.writerow([_csv_text(value) for value in row])
    return text.getvalue().encode(draft.codec)


def _csv_text(value: Any) -> str:
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    return "" if value is None else str(value)


def _write_xlsx(draft: Draft) -> bytes:
    book = Workbook()
    book.remove(book.active)
    formulas: list[tuple[int, str, Formula]] = []
    for number, tab in enumerate(draft.sheets(), start=1):
        sheet = book.create_sheet(tab.name)
        sheet.sheet_state = tab.state
        for row, cells in enumerate(tab.rows, start=1):
            for column, value in enumerate(cells, start=1):
                if isinstance(value, Formula):
                    formulas.append((number, f"{get_column_letter(column)}{row}", value))
                elif isinstance(value, Shown):
                    sheet.cell(row, column, value.value).number_format = value.format
                elif value is not None:
                    cell = sheet.cell(row, column)
                    cell.value = value
                    if isinstance(value, str):
                        cell.data_type = "s"
        for merged in tab.merged:
            sheet.merge_cells(merged)
    for number, address, _ in formulas:
        book.worksheets[number - 1][address] = 0
    file = io.BytesIO()
    book.save(file)
    return _with_formulas(_zipped(_parts(file.getvalue())), formulas)


def _with_formulas(content: bytes, formulas: list[tuple[int, str, Formula]]) -> bytes:
    parts = _parts(content)
    for number, address, formula in formulas:
        name = f"xl/worksheets/sheet{number}.xml"
        kept = formula.kept
        kind = "" if kept is None else ' t="e"' if kept.startswith("#") else "" if _is_number(kept) else ' t="str"'
        value = "<v></v>" if kept is None else f"<v>{escape(kept)}</v>"
        cell = f'<c r="{address}"{kind}><f>{escape(formula.text)}</f>{value}</c>'
        pattern = rf'<c r="{address}"[^>]*>.*?</c>'.encode()
        parts[name], count = re.subn(pattern, lambda _, cell=cell: cell.encode(), parts[name], count=1)
        assert count == 1, f"no cell {address} in {name}"
    return _zipped(parts)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("table", "table"), ("text", "text"))
)


def _write_ods(draft: Draft) -> bytes:
    tables = "".join(
        f'<table:table table:name="{escape(tab.name)}">'
        + "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in tab.rows)
        + "</table:table>"
        for tab in draft.sheets()
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODS_NAMES} office:version="1.2">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return _zipped(
        {"mimetype": _ODS.encode(), "META-INF/manifest.xml": manifest.encode(), "content.xml": content.encode()}
    )


def _ods_cell(value: Any) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, Shown):
        kind = f'office:value-type="{"percentage" if "%" in value.format else "float"}" office:value="{value.value}"'
    elif isinstance(value, bool):
        kind = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{value}"'
    elif isinstance(value, date):
        kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
    else:
        kind = 'office:value-type="string"'
    shown = value.value if isinstance(value, Shown) else value
    return f"<table:table-cell {kind}><text:p>{escape(str(shown))}</text:p></table:table-cell>"


_WRITERS: dict[str, Callable[[Draft], bytes]] = {"csv": _write_csv, "xlsx": _write_xlsx, "ods": _write_ods}


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {member.filename: archive.read(member) for member in archive.infolist()}


def _zipped(parts: dict[str, bytes]) -> bytes:
    """Return a zip that is the same bytes whenever it is made."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            member = zipfile.ZipInfo(name, FIRST_DAY_OF_ZIP)
            member.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(member, re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2018-01-01T00:00:00Z", part))
    return file.getvalue()


# Steps on sheets.


def set_cell(draft: Draft, cell: str, to: Any, tab: str | None = None) -> None:
    """Put another value into a cell."""
    sheet = draft.tab(tab)
    row, column = sheet.find(cell)
    while len(sheet.rows) <= row:
        sheet.rows.append([])
    cells = sheet.rows[row]
    cells.extend([None] * (column + 1 - len(cells)))
    cells[column] = to


def set_all(draft: Draft, pattern: str, to: str, tab: str | None = None) -> None:
    """Replace a pattern in the text of every cell; numbers count as their text."""
    for cells in draft.tab(tab).rows:
        for index, value in enumerate(cells):
            if value is not None and not isinstance(value, date) and re.search(pattern, str(value)):
                cells[index] = re.sub(pattern, to, str(value))


def formula(draft: Draft, cell: str, text: str, kept: str | None = None, tab: str | None = None) -> None:
    """Put a formula into a cell, with the result that the file keeps of it, if any."""
    set_cell(draft, cell, Formula(text, kept), tab)


def shown(draft: Draft, cell: str, value: float, format: str) -> None:
    """Put a number into a cell, shown in a format such as ``0.0%``."""
    set_cell(draft, cell, Shown(value, format))


def add_rows(
    draft: Draft, rows: list[list[Any]], before: str | None = None, after: str | None = None, tab: str | None = None
) -> None:
    """Put rows before or after the row of a cell; at the end without either."""
    sheet = draft.tab(tab)
    place = sheet.find(before)[0] if before else sheet.find(after)[0] + 1 if after else len(sheet.rows)
    sheet.rows[place:place] = [list(row) for row in rows]


def drop_row(draft: Draft, cell: str) -> None:
    """Take out the row of a cell."""
    sheet = draft.tab()
    del sheet.rows[sheet.find(cell)[0]]


def double_row(draft: Draft, cell: str) -> None:
    """Give the row of a cell a second time, below it."""
    sheet = draft.tab()
    row = sheet.find(cell)[0]
    sheet.rows.insert(row + 1, list(sheet.rows[row]))


def keep_rows_to(draft: Draft, cell: str) -> None:
    """Take out every row below that of a cell."""
    sheet = draft.tab()
    del sheet.rows[sheet.find(cell)[0] + 1 :]


def drop_column(draft: Draft, heading: str) -> None:
    """Take out the column under a heading, from the heading's row down."""
    top, column, sheet = _column(draft, heading)
    for cells in sheet.rows[top:]:
        if column < len(cells):
            del cells[column]


def double_column(draft: Draft, heading: str, headed: str | None = None) -> None:
    """Give the column under a heading a second time, beside it; under another heading where one is given."""
    top, column, sheet = _column(draft, heading)
    for row, cells in enumerate(sheet.rows[top:]):
        if column < len(cells):
            cells.insert(column + 1, headed if headed and row == 0 else cells[column])


def widen(draft: Draft, columns: int) -> None:
    """Give every row so many more cells, each with a text of its own."""
    for row, cells in enumerate(draft.tab().rows):
        cells.extend(f"more {row} {column}" for column in range(columns))


def move_column(draft: Draft, heading: str, to: int) -> None:
    """Move the column under a heading to another place, counted from 1."""
    top, column, sheet = _column(draft, heading)
    for cells in sheet.rows[top:]:
        if column < len(cells):
            cells.insert(to - 1, cells.pop(column))


def add_column(draft: Draft, heading: str | None, after: str, cells: list[Any]) -> None:
    """Put a column beside another one: its heading, then its cells."""
    top, column, sheet = _column(draft, after)
    for index, row in enumerate(sheet.rows[top:]):
        value = heading if index == 0 else cells[index - 1] if index <= len(cells) else None
        row.extend([None] * (column + 1 - len(row)))
        row.insert(column + 1, value)


def _column(draft: Draft, heading: str) -> tuple[int, int, Tab]:
    sheet = draft.tab()
    top, column = sheet.find(heading)
    return top, column, sheet


def exchange_columns(draft: Draft, one: str, other: str) -> None:
    """Exchange two headings, and nothing below them."""
    sheet = draft.tab()
    first, second = sheet.find(one), sheet.find(other)
    sheet.rows[first[0]][first[1]], sheet.rows[second[0]][second[1]] = other, one


def move_down(draft: Draft, rows: int, columns: int = 0) -> None:
    """Move all that stands on a sheet down, and to the right."""
    sheet = draft.tab()
    sheet.rows[:] = [[] for _ in range(rows)] + [[None] * columns + cells for cells in sheet.rows]


def merge(draft: Draft, cells: str) -> None:
    """Merge some cells, which keeps the first of them alone."""
    draft.tab().merged.append(cells)


def add_tab(draft: Draft, name: str, rows: list[list[Any]], state: str = "visible", first: bool = False) -> None:
    """Add a sheet, at the end or the front."""
    draft.sheets().insert(0 if first else len(draft.sheets()), Tab(name, [list(row) for row in rows], state))


def rename_tab(draft: Draft, to: str, tab: str | None = None) -> None:
    """Give a sheet another name."""
    draft.tab(tab).name = to


def copy_tab(draft: Draft, name: str) -> None:
    """Add a copy of the first sheet under another name."""
    tab = draft.tab()
    draft.sheets().append(Tab(name, [list(cells) for cells in tab.rows]))


def hide_tab(draft: Draft, tab: str | None = None, state: str = "hidden") -> None:
    """Hide a sheet."""
    draft.tab(tab).state = state


def drop_tab(draft: Draft, tab: str) -> None:
    """Take a sheet out."""
    draft.sheets().remove(draft.tab(tab))


def empty_tab(draft: Draft, tab: str | None = None) -> None:
    """Take everything off a sheet."""
    draft.tab(tab).rows.clear()


def delimiter(draft: Draft, to: str) -> None:
    """Write a csv with another delimiter."""
    draft.sheets()
    draft.delimiter = to


def as_kind(draft: Draft, kind: str) -> None:
    """Write the same sheets as another kind of file: csv, xlsx or ods."""
    draft.sheets()
    draft.kind = kind


# Steps on bytes.


def cut(draft: Draft, keep: float = 1.0, drop: int = 0, after: str | None = None) -> None:
    """Cut the end off: keep a share, drop some bytes, or keep all up to and with a text."""
    content = draft.bytes()
    length = int(len(content) * keep) - drop
    if after is not None:
        length = content.index(draft.coded(after)) + len(draft.coded(after))
    draft.content = content[:length]


def replace(draft: Draft, was: str, to: str, every: bool = False) -> None:
    """Replace a text of a csv, once or everywhere."""
    text = draft.text()
    assert was in text, was
    draft.content = text.replace(was, to, -1 if every else 1).encode(draft.codec)


def insert_bytes(draft: Draft, hex: str, before: str | None = None, at_end: bool = False, times: int = 1) -> None:
    """Put bytes before a text, at the start or at the end."""
    content = draft.bytes()
    place = len(content) if at_end else content.index(draft.coded(before)) if before else 0
    draft.content = content[:place] + bytes.fromhex(hex) * times + content[place:]


def encode(draft: Draft, to: str, mark: bool = False) -> None:
    """Write a csv in another coding, with a byte order mark if asked."""
    text = draft.text()
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0", "utf-8": b"\xef\xbb\xbf"}
    draft.content = (marks[to] if mark else b"") + text.encode(to)
    draft.codec = to


def line_ends(draft: Draft, to: list[str]) -> None:
    """End a csv's lines with the ends given, in turn."""
    lines = draft.text().splitlines()
    ended = (line + to[number % len(to)] for number, line in enumerate(lines))
    draft.content = "".join(ended).encode(draft.codec)


def quote_all(draft: Draft) -> None:
    """Quote every cell of a csv."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=draft.delimiter, lineterminator=draft.line_end, quoting=csv.QUOTE_ALL)
    writer.writerows(csv.reader(io.StringIO(draft.text()), delimiter=draft.delimiter))
    draft.content = text.getvalue().encode(draft.codec)


def pad_lines(draft: Draft, with_text: str) -> None:
    """Put a text at the end of every line of a csv."""
    draft.content = "".join(f"{line}{with_text}{draft.line_end}" for line in draft.text().splitlines()).encode(
        draft.codec
    )


def become(draft: Draft, what: str) -> None:
    """Make the file something else altogether, by its name in ``OTHER_THINGS`` or as the text given."""
    draft.tabs = None
    draft.content = OTHER_THINGS.get(what, what.encode())


def become_bytes(draft: Draft, hex: str, times: int = 1) -> None:
    """Make the file out of bytes, so many times over."""
    draft.tabs = None
    draft.content = bytes.fromhex(hex) * times


def become_html(draft: Draft, start: str = "<html><body><table>") -> None:
    """Write the rows as a web page, as some systems do for 'export to Excel'."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(_csv_text(value))}</td>" for value in cells) + "</tr>\n"
        for cells in draft.tab().rows
    )
    draft.tabs = None
    draft.content = f"{start}{rows}</table></body></html>".encode()


def change_part(draft: Draft, part: str, was: str, to: str, times: int = 1) -> None:
    """Replace a pattern in one part of a workbook's zip, once, by a text so many times over."""
    parts = _parts(draft.bytes())
    parts[part], count = re.subn(was.encode(), lambda _: to.encode() * times, parts[part], count=1)
    assert count == 1, f"{was} is not in {part}"
    draft.content = _zipped(parts)


def add_part(draft: Draft, part: str, text: str = "", hex: str = "", times: int = 1) -> None:
    """Add a part to a workbook's zip, of a text or of bytes so many times over."""
    draft.content = _zipped({**_parts(draft.bytes()), part: (text.encode() or bytes.fromhex(hex)) * times})


def drop_part(draft: Draft, part: str) -> None:
    """Take a part out of a workbook's zip."""
    parts = _parts(draft.bytes())
    del parts[part]
    draft.content = _zipped(parts)


def blank_rows_below(draft: Draft, count: int, filled: bool = False) -> None:
    """Give the first sheet of an xlsx so many rows with a format and nothing in them."""
    parts = _parts(draft.bytes())
    name = "xl/worksheets/sheet1.xml"
    first = max(int(row) for row in re.findall(rb'<row r="(\d+)"', parts[name])) + 1
    row = '<row r="{0}" s="1" customFormat="1"/>'
    rows = "".join(row.format(number) for number in range(first, first + count)).encode()
    parts[name] = parts[name].replace(b"</sheetData>", rows + b"</sheetData>")
    draft.content = _zipped(parts)


def repeat_ods_cell(draft: Draft, rows: int, columns: int, text: str | None) -> None:
    """Give an ods one more cell, repeated over so many rows and columns as LibreOffice writes it."""
    cell = f'<table:table-cell table:number-columns-repeated="{columns}"'
    if text is None:
        cell += "/>"
    else:
        cell += f' office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row></table:table>'
    change_part(draft, "content.xml", "</table:table>", row)


def lock_with_password(draft: Draft) -> None:
    """Encrypt a workbook as Excel does: an OLE container with the streams EncryptionInfo and EncryptedPackage."""
    content = draft.bytes()
    scrambled = bytes(byte ^ 0x5A for byte in content)
    info = bytes.fromhex("0400040040000000") + b'<?xml version="1.0"?><encryption/>'
    draft.content = ole_container(
        {"EncryptionInfo": info, "EncryptedPackage": len(content).to_bytes(8, "little") + scrambled}
    )


def lock_old_workbook(draft: Draft) -> None:
    """Write a workbook of Excel 97 whose records are encrypted: a FILEPASS record after the first."""
    records = _record(0x0809, bytes.fromhex("0006050000000000") + bytes(8)) + _record(
        0x002F, b"\x01\0\x01\0\x01\0" + bytes(48)
    )
    become_bytes(draft, "")
    draft.content = ole_container({"Workbook": records + bytes(4096)})


def lock_ods(draft: Draft) -> None:
    """Encrypt an ods as LibreOffice does: content.xml scrambled, and the manifest says how."""
    parts = _parts(draft.bytes())
    parts["content.xml"] = bytes(byte ^ 0x5A for byte in parts["content.xml"])
    data = (
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml" manifest:size="1">'
        '<manifest:encryption-data manifest:checksum-type="SHA256/1K" manifest:checksum="AA=="/></manifest:file-entry>'
    )
    manifest = re.sub(
        rb'<manifest:file-entry [^>]*full-path="content.xml"[^>]*/>', data.encode(), parts["META-INF/manifest.xml"]
    )
    assert manifest != parts["META-INF/manifest.xml"]
    parts["META-INF/manifest.xml"] = manifest
    draft.content = _zipped(parts)


def zip_with_password(draft: Draft) -> None:
    """Set the flag of a password on every part of a workbook's zip."""
    content = bytearray(draft.bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for match in re.finditer(re.escape(mark), bytes(content)):
            content[match.start() + offset] |= 1
    draft.content = bytes(content)


def zip_bomb(draft: Draft, part: str, megabytes: int) -> None:
    """Add a part that unpacks to so many megabytes of one letter."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _parts(draft.bytes()).items():
            if name != part:
                archive.writestr(zipfile.ZipInfo(name, FIRST_DAY_OF_ZIP), content)
        member = zipfile.ZipInfo(part, FIRST_DAY_OF_ZIP)
        member.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(member, "w", force_zip64=True) as bomb:
            for _ in range(megabytes):
                bomb.write(b"x" * 2**20)
    draft.content = file.getvalue()


def lie_about_size(draft: Draft, part: str) -> None:
    """Make a zip's directory claim that a part unpacks to a hundred bytes."""
    content = bytearray(draft.bytes())
    for match in re.finditer(re.escape(part.encode()), bytes(content)):
        start = match.start()
        for mark, header, size in ((b"PK\x03\x04", 30, 22), (b"PK\x01\x02", 46, 24)):
            if content[start - header : start - header + 4] == mark:
                content[start - header + size : start - header + size + 4] = (100).to_bytes(4, "little")
    draft.content = bytes(content)


def flip_byte(draft: Draft, at: float) -> None:
    """Turn one byte over, at a share of the file's length."""
    content = bytearray(draft.bytes())
    content[int(len(content) * at)] ^= 0xFF
    draft.content = bytes(content)


def _record(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2, "little") + len(content).to_bytes(2, "little") + content


def ole_container(streams: dict[str, bytes]) -> bytes:
    """Return a compound file (CFB version 3) with some streams, each of 4096 bytes or more so that it has sectors."""
    size, free, end, fat_mark = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    padded = {name: content.ljust(4096, b"\0") for name, content in streams.items()}
    sectors: list[bytes] = []
    chains: list[int] = []
    starts: dict[str, int] = {}
    for name, content in padded.items():
        starts[name] = len(sectors)
        blocks = [content[place : place + size].ljust(size, b"\0") for place in range(0, len(content), size)]
        chains += [len(sectors) + number + 1 for number in range(len(blocks) - 1)] + [end]
        sectors += blocks
    entries = [_entry("Root Entry", 5, child=1, start=end, length=0)]
    names = list(padded)
    for number, name in enumerate(names, start=1):
        right = number + 1 if number < len(names) else free
        entries.append(_entry(name, 2, start=starts[name], length=len(padded[name]), right=right))
    entries += [_entry("", 0)] * (-len(entries) % 4)
    directory = b"".join(entries)
    first_directory = len(sectors)
    blocks = [directory[place : place + size] for place in range(0, len(directory), size)]
    chains += [len(sectors) + number + 1 for number in range(len(blocks) - 1)] + [end]
    sectors += blocks
    fat_count = -(-(len(sectors) + 1) // 127)
    first_fat = len(sectors)
    table = chains + [fat_mark] * fat_count
    table += [free] * (fat_count * 128 - len(table))
    fat = b"".join(entry.to_bytes(4, "little") for entry in table)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + bytes.fromhex("3e000300feff09000600") + bytes(6)
    header += b"".join(
        number.to_bytes(4, "little") for number in (0, fat_count, first_directory, 0, 4096, end, 0, end, 0)
    )
    header += b"".join(
        (first_fat + number if number < fat_count else free).to_bytes(4, "little") for number in range(109)
    )
    return header + b"".join(sectors) + fat


def _entry(
    name: str, kind: int, child: int = 0xFFFFFFFF, start: int = 0, length: int = 0, right: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le")
    parts = [text.ljust(64, b"\0"), (len(text) + 2 if name else 0).to_bytes(2, "little"), bytes([kind, 1])]
    parts += [number.to_bytes(4, "little") for number in (0xFFFFFFFF, right, child)]
    parts += [bytes(36), start.to_bytes(4, "little"), length.to_bytes(8, "little")]
    return b"".join(parts)


def _office_document(main: str) -> bytes:
    types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return _zipped({"[Content_Types].xml": types.encode(), main: b"<document/>"})


OTHER_THINGS = {
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n",
    "a PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89" + bytes(64),
    "a JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + bytes(64) + b"\xff\xd9",
    "a Word document": _office_document("word/document.xml"),
    "a presentation": _office_document("ppt/presentation.xml"),
    "a zip of files": _zipped({"victim-gateway.xlsx": b"PK", "read me.txt": b"hello"}),
    "an empty zip": b"PK\x05\x06" + bytes(18),
    "an old Word document": ole_container({"WordDocument": b"\xec\xa5" + bytes(5000), "1Table": bytes(5000)}),
    "a mail": ole_container({"__properties_version1.0": bytes(5000), "__substg1.0_0037001F": bytes(5000)}),
    "rich text": rb"{\rtf1\ansi\deff0 {\fonttbl {\f0 Arial;}} Referrals received\tab 14574\par }",
    "a gzip": bytes.fromhex("1f8b0800000000000003") + bytes(40),
    "json": b'{"quarter": "2017-18-Q3", "measure": "Adult referrals", "count": 29}\n',
    "a program": b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(100),
    "a letter": b"Dear all,\n\nplease find the figures in the sheet that I shared.\n\nKind regards\n",
    "an error page": b"<!DOCTYPE html><html><head><title>Session expired</title></head><body>Log in</body></html>",
    "an XML spreadsheet": b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
}

MUTATORS: dict[str, Callable[..., None]] = {
    "set": set_cell,
    **{
        mutator.__name__: mutator
        for mutator in (
            *(set_all, formula, shown, add_rows, drop_row, double_row, keep_rows_to, drop_column, double_column),
            *(
                widen,
                move_column,
                add_column,
                exchange_columns,
                move_down,
                merge,
                add_tab,
                rename_tab,
                copy_tab,
                hide_tab,
            ),
            *(drop_tab, empty_tab, delimiter, as_kind, cut, replace, insert_bytes, encode, line_ends, quote_all),
            *(pad_lines, become, become_bytes, become_html, change_part, add_part, drop_part, blank_rows_below),
            *(repeat_ods_cell, lock_with_password, lock_old_workbook, lock_ods, zip_with_password, zip_bomb),
            *(lie_about_size, flip_byte),
        )
    },
}
