"""Writes the highlight report and the annual report as PDF that a screen reader can read: tagged, to PDF/UA-1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.site.annual import annual_values, year_of_report
from quarterday.site.outcome_views import Outcome
from quarterday.site.priorities import Plan, Priority
from quarterday.site.reading import Told
from quarterday.site.rendering import Renderer, web_folder
from quarterday.site.sentences import Said

FOLDER = "papers"
LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"


def write_papers(
    told: Told,
    outcomes: Mapping[str, Outcome],
    plans: Sequence[Plan],
    sentences: Mapping[str, Sequence[Said]],
    folder: Path,
    renderer: Renderer,
    settings: Settings,
) -> list[tuple[str, str]]:
    """Write the highlight report of each plan of which anything came, and the annual report of the newest rated year.

    Returns:
        Path below the site's folder and title of each.
    """
    papers = []
    for plan in plans:
        if any(priority.latest for priority in plan.priorities):
            path = f"{FOLDER}/highlight-report-{plan.code.replace('_', '-')}.pdf"
            write_paper("paper_highlight", highlight_values(plan, sentences), folder / path, renderer, settings)
            papers.append((path, f"Highlight report: {plan.name}"))
    if year := year_of_report(told):
        values = annual_values(year, told, outcomes, plans)
        path = f"{FOLDER}/annual-report-{year}.pdf"
        write_paper("paper_annual", values, folder / path, renderer, settings)
        papers.append((path, f"Annual report {year}"))
    return papers


def highlight_values(plan: Plan, sentences: Mapping[str, Sequence[Said]]) -> dict[str, Any]:
    """Return what the highlight report of a plan shows; ``sentences`` are by priority."""
    return {"plan": plan, "reports": [_report(one, sentences) for one in plan.priorities]}


def _report(priority: Priority, sentences: Mapping[str, Sequence[Said]]) -> dict[str, Any]:
    return {"priority": priority, "sentences": sentences.get(priority.code, ())}


def write_paper(template: str, values: Mapping[str, Any], path: Path, renderer: Renderer, settings: Settings) -> None:
    """Write a paper; the same values and fonts give the same bytes.

    Raises:
        OperatorError: The libraries that lay out its text are not on this machine.
    """
    try:
        from weasyprint import HTML
    except OSError as error:
        raise OperatorError(
            f"The reports can't be laid out as PDF: {error}\n  Nothing was written. On Debian: apt-get install "
            f"{LIBRARIES}; or make the site without them: --no-pdf"
        ) from None
    page = renderer.page(template, path.name, values)
    base = web_folder(settings) / "templates"
    path.parent.mkdir(exist_ok=True)
    HTML(string=page, base_url=f"{base.as_uri()}/").write_pdf(path, pdf_variant="pdf/ua-1", pdf_tags=True)
