"""Files as partners really send them, and what is said of those that don't fit."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from quarterday.contracts import Form, load_form
from quarterday.errors import HIDDEN, Finding, ReturnDoesNotFitForm, ReturnIsUnreadable
from quarterday.identifying import identify
from quarterday.reading import Line, files, read_grid, read_return

RETURNS = Path(__file__).parents[2] / "returns"
PARTNER = "icv_scheme"

EDITION: dict[str, Any] = {"name": "2015-09", "columns": {"Area": "area", "Measure": "measure", "Visits": "value"}}


def make_form(folder: Path, layout: dict[str, Any] | None = None, personal: str | None = None, **edition: Any) -> Form:
    """Write a small indicator form whose edition has the given keys, and a personal column if named, and load it."""
    folder = folder / "returns" / "visits"
    folder.mkdir(parents=True, exist_ok=True)
    columns = [
        {"name": "area_code", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 1},
        {"name": "value", "logicalType": "number", "required": True},
    ]
    if personal:
        about = [{"property": "personal", "value": True}]
        columns.append({"name": personal, "logicalType": "string", "customProperties": about})
    custom = {
        "family": "indicator",
        "checkPrefix": "VIS",
        "partners": [PARTNER],
        "cadence": "financial_quarter",
        "dueWorkingDays": 20,
    }
    contract = {
        "name": "visits",
        "version": "1.0.0",
        "schema": [{"name": "visits", "properties": columns}],
        "customProperties": [{"property": key, "value": value} for key, value in custom.items()],
    }
    layout = {
        "file_names": ["visits*"],
        "example": "visits-2017-18-Q3.csv",
        "quarter": {"from": "file_name", "pattern": r"(?P<quarter>\d{4}-\d{2}-Q[1-4])"},
        "labels": {"areas": {"Stoke": "stoke_on_trent", "Staffs": "staffordshire_county"}},
        **(layout or {}),
        "editions": [{**EDITION, **edition}],
    }
    (folder / "contract.odcs.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    (folder / "layout.yml").write_text(yaml.safe_dump(layout), encoding="utf-8")
    return load_form(folder)


def write_csv(folder: Path, text: str | bytes, name: str = "visits-2017-18-Q3.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def write_xlsx(folder: Path, sheets: dict[str, Sequence[Sequence[Any]]], merge: Sequence[str] = ()) -> Path:
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row, cells in enumerate(rows, start=1):
            for column, cell in enumerate(cells, start=1):
                sheet.cell(row, column, cell)
        for cells in merge:
            sheet.merge_cells(cells)
    path = folder / "visits-2017-18-Q3.xlsx"
    book.save(path)
    return path


def read(path: Path, form: Form) -> list[Line]:
    return list(read_return(path, form, identify(path, PARTNER, {form.name: form})))


def findings(path: Path, form: Form) -> list[Finding]:
    with pytest.raises(ReturnDoesNotFitForm) as caught:
        read(path, form)
    return caught.value.findings


def refusal(path: Path, **keys: Any) -> Finding:
    with pytest.raises(ReturnIsUnreadable) as caught:
        for sheet in read_grid(path, **keys):
            list(sheet.rows())
    (finding,) = caught.value.findings
    return finding


# Opening files.


def test_a_workbooks_cells_become_the_text_that_is_seen(tmp_path: Path) -> None:
    row = [18, 0.1 + 0.2, 1e-7, date(2018, 1, 23), True, "  as sent ", None, 12345678901]
    (sheet,) = read_grid(write_xlsx(tmp_path, {"Q3": [[], ["title"], row]}))
    seen = ["18", "0.3", "0.0000001", "2018-01-23", "TRUE", "  as sent ", None, "12345678901"]
    assert list(sheet.rows())[-1] == (3, seen)


def test_row_and_column_numbers_are_true_when_the_sheet_begins_with_empty_ones(tmp_path: Path) -> None:
    (sheet,) = read_grid(write_xlsx(tmp_path, {"Q3": [[], [], [None, None, "here"]]}))
    assert [(line, cells) for line, cells in sheet.rows() if any(cells)] == [(3, [None, None, "here"])]


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path, {"Q3": [["a"]], "Lists": [["b"]]})
    book = openpyxl.load_workbook(path)
    book["Lists"].sheet_state = "hidden"
    book.save(path)
    assert [sheet.name for sheet in read_grid(path)] == ["Q3"]


def test_an_ods_is_read(tmp_path: Path) -> None:
    document, table = OpenDocumentSpreadsheet(), Table(name="Table 1")
    for cells in (["Area", "Visits"], ["Stoke", 12.0]):
        row = TableRow()
        for cell in cells:
            is_number = isinstance(cell, float)
            kind = {"valuetype": "float", "value": cell} if is_number else {"valuetype": "string"}
            element = TableCell(**kind)
            element.addElement(P(text=str(cell)))
            row.addElement(element)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    path = tmp_path / "visits.ods"
    document.save(str(path))
    (sheet,) = read_grid(path)
    assert (sheet.name, list(sheet.rows())) == ("Table 1", [(1, ["Area", "Visits"]), (2, ["Stoke", "12"])])


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ("Place,£\nStoke,“1”\n".encode(), {}),
        ("\ufeffPlace,£\nStoke,“1”\n".encode(), {}),
        ("Place,£\nStoke,“1”\n".encode("cp1252"), {"encoding": "cp1252"}),
        ("Place,£\nStoke,“1”\n".encode(), {"encoding": "cp1252"}),
        ("Place,£\nStoke,“1”\n".encode("utf-16"), {}),
        ("Place;£\nStoke;“1”\n".encode(), {}),
        ("Place\t£\r\nStoke\t“1”\r\n".encode(), {}),
        ("Place|£\rStoke|“1”\r".encode(), {"delimiter": "|"}),
    ],
)
def test_a_csv_is_read_whatever_its_coding_delimiter_and_line_ends(
    content: bytes, keys: dict[str, str], tmp_path: Path
) -> None:
    (sheet,) = read_grid(write_csv(tmp_path, content), **keys)
    assert list(sheet.rows()) == [(1, ["Place", "£"]), (2, ["Stoke", "“1”"])]


def test_line_numbers_are_the_files_own_when_a_quoted_cell_holds_line_breaks(tmp_path: Path) -> None:
    (sheet,) = read_grid(write_csv(tmp_path, 'a,b\n"two\nlines",1\n\nlast,2\n'))
    assert [(line, cells) for line, cells in sheet.rows() if cells] == [
        (1, ["a", "b"]),
        (2, ["two\nlines", "1"]),
        (5, ["last", "2"]),
    ]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", b"", "an empty file"),
        ("a.csv", b"\n \r\n", "an empty file"),
        ("a.csv", b"<html><table></table></html>", "a web page or an XML file"),
        ("a.xls", b"\n<!DOCTYPE html><table>", "a web page or an XML file"),
        ("a.csv", b"%PDF-1.7", "a PDF"),
        ("a.csv", b"a,b\n1,\x002\n", "a NUL byte, which no text has"),
        ("a.csv", b"a,b\n\xa31,2\n", "the byte 0xA3"),
        ("a.csv", b'a,b\n1,"2\n3,4\n', "one that can't be read: unexpected end of data"),
        ("a.xlsx", b"a,b\n1,2\n", "text or a damaged file"),
        ("a.xlsx", b"PK\x03\x04" + b"x" * 100, "a damaged one: the end of the file is missing"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(name: str, content: bytes, found: str, tmp_path: Path) -> None:
    finding = refusal(write_csv(tmp_path, content, name), check_id="VIS-001")
    assert (finding.check_id, finding.found, finding.action) == ("VIS-001", found, "reject_return")
    assert finding.expected
    assert finding.remedy


def test_a_bad_byte_is_told_with_its_line_however_far_down(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n" * 400_000 + b"\xa3,2\n"
    assert refusal(write_csv(tmp_path, content)).line == 400_002


def test_a_workbook_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path, {"Q3": [["a"]]})
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path).found == "a damaged one: the end of the file is missing"


def test_a_workbook_in_a_csvs_clothes_is_refused(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path, {"Q3": [["a"]]})
    assert refusal(path.rename(path.with_suffix(".csv"))).found == "a workbook"


def test_a_workbook_with_macros_is_refused(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path, {"Q3": [["a"]]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    assert refusal(path).found == "a workbook with macros"


def test_an_encrypted_workbook_is_refused(tmp_path: Path) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    assert refusal(write_csv(tmp_path, content, "visits.xlsx")).found == "an encrypted workbook"


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "visits.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "x")
    assert refusal(path).found == "a Word document"


def test_a_sheet_with_a_stray_cell_in_its_last_corner_is_refused(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path, {"Q3": [["a"]]})
    book = openpyxl.load_workbook(path)
    book["Q3"]["XFD1048576"] = "stray"
    book.save(path)
    assert "row 1,048,576 and column 16,384" in (refusal(path).found or "")


def test_a_workbook_over_the_size_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WORKBOOK_BYTES", 100)
    assert refusal(write_xlsx(tmp_path, {"Q3": [["a"]]})).expected.startswith("a workbook of at most")


# Reading lines.


def test_each_line_says_where_it_stands_and_what_its_labels_mean(tmp_path: Path) -> None:
    form = make_form(tmp_path, labels={"measures": {"Unannounced": "icv_visits"}})
    (line,) = read(write_csv(tmp_path, 'Area,Measure,Visits\nSTOKE ,Unannounced1,"1,234"\n'), form)
    assert (line.line_number, line.column_number, line.column_name) == (2, 3, "Visits")
    said = {key: line.cells[key] for key in ("area_label", "area_code", "measure_label", "measure_code", "value")}
    assert said == {
        "area_label": "STOKE ",
        "area_code": "stoke_on_trent",
        "measure_label": "Unannounced1",
        "measure_code": "icv_visits",
        "value": "1,234",
    }
    assert (line.cells["period_start"], line.cells["period_end"]) == ("2017-10-01", "2017-12-31")


def test_an_unknown_label_is_kept_and_has_no_code(tmp_path: Path) -> None:
    (line,) = read(write_csv(tmp_path, "Area,Measure,Visits\nMars,x,1\n"), make_form(tmp_path))
    assert (line.cells["area_label"], line.cells["area_code"]) == ("Mars", None)


def test_two_rows_of_headings_become_periods_and_keep_their_rag(tmp_path: Path) -> None:
    form = make_form(
        tmp_path,
        columns={"Area": "area"},
        header={"rows": 2},
        values={"measure": "first_time_entrants"},
        wide=[
            {"pattern": r"(?P<period>20\d\d/\d\d \| (Q[1-4]|annual))"},
            {"heading": "2017/18 | RAG", "is": "declared_rag", "period": "2017/18"},
        ],
        labels={"rags": {"Green": "G"}},
    )
    rows = [
        ["First-time entrants"],
        [],
        [None, "2016/17", None, "2017/18", None, None],
        ["Area", "Q3", "Q4", "Q1", "Annual", "RAG"],
        ["Stoke", 24, 38, 21, "n/a", "Green"],
    ]
    lines = read(write_xlsx(tmp_path, {"FTE": rows}, merge=["B3:C3", "D3:F3"]), form)
    assert [
        (line.column_name, line.cells["period_start"], line.cells["value"], line.cells["declared_rag"])
        for line in lines
    ] == [
        ("2016/17 | Q3", "2016-10-01", "24", None),
        ("2016/17 | Q4", "2017-01-01", "38", None),
        ("2017/18 | Q1", "2017-04-01", "21", None),
        ("2017/18 | Annual", "2017-04-01", "n/a", "G"),
    ]
    assert {line.line_number for line in lines} == {5}


def test_an_upper_heading_reaches_no_further_than_its_merged_cell(tmp_path: Path) -> None:
    form = make_form(
        tmp_path,
        columns={"Area": "area", "Note": "note"},
        header={"rows": 2},
        wide=[{"pattern": r"(?P<period>2016/17 \| q\d)"}],
    )
    rows = [[None, "2016/17", None, None], ["Area", "Q1", "Q2", "Note"], ["Stoke", 1, 2, "late"]]
    lines = read(write_xlsx(tmp_path, {"FTE": rows}, merge=["B1:C1"]), form)
    assert [(line.column_name, line.cells["note"]) for line in lines] == [
        ("2016/17 | Q1", "late"),
        ("2016/17 | Q2", "late"),
    ]


def test_notes_totals_and_blank_rows_are_left_out_and_blanks_filled_down(tmp_path: Path) -> None:
    form = make_form(tmp_path, fill_down=["Area"], skip_lines=["Total*"], stop_at=["Notes*"])
    text = "Area,Measure,Visits\nStoke,a,1\n,b,2\n,,\nTotal 1,,3\nStaffs,a,4\nNotes:,,\n1 Since April,,9\n"
    lines = read(write_csv(tmp_path, text), form)
    assert [(line.line_number, line.cells["area_label"], line.cells["value"]) for line in lines] == [
        (2, "Stoke", "1"),
        (3, "Stoke", "2"),
        (6, "Staffs", "4"),
    ]


NOTES = (
    'Area,Measure,Visits\nStoke,a,1\nNotes\n"In 2017, two\nvisits were missed."\nSource,office,\nLast changed,2018,\n'
)


def test_what_stands_below_the_notes_is_left_out(tmp_path: Path) -> None:
    assert len(read(write_csv(tmp_path, NOTES), make_form(tmp_path, stop_at=["Notes*"]))) == 1
    broken = write_csv(tmp_path, NOTES + 'a "quoted" word, and "one\n')
    assert len(read(broken, make_form(tmp_path, stop_at=["Notes*"]))) == 1


def test_what_looks_like_a_line_below_the_notes_is_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path, NOTES + 'Staffs,a,"1,234"\n')
    (finding,) = findings(path, make_form(tmp_path, stop_at=["Notes*"]))
    assert (finding.check_id, finding.line, finding.found) == ("VIS-002", 8, "Staffs | a | 1,234")
    assert finding.expected == "nothing but notes below 'Notes'"


def test_a_blank_value_is_a_line_unless_the_layout_leaves_it_out(tmp_path: Path) -> None:
    columns = {"Area": "area"}
    path = write_csv(tmp_path, "Area,All,Adults\nStoke,,\n")
    form = make_form(tmp_path, columns=columns, wide=[{"heading": "All"}, {"heading": "Adults", "blank": "leave_out"}])
    assert [(line.column_name, line.cells["value"]) for line in read(path, form)] == [("All", None)]


def test_a_period_is_put_together_from_sheet_and_heading(tmp_path: Path) -> None:
    form = make_form(
        tmp_path,
        columns={"Area": "area"},
        wide=[{"pattern": r"(?P<period>q\d)"}],
        sheets=["20*"],
        values={"period": {"from": "sheet"}},
        period={"type": "financial_quarter"},
    )
    lines = read(write_xlsx(tmp_path, {"2017-18": [["Area", "Q3"], ["Stoke", 3]]}), form)
    assert [line.cells["period_start"] for line in lines] == ["2017-10-01"]
    assert lines[0].cells["period_label"] == "2017-18 q3"


def test_a_period_is_read_from_two_dates(tmp_path: Path) -> None:
    columns = {"Area": "area", "From": "period_start", "To": "period_end", "Visits": "value"}
    form = make_form(tmp_path, columns=columns, period={"type": "date_range"})
    (line,) = read(write_csv(tmp_path, "Area,From,To,Visits\nStoke,20/07/2016,31/08/2016,1\n"), form)
    assert (line.cells["period_type"], line.cells["period_start"], line.cells["period_end"]) == (
        "date_range",
        "2016-07-20",
        "2016-08-31",
    )


# What doesn't fit.


def test_every_missing_unknown_and_doubled_heading_is_told_at_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "Title\n\nArea,Area,Visitz,Extra\nStoke,x,1,2\n")
    found = findings(path, make_form(tmp_path))
    assert {finding.check_id for finding in found} == {"VIS-002"}
    assert {finding.line for finding in found} == {3}
    told = [(finding.column, finding.expected, finding.found) for finding in found]
    assert (None, "a column headed 'Measure'", None) in told
    assert (None, "a column headed 'Visits'", "Visitz") in told
    assert ("Visitz", "only the headings of the form: 'Area', 'Measure', 'Visits'", "Visitz") in told
    assert ("Extra", "only the headings of the form: 'Area', 'Measure', 'Visits'", "Extra") in told
    assert ("Area", "one column headed 'Area'", "two") in told
    assert len(told) == 5


def test_a_file_without_the_headings_says_what_was_looked_for(tmp_path: Path) -> None:
    (finding,) = findings(write_csv(tmp_path, "Something,else\n1,2\n"), make_form(tmp_path))
    assert finding.expected == "a row with the headings 'Area', 'Measure', 'Visits'"
    assert finding.found == "Something, else"


def test_a_sheet_too_many_and_a_sheet_too_few_are_told(tmp_path: Path) -> None:
    form = make_form(tmp_path, sheets=["Q*"], ignore_sheets=["Guidance"])
    (finding,) = findings(write_xlsx(tmp_path, {"Guidance": [["x"]], "Summary": [["y"]]}), form)
    assert (finding.sheet, finding.found, finding.expected) == ("Summary", "Summary", "a sheet named like 'Q*'")


def test_cells_under_no_heading_are_told_once(tmp_path: Path) -> None:
    rows = [
        ["Area", "Measure", "Visits", None],
        ["Stoke", "a", 1, None],
        ["Stoke", "b", 2, "why"],
        ["Stoke", "c", 3, "so"],
    ]
    (finding,) = findings(write_xlsx(tmp_path, {"Q3": rows}), make_form(tmp_path))
    assert (finding.check_id, finding.line, finding.column, finding.found) == ("VIS-002", 3, "D", "why")


PERSONAL = {"columns": {**EDITION["columns"], "Visited by": "note"}, "personal": "note"}


def test_what_is_found_in_a_personal_column_is_not_repeated(tmp_path: Path) -> None:
    statement = {"is": "quarter", "from": "column", "heading": "Visited by"}
    form = make_form(tmp_path, says=[statement], **PERSONAL)
    text = "Area,Measure,Visits,Visited by\nStoke,a,1,A. Person\n"
    (finding,) = findings(write_csv(tmp_path, text), form)
    assert (finding.check_id, finding.line, finding.column, finding.found) == ("VIS-003", 2, "Visited by", HIDDEN)


@pytest.mark.parametrize("text", ["Area,Measure,Visits,Visited by,\nStoke,a,1,x,A. Person\n", "Stoke,a,1,A. Person\n"])
def test_what_may_have_slipped_out_of_a_personal_column_is_not_repeated(text: str, tmp_path: Path) -> None:
    found = findings(write_csv(tmp_path, text), make_form(tmp_path, **PERSONAL))
    assert [finding.found for finding in found] == [HIDDEN]


def test_what_is_found_beside_a_personal_column_is_repeated(tmp_path: Path) -> None:
    form = make_form(tmp_path, says=[{"is": "quarter", "from": "column", "heading": "Measure"}], **PERSONAL)
    (finding,) = findings(write_csv(tmp_path, "Area,Measure,Visits,Visited by\nStoke,a,1,A. Person\n"), form)
    assert finding.found == "a"


def test_a_record_that_was_cut_off_is_told(tmp_path: Path) -> None:
    (finding,) = findings(write_csv(tmp_path, "Area,Measure,Visits\nStoke,a,1\nStoke,b"), make_form(tmp_path))
    assert (finding.line, finding.found) == (3, "2")


def test_a_return_without_lines_is_told(tmp_path: Path) -> None:
    (finding,) = findings(write_csv(tmp_path, "Area,Measure,Visits\n,,\n"), make_form(tmp_path))
    assert finding.check_id == "VIS-005"


def test_another_quarter_in_a_cell_is_told_with_its_place(tmp_path: Path) -> None:
    form = make_form(tmp_path, says=[{"is": "quarter", "from": "cell", "pattern": "^Period:? (?P<quarter>.+)"}])
    rows = [["Visits"], ["Period", "July to September 2017"], EDITION_HEADINGS, ["Stoke", "a", 1]]
    (finding,) = findings(write_xlsx(tmp_path, {"Sheet1": rows}), form)
    assert (finding.check_id, finding.action) == ("VIS-003", "reject_return")
    assert (finding.sheet, finding.line, finding.column) == ("Sheet1", 2, "B")
    assert (finding.expected, finding.found) == ("2017-18 Q3, as the file name says", "July to September 2017")


EDITION_HEADINGS = ["Area", "Measure", "Visits"]


def test_another_quarter_in_a_column_is_told_where_it_first_stands(tmp_path: Path) -> None:
    columns = {**EDITION["columns"], "Quarter": "period"}
    form = make_form(tmp_path, columns=columns, says=[{"is": "quarter", "from": "column", "heading": "Quarter"}])
    text = "Area,Measure,Visits,Quarter\nStoke,a,1,Q3 2017/18\nStoke,b,1,Q2 2017/18\nStoke,c,1,Q2 2017/18\n"
    (finding,) = findings(write_csv(tmp_path, text), form)
    assert (finding.check_id, finding.line, finding.column, finding.found) == ("VIS-003", 3, "Quarter", "Q2 2017/18")


@pytest.mark.parametrize(
    ("ends", "quarters", "lines"),
    [
        ("in_the_quarter", ["Q3 2017/18"], []),
        ("in_the_quarter", ["Q3 2017/18", "Q2 2017/18"], [3]),
        ("by_the_quarter", ["Q2 2017/18", "Q3 2017/18"], []),
        ("by_the_quarter", ["Q3 2017/18", "Q4 2017/18"], [3]),
        ("by_the_quarter", ["Q1 2017/18", "Q2 2017/18"], [3]),
        ("any", ["Q1 2016/17"], []),
    ],
)
def test_periods_end_when_the_layout_says(ends: str, quarters: list[str], lines: list[int], tmp_path: Path) -> None:
    columns = {**EDITION["columns"], "Quarter": "period"}
    form = make_form(tmp_path, columns=columns, period={"ends": ends})
    text = "Area,Measure,Visits,Quarter\n" + "".join(f"Stoke,a,1,{quarter}\n" for quarter in quarters)
    path = write_csv(tmp_path, text)
    if lines:
        assert [(finding.check_id, finding.line) for finding in findings(path, form)] == [
            ("VIS-003", line) for line in lines
        ]
    else:
        assert len(read(path, form)) == len(quarters)


def test_a_mark_may_stand_in_a_quarter_to_come(tmp_path: Path) -> None:
    columns = {**EDITION["columns"], "Quarter": "period"}
    form = make_form(tmp_path, {"marks": {"n/a": "x"}}, columns=columns, period={"ends": "by_the_quarter"})
    text = "Area,Measure,Visits,Quarter\nStoke,a,1,Q3 2017/18\nStoke,a,N/A,Q4 2017/18\n"
    assert len(read(write_csv(tmp_path, text), form)) == 2


def test_another_partner_in_a_cell_is_told(tmp_path: Path) -> None:
    says = [{"is": "partner", "from": "cell", "pattern": "^Organisation:? (?P<partner>.+)"}]
    form = make_form(tmp_path, {"labels": {"partners": {"Visitors": PARTNER}}}, says=says)
    good = [["Organisation:", "visitors"], EDITION_HEADINGS, ["Stoke", "a", 1]]
    assert len(read(write_xlsx(tmp_path, {"Q3": good}), form)) == 1
    bad = [["Organisation: Somebody else"], EDITION_HEADINGS, ["Stoke", "a", 1]]
    (finding,) = findings(write_xlsx(tmp_path, {"Q3": bad}), form)
    assert (finding.check_id, finding.line, finding.column, finding.found) == ("VIS-004", 1, "A", "Somebody else")


def test_a_quarter_that_is_not_stated_is_told(tmp_path: Path) -> None:
    form = make_form(tmp_path, says=[{"is": "quarter", "from": "cell", "pattern": "^Period (?P<quarter>.+)"}])
    (finding,) = findings(write_xlsx(tmp_path, {"Q3": [EDITION_HEADINGS, ["Stoke", "a", 1]]}), form)
    assert (finding.check_id, finding.expected) == ("VIS-002", "the period, 2017-18-Q3, in a cell above the headings")


def test_headings_and_statements_are_told_together(tmp_path: Path) -> None:
    form = make_form(tmp_path, says=[{"is": "quarter", "from": "cell", "pattern": "^Period (?P<quarter>.+)"}])
    rows = [["Period", "Q2 2017/18"], ["Area", "Measure", "Visits", "Extra"], ["Stoke", "a", 1, 2]]
    assert sorted(finding.check_id for finding in findings(write_xlsx(tmp_path, {"Q3": rows}), form)) == [
        "VIS-002",
        "VIS-003",
    ]


# The real files of partners.


def test_real_partner_files_open(shared: Path) -> None:
    folder = shared / "data" / "partner-files"
    opened = {
        path.name: read_grid(path) for path in folder.rglob("*.*") if path.suffix in (".xlsx", ".xls", ".ods", ".csv")
    }
    assert len(opened) == 18
    table = next(sheet for sheet in opened["policeforceareatablesyeendingmarch2019.xlsx"] if sheet.name == "Table P1 ")
    staffordshire = next(cells for _, cells in table.rows() if cells[0] == "E23000015")
    assert staffordshire[2] == "84918"
    assert sum(1 for _ in opened["2018-10-staffordshire-street.csv"][0].rows()) == 10_938 + 1
