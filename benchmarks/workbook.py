"""A workbook of street crimes, xlsx and ods, from the inbox to its landing table: seconds of CPU."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from statistics import median
from xml.sax.saxutils import escape

from benchmarks import bench, land

ODS_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.2" '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="Crimes">'
)
ODS_TAIL = "</table:table></office:spreadsheet></office:body></office:document-content>"
ODS_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest manifest:version="1.2" '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
    'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry '
    'manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def main() -> None:
    """Print the table of `workbook`."""
    options = bench.arguments(__doc__ or "", lines=100_000)
    source = bench.make_file(options.work, options.lines)
    with bench.warehouse_of(options.work) as settings:
        rows = []
        for path in (make_xlsx(source), make_ods(source), source):
            costs = []
            for _ in range(options.pairs):
                land.put_back(path, settings)
                costs.append(bench.measure(lambda: land.take_in(settings), settings))
            land.forget(settings)
            rows.append(
                [
                    f"{path.suffix[1:]} of {path.stat().st_size / 2**20:.0f} MiB",
                    f"{median(cost.wall for cost in costs):.2f}",
                    f"{median(cost.client for cost in costs):.2f}",
                    f"{median(cost.server for cost in costs):.2f}",
                    f"{median(cost.cpu for cost in costs):.2f}",
                ]
            )
    columns = ["file", "wall s", "client CPU s", "server CPU s", "CPU s"]
    bench.show(f"Workbooks of {options.lines:,} lines, inbox to landed", rows, columns)


def make_xlsx(source: Path) -> Path:
    """Write the csv's lines as an xlsx, once."""
    import openpyxl

    path = source.with_suffix(".xlsx")
    if not path.exists():
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Crimes")
        for cells in _rows(source):
            sheet.append([float(cell) if _is_number(place, cell) else cell or None for place, cell in enumerate(cells)])
        book.save(path)
    return path


def make_ods(source: Path) -> Path:
    """Write the csv's lines as an ods, once."""
    path = source.with_suffix(".ods")
    if not path.exists():
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
            archive.writestr("META-INF/manifest.xml", ODS_MANIFEST)
            with archive.open("content.xml", "w") as content:
                content.write(ODS_HEAD.encode())
                for cells in _rows(source):
                    row = "".join(_ods_cell(place, cell) for place, cell in enumerate(cells))
                    content.write(f"<table:table-row>{row}</table:table-row>".encode())
                content.write(ODS_TAIL.encode())
    return path


def _rows(source: Path):  # type: ignore[no-untyped-def]
    with source.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def _is_number(place: int, cell: str) -> bool:
    return place in (4, 5) and bool(cell) and cell[-1].isdigit()


def _ods_cell(place: int, cell: str) -> str:
    if not cell:
        return "<table:table-cell/>"
    kind = f'float" office:value="{cell}' if _is_number(place, cell) else "string"
    return f'<table:table-cell office:value-type="{kind}"><text:p>{escape(cell)}</text:p></table:table-cell>'


if __name__ == "__main__":
    main()
