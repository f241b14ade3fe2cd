"""Printed against computed: every figure of the reports with what the warehouse makes of it, and what is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

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
# The differences that keep a release from being published stand nowhere in mart.
UNPUBLISHED = """
select printed_figure_id, label, document_code, printed_text, printed_value, unit, computed_value, computed_text,
    difference, verdict, reason, link_kind, check_code, cause, explanation, true as is_open
from core.fct_figure_check
join core.fct_published_figure using (printed_figure_id)
where release_id = (select release_id from ledger.release where published_at is null)
    and verdict = 'differs' and is_inside_document and explanation is null
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


def blocking_differences(settings: Settings) -> list[Figure]:
    """Return where a report contradicts itself and nobody has said why: what keeps the open release from readers.

    None where no release is open. A published release has none: it would not have been published.
    """
    return _figures(UNPUBLISHED, settings, "builder")


def show_figures(settings: Settings, open_only: bool = False) -> bool:
    """Print the printed figures by verdict, or the open differences alone; return whether none is open."""
    console = Console()
    figures = published_figures(settings)
    still_open = [figure for figure in figures if figure.is_open]
    blocking = blocking_differences(settings)
    if not open_only:
        _show_all(console, figures)
    _show(console, "Open: a return says otherwise than the report", still_open)
    _show(console, "Open: the report contradicts itself; this keeps the release from being published", blocking)
    if still_open or blocking:
        console.print("Say why in dbt_project/seeds/figure_explanations.csv: docs/reconciliation.md", highlight=False)
    else:
        console.print("No difference is open." if figures else "Nothing is released yet.")
    return not still_open and not blocking


def _show_all(console: Console, figures: Sequence[Figure]) -> None:
    """Print every figure under its verdict, and how many there are of each kind."""
    for verdict, title in VERDICTS.items():
        _show(console, title, [figure for figure in figures if figure.verdict == verdict])
    if figures:
        console.print(as_table("By verdict and what the number is computed from", *_summary(figures)))
        console.print()


def _figures(statement: str, settings: Settings, role: str) -> list[Figure]:
    with connect(settings, role) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return [Figure(*row) for row in cursor.fetchall()]


def _show(console: Console, title: str, figures: Sequence[Figure]) -> None:
    if figures:
        console.print(as_table(f"{title} ({len(figures)})", HEADINGS, [list(_row(figure)) for figure in figures]))
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
    counted = Counter((figure.link_kind, figure.verdict) for figure in figures)
    rows: list[list[object]] = []
    for kind in sorted({figure.link_kind for figure in figures}):
        counts = [counted[kind, verdict] for verdict in VERDICTS]
        rows.append([kind, *counts, sum(counts)])
    return ["from", *(verdict.replace("_", " ") for verdict in VERDICTS), "figures"], rows
