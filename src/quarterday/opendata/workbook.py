"""Writes a release as a workbook by the Government Analysis Function's rules for spreadsheets, with gptables.

A cover, a list of contents, notes, and a table a sheet; figures that are missing say why in shorthand.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from quarterday.opendata.tables import Column, Row, Table
from quarterday.opendata.writing import Edition

SHORTHAND = (
    ("[c]", "Confidential: left out so that nobody can be known by it, or so that such a figure can't be worked out."),
    ("[x]", "Not available: no figure is known, or not yet."),
    ("[z]", "Not applicable: the service was not commissioned, or there is nothing to say here."),
    ("[w]", "None recorded."),
    ("[low]", "Rounds to nothing."),
)
NOTES = (
    (
        "disclosure",
        "Counts of people below the threshold of their measure (sheet measures) are left out, with the rates of them "
        "and as few other figures as keep them from being worked out from totals, rates or earlier releases.",
    ),
    ("release", "The figures are those that stood when the release was published. A later release may restate them."),
)
LEGEND = "Shorthand in this table: [c] confidential, [x] not available, [z] not applicable, [w] none recorded."
# What Excel takes in a sheet's name, and gptables in a table's.
LONGEST_NAME = 31


def write_workbook(
    tables: Sequence[Table], rows: Mapping[str, Sequence[Row]], edition: Edition, path: Path, left_out: int
) -> None:
    """Write the workbook of a release.

    Args:
        tables: The public tables; those without a row are named on the cover and have no sheet.
        rows: Their rows by the table's name, in order.
        edition: The release.
        path: The file to write.
        left_out: How many figures are left out.
    """
    import gptables
    import pandas

    with_rows = [table for table in tables if rows[table.name]]
    sheets = {
        table.name: gptables.GPTable(
            table=pandas.DataFrame(
                [_cells(table, row) for row in rows[table.name]], columns=[_heading(one) for one in _shown(table)]
            ),
            table_name=f"table_{table.name}"[:LONGEST_NAME],
            title=f"{table.title}, release {edition.release_id}{_references(table)}",
            subtitles=[table.description],
            instructions="One table on this sheet. Its columns are explained on the sheet columns.",
            legend=[LEGEND],
            source=f"Returns of partners, release {edition.release_id}, {edition.published_at:%-d %B %Y}",
        )
        for table in with_rows
    }
    sheets["columns"] = _columns_sheet(with_rows)
    drained = io.BytesIO()
    book = gptables.produce_workbook(
        drained,
        sheets,
        cover=_cover(tables, with_rows, edition, left_out),
        notes_table=pandas.DataFrame(NOTES, columns=["Note reference", "Note text"]),
        auto_width=True,
        workbook_options={"in_memory": True},
    )
    # The only moment that the file holds is the release's, so that the same release gives the same bytes.
    book.set_properties(
        {
            "title": f"Release {edition.release_id}",
            "author": edition.publisher,
            "created": edition.published_at.replace(tzinfo=None, microsecond=0),
        }
    )
    book.close()
    path.write_bytes(drained.getvalue())


def _cover(tables: Sequence[Table], with_rows: Sequence[Table], edition: Edition, left_out: int) -> Any:
    import gptables

    empty = [table.title for table in tables if table not in with_rows]
    about = [
        f"Release {edition.release_id}, published on {edition.published_at:%-d %B %Y}.",
        f"Figures left out to protect people: {left_out}. They show as [c].",
        "Null is never zero: a figure that is missing says why in shorthand.",
        f"The same as csv and Parquet, for good: {edition.folder}.",
    ]
    if empty:
        about.append(f"Nothing published yet: {', '.join(empty)}.")
    return gptables.Cover(
        title=f"Police and crime outcomes: release {edition.release_id}",
        intro=["What partners returned, what it says about each outcome and priority, and which actions are done."],
        about=about,
        contact=[edition.publisher],
    )


def _references(table: Table) -> str:
    return " $$release$$ $$disclosure$$" if table.figures else " $$release$$"


def _columns_sheet(tables: Sequence[Table]) -> Any:
    """Return the sheet that explains shorthand and columns."""
    import gptables
    import pandas

    lines = [("all", mark, meaning) for mark, meaning in SHORTHAND]
    lines += [(table.title, _heading(one), one.description) for table in tables for one in _shown(table)]
    return gptables.GPTable(
        table=pandas.DataFrame(lines, columns=["Table", "Column or shorthand", "Meaning"]),
        table_name="table_columns",
        title="Shorthand and columns",
        instructions="One table on this sheet: first the shorthand of all tables, then each table's columns.",
        legend=[LEGEND],
    )


def _shown(table: Table) -> list[Column]:
    """Return the columns of a table's sheet: shorthand stands in the figure's own cell."""
    beside = {f"{figure}_shorthand" for figure in table.figures}
    return [column for column in table.columns if column.name not in beside]


def _heading(column: Column) -> str:
    return column.name.replace("_", " ").capitalize()


def _cells(table: Table, row: Row) -> list[Any]:
    return [_cell(row[column.name], row.get(f"{column.name}_shorthand")) for column in _shown(table)]


def _cell(value: Any, shorthand: str | None) -> Any:
    if value is None or value == "":
        return shorthand or "[z]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
