"""Printed against computed: every figure of the reports with what the warehouse makes of it, and what is still open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from psycopg2.extras import NamedTupleCursor
from rich.console import Console

from quarterday.settings import Settings
from quarterday.showing import as_table
from quarterday.warehouse import connect

VERDICTS = {
    "differs": "Differs",
    "rounds": "Agrees as far as it was rounded or hedged",
    "agrees": "Agrees",
    "cannot_be_checked": "Cannot be checked",
}
HEADINGS = ("figure", "what", "document", "printed", "computed", "differs by", "from", "why")

PUBLISHED = """
select printed_figure_id, label, document_code, printed_text, printed_value, unit, computed_value, computed_text,
    difference, verdict, reason, link_kind, check_code, cause, explanation, is_open
from mart.fct_published_figure
where same_print_as is null and verdict is not null
order by printed_figure_id
"""
# Differences of the release that is being built stand nowhere in mart: it is they that keep it from being published.
UNPUBLISHED = """
select printed_figure_id, label, document_code, printed_text, printed_value, unit, computed_value, computed_text,
    difference, verdict, reason, link_kind, check_code, cause, explanation, true as is_open
from core.fct_figure_check
join core.fct_published_figure using (printed_figure_id)
where release_id = (select release_id from ledger.release where published_at is null)
    and verdict = 'differs' and explanation is null
order by printed_figure_id, check_code
"""


@dataclass(frozen=True)
class Figure:
    """A printed figure, or one check of it, with the computed number beside it; numbers are in the figure's unit."""

    printed_figure_id: str
    label: str
    document_code: str
    printed_text: str | None
    printed_value: Decimal | None
    unit: str
    computed_value: Decimal | None
    computed_text: str | None
    difference: Decimal | None
    verdict: str
    reason: str | None
    link_kind: str
    check_code: str
    cause: str | None
    explanation: str | None
    is_open: bool


def published_figures(settings: Settings) -> list[Figure]:
    """Return every printed figure as of the newest release, as a reader sees it; a print taken up twice counts once."""
    return _figures(PUBLISHED, settings, "reader")


def open_differences(settings: Settings) -> list[Figure]:
    """Return the differences that nobody has explained: what keeps the release that is being built from readers.

    None where no release is open. A published release has none: it would not have been published.
    """
    return _figures(UNPUBLISHED, settings, "builder")


def show_figures(settings: Settings, open_only: bool = False) -> bool:
    """Print the printed figures by verdict, or the open differences alone; return whether none is open."""
    console = Console()
    still_open = open_differences(settings)
    figures = [] if open_only else published_figures(settings)
    for verdict, title in VERDICTS.items():
        _show(console, title, [figure for figure in figures if figure.verdict == verdict])
    if figures:
        console.print(as_table("By verdict and what the number is computed from", *_summary(figures)))
        console.print()
    _show(console, "Open: these keep a release from being published", still_open)
    if still_open:
        console.print("Say why in dbt_project/seeds/figure_explanations.csv: docs/reconciliation.md", highlight=False)
    elif not figures:
        console.print("No difference is open." if open_only else "Nothing is released yet.")
    return not still_open


def _figures(statement: str, settings: Settings, role: str) -> list[Figure]:
    with connect(settings, role) as connection, connection.cursor(cursor_factory=NamedTupleCursor) as cursor:
        cursor.execute(statement)
        return [Figure(*row) for row in cursor.fetchall()]


def _show(console: Console, title: str, figures: Sequence[Figure]) -> None:
    if figures:
        console.print(as_table(f"{title} ({len(figures)})", HEADINGS, map(_row, figures)))
        console.print()


def _row(figure: Figure) -> Iterator[str | None]:
    """Give the cells of a figure under ``HEADINGS``."""
    yield figure.printed_figure_id
    yield figure.label
    yield figure.document_code
    yield figure.printed_text or "(blank)"
    yield figure.computed_text or _number(figure.computed_value)
    yield _number(figure.difference) if figure.difference else None
    yield f"{figure.link_kind}: {figure.check_code}".replace("none: none", "").replace("_", " ")
    yield figure.explanation or (figure.reason or "").replace("_", " ") or None


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:,f}"


def _summary(figures: Sequence[Figure]) -> tuple[list[str], list[list[object]]]:
    """Return headings and rows: how many figures of each kind of link have each verdict."""
    kinds = sorted({figure.link_kind for figure in figures})
    counted = [[sum(f.link_kind == kind and f.verdict == verdict for f in figures) for verdict in VERDICTS] for kind in kinds]
    rows: list[list[object]] = [[kind, *counts, sum(counts)] for kind, counts in zip(kinds, counted, strict=True)]
    return ["from", *(verdict.replace("_", " ") for verdict in VERDICTS), "figures"], rows
