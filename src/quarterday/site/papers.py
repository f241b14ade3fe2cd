"""Writes the highlight report and the annual report as PDF that a screen reader can read: tagged, to PDF/UA-1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.site.outcome_views import Outcome
from quarterday.site.overview import Return, returns_of
from quarterday.site.priorities import Plan, Priority, Quarterly
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
    """Write the highlight report of each plan of which anything came, and the annual report of the newest year.

    Returns:
        Path below the site's folder and title of each.
    """
    papers = []
    for plan in plans:
        if any(priority.latest for priority in plan.priorities):
            path = f"{FOLDER}/highlight-report-{plan.code.replace('_', '-')}.pdf"
            write_paper("paper_highlight", highlight_values(plan, sentences), folder / path, renderer, settings)
            papers.append((path, f"Highlight report: {plan.name}"))
    if year := max((row["period_key"] for row in told.rows["outcome_years"] if row["value"] is not None), default=None):
        values = annual_values(year, outcomes, plans, returns_of(told).get(year, []))
        path = f"{FOLDER}/annual-report-{year}.pdf"
        write_paper("paper_annual", values, folder / path, renderer, settings)
        papers.append((path, f"Annual report {year}"))
    return papers


def highlight_values(plan: Plan, sentences: Mapping[str, Sequence[Said]]) -> dict[str, Any]:
    """Return what the highlight report of a plan shows; ``sentences`` are by priority."""
    return {"plan": plan, "reports": [_report(one, sentences) for one in plan.priorities]}


def _report(priority: Priority, sentences: Mapping[str, Sequence[Said]]) -> dict[str, Any]:
    return {"priority": priority, "sentences": sentences.get(priority.code, ())}


def annual_values(
    year: str, outcomes: Mapping[str, Outcome], plans: Sequence[Plan], returns: Sequence[Return]
) -> dict[str, Any]:
    """Return what the annual report of a financial year shows."""
    years = [
        (outcome, part, one)
        for outcome in outcomes.values()
        for part in outcome.parts
        for one in part.years
        if one.name == year
    ]
    told = {outcome.code for outcome, _, _ in years}
    charted = [one for code, one in outcomes.items() if code in told and one.is_highlight]
    states = Counter(one.state for one in returns)
    return {
        "year": year,
        "years": years,
        "charted": charted,
        "priorities": list(_newest_of(year, plans)),
        "returns": sorted(states.items()),
    }


def _newest_of(year: str, plans: Sequence[Plan]) -> Iterator[tuple[str, Quarterly]]:
    for plan in plans:
        for priority in plan.priorities:
            told = next((quarter for quarter in priority.quarters if quarter.key.startswith(year)), None)
            if told:
                yield f"{priority.name} ({plan.name})", told


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
