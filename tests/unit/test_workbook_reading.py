"""Workbooks: cells far off are seen however they are written, and the quick ways give what the slow ones give."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from quarterday.errors import ReturnIsUnreadable
from quarterday.generating import landing_columns
from quarterday.identifying import identify
from quarterday.landing import copy_rows
from quarterday.reading import reach, read_grid, read_return, unpacking
from quarterday.reading.lines import read_blocks
from tests.bad_files.mutators import ole_container
from tests.unit.test_layout_language import form_of

ROWS: list[list[Any]] = [
    ["Area", "Kind", "Name", "Total"],
    ["Stoke", "a", " as sent ", 18],
    [None, None, None, None],
    ["back\\slash", "tab\there", "line\nbreak", 0.1 + 0.2],
    [" ", None, "  ", None],
    ["Stafford", True, date(2018, 1, 23), 1e-7],
    [None, "b", "£ and €", -1234567.5],
]


def write_book(folder: Path, rows: list[list[Any]], merge: str | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for cells in rows:
        sheet.append(cells)
    if merge:
        sheet.merge_cells(merge)
    path = folder / "blocks.xlsx"
    book.save(path)
    return path


def with_sheet(path: Path, pattern: str, to: str) -> Path:
    """Change the xml of a workbook's first sheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    changed = re.sub(pattern, to, parts[name].decode(), count=1)
    assert changed != parts[name].decode()
    parts[name] = changed.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return path


def register(folder: Path) -> Any:
    return form_of({"columns": {"Area": "area", "Kind": "kind", "Name": "name", "Total": "total"}}, "register", folder)


def by_line_and_by_block(path: Path, form: Any) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    columns = landing_columns(form)
    identity = identify(path, "me", {form.name: form})
    lines = [tuple(line.cells.get(name) or "" for name in columns) for line in read_return(path, form, identity)]
    blocks = [row for block in read_blocks(path, form, identity, columns) for row in zip(*block, strict=True)]
    return lines, blocks


def test_blocks_hold_the_same_lines_as_line_by_line(tmp_path: Path) -> None:
    lines, blocks = by_line_and_by_block(write_book(tmp_path, ROWS), register(tmp_path))
    assert [line[1:] for line in lines] == [
        ("2", "Stoke", "a", " as sent ", "18"),
        ("4", "back\\slash", "tab\there", "line\nbreak", "0.3"),
        ("6", "Stafford", "TRUE", "2018-01-23", "0.0000001"),
        ("7", "", "b", "£ and €", "-1234567.5"),
    ]
    assert blocks == lines


def test_blocks_hold_the_same_lines_where_formulas_have_no_result(tmp_path: Path) -> None:
    rows = [*ROWS, ["Leek", "c", "=1/0", "=SUM(D2:D6)"]]
    path = write_book(tmp_path, rows)
    lines, blocks = by_line_and_by_block(path, register(tmp_path))
    assert lines[-1][2:] == ("Leek", "c", "=1/0", "=SUM(D2:D6)")
    assert blocks == lines


def test_a_longer_sheet_is_more_than_one_block(tmp_path: Path) -> None:
    rows = [ROWS[0], *([f"place {number}", "a", None, number] for number in range(2500))]
    lines, blocks = by_line_and_by_block(write_book(tmp_path, rows), register(tmp_path))
    assert len(lines) == 2500 and blocks == lines


def test_a_cell_under_no_heading_is_found_in_blocks_too(tmp_path: Path) -> None:
    path = write_book(tmp_path, [*ROWS, ["Leek", "c", "n", 1, "stray"]])
    form = register(tmp_path)
    identity = identify(path, "me", {form.name: form})
    found = []
    for read in (read_return(path, form, identity), read_blocks(path, form, identity, landing_columns(form))):
        with pytest.raises(Exception, match="nothing where there is no heading") as caught:
            list(read)
        found.append(str(caught.value))
    assert found[0] == found[1]


def test_copy_escapes_what_copy_would_take_for_its_own() -> None:
    block = [["1", "2"], ["back\\slash", "tab\there"], ["line\nbreak\r", ""]]
    assert b"".join(copy_rows([block], 7)) == b"7\t1\tback\\\\slash\tline\\nbreak\\r\n7\t2\ttab\\there\t\n"


def test_a_large_sheet_is_read_from_its_copy_as_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_book(tmp_path, [["Title", None], *ROWS], merge="A1:D1")
    (plain,) = read_grid(path)
    monkeypatch.setattr(unpacking, "LARGE_PART", 0)
    opened: list[str] = []
    finished = unpacking.Copy.finished
    monkeypatch.setattr(unpacking.Copy, "finished", lambda copy: opened.append(finished(copy)) or opened[-1])
    (copied,) = read_grid(path)
    assert plain.merged == copied.merged == (((1, 1), (1, 4)),)
    assert list(copied.rows()) == list(plain.rows())
    assert opened and not Path(opened[0]).exists()


FAR = [
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
    "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
    '<row r = "1048576"><c r = "XFD1048576" ><v>1</v></c></row>',
    '<row r="9"><c t="n" r="xfd0000000000001048576"><v>1</v></c></row>',
    '<row r="9"><c r="AAAA9"><v>1</v></c></row>',
    '<row r="1048576">' + "<c/>" * 2400 + "<c><v>1</v></c></row>",
    '<row r="1048576">' + "<c/>" * 10 + "<c><v>1</v></c></row>",
]


@pytest.mark.parametrize("far", FAR, ids=range(len(FAR)))
def test_a_cell_far_off_is_refused_however_it_is_written(far: str, tmp_path: Path) -> None:
    path = with_sheet(write_book(tmp_path, ROWS), "</sheetData>", far + "</sheetData>")
    with pytest.raises(ReturnIsUnreadable, match="one with cells as far as row"):
        read_grid(path)


@pytest.mark.parametrize("far", ['<row r="1048576"/>', '<row r="1048576"><c r="XFD1048576" s="1"/></row>'])
def test_a_blank_cell_far_off_is_no_matter(far: str, tmp_path: Path) -> None:
    path = with_sheet(write_book(tmp_path, ROWS), "</sheetData>", far + "</sheetData>")
    assert len(list(read_grid(path)[0].rows())) == len(ROWS)


@pytest.mark.parametrize("last", ["A1", "L9", "Z10", "AA99", "BXX100", "D100001", "XFD1048576", "AZ199999"])
def test_the_quick_look_goes_no_less_far_than_the_exact_one(last: str) -> None:
    part = b'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
    part += f'<row><c s="2" r="{last}"><v>1</v></c></row></sheetData></worksheet>'.encode()
    row, column = reach.exact_reach(io.BytesIO(part))
    for size in (10, 37, 1000):
        look = reach.Look()
        for start in range(0, len(part), size):
            look.take(part[max(start - 40, 0) : start + size])
        assert look.rows >= row and look.columns >= column
        # And not so much farther that the exact look would be taken for nothing.
        assert look.is_plain and look.rows <= row * 1.1 + 9 and look.columns <= column + 26


def test_the_exact_look_is_not_taken_for_an_ordinary_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "exact_reach", None)
    rows = [ROWS[0], *([f"a = {number}", "x=1", 'r="ZZZ"', number] for number in range(300))]
    assert len(list(read_grid(write_book(tmp_path, rows))[0].rows())) == 301


def ods(*rows: str) -> bytes:
    return f"<table:table>{''.join(rows)}</table:table>".encode()


FILLED = '<table:table-cell office:value-type="string"/>'
REPEATED = "<table:table-row table:number-rows-repeated={}><table:table-cell{}/></table:table-row>"


@pytest.mark.parametrize(
    ("content", "rows", "columns"),
    [
        (ods(f"<table:table-row>{FILLED}</table:table-row>"), 0, 0),
        (ods(REPEATED.format('"1000000"', ""), f"<table:table-row>{FILLED}</table:table-row>"), 1_000_000, 0),
        (ods(REPEATED.format("'1000000'", ""), f"<table:table-row>{FILLED}</table:table-row>"), 1_000_000, 0),
        (ods(f"<table:table-row>{FILLED}</table:table-row>", REPEATED.format('"1000000"', "")), 0, 0),
        (ods(REPEATED.format('"5"', ' office:value-type="float"')) * 3, 15, 0),
        (ods(f'<table:table-row><table:table-cell table:number-columns-repeated="900"/>{FILLED}'), 0, 900),
        (
            ods('<table:table-row><table:table-cell table:number-columns-repeated="900"/></table:table-row>' + FILLED),
            0,
            0,
        ),
        (ods('<table:table-column table:number-columns-repeated="1024"/>', FILLED), 0, 0),
    ],
)
def test_what_an_ods_repeats_counts_before_a_filled_cell(content: bytes, rows: int, columns: int) -> None:
    for size in (1, 7, 60, 5000):
        look = reach.OdsLook()
        for start in range(0, len(content), size):
            look.take(content[start : start + size])
        look.take(b"<")
        assert (look.rows, look.columns) == (rows, columns), size


def old_workbook(*cells: bytes) -> bytes:
    """Return a workbook of Excel 97 with a sheet 'Log' that holds some records."""
    sheet = b"".join((record(0x0809, struct.pack("<HHIII", 0x600, 0x10, 0, 0, 0)), *cells, record(0x0A, b"")))
    start = record(0x0809, struct.pack("<HHIII", 0x600, 0x05, 0, 0, 0))
    place = len(start) + 4 + 8 + 3 + 4
    book = start + record(0x85, struct.pack("<IBBBB", place, 0, 0, 3, 0) + b"Log") + record(0x0A, b"")
    return ole_container({"Workbook": book + sheet})


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def test_an_error_in_an_old_workbooks_cell_is_its_text(tmp_path: Path) -> None:
    path = tmp_path / "log.xls"
    number = record(0x0203, struct.pack("<HHHd", 0, 0, 0, 12.5))
    error = record(0x0205, struct.pack("<HHHBB", 1, 2, 0, 0x2A, 1))
    truth = record(0x0205, struct.pack("<HHHBB", 1, 0, 0, 1, 0))
    formula = struct.pack("<HHH", 3, 1, 0) + b"\2\0\7\0\0\0\xff\xff" + struct.pack("<HIH", 0, 0, 3) + b"\x1e\1\0"
    path.write_bytes(old_workbook(number, truth, error, record(0x06, formula)))
    (sheet,) = read_grid(path)
    rows = {line: cells for line, cells in sheet.rows() if any(cells)}
    assert rows[1][0] == "12.5" and rows[2][0] == "TRUE"
    assert (rows[2][2], rows[4][1]) == ("#N/A", "#DIV/0!")
