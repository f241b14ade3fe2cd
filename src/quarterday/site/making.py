"""Makes a release's site: a folder of static pages, the same bytes whenever it is made by the same code.

Below the folder that is named ``0012/`` is the site of release 12, with its open data in ``0012/data``;
``index.html`` leads to the newest that is there.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterday.opendata.making import make_open_data
from quarterday.opendata.tables import public_tables
from quarterday.opendata.writing import Edition, write_csv
from quarterday.placing import draft_in, give_place
from quarterday.settings import Settings
from quarterday.site import wording
from quarterday.site.outcome_views import Outcome
from quarterday.site.outcomes import Outcomes
from quarterday.site.overview import RETURN_STATES, compared_areas, matrices_of, returns_of, standing_out
from quarterday.site.papers import write_papers
from quarterday.site.priorities import Plan, Priority, plans_of
from quarterday.site.reading import Told, read_told
from quarterday.site.rendering import Renderer, web_folder
from quarterday.site.reports import VERDICTS, documents_of
from quarterday.site.sentences import Said, Speaker, asked_of, read_sentences, refusals

DATA, DRAFT = "data", ".site-"
KINDS = {".csv": "Table as CSV", ".parquet": "Table as Parquet", ".xlsx": "All tables as a workbook"}
NAMED = {
    "csv-metadata.json": "What the CSV files' columns mean, as CSV on the Web",
    "release.json": "The release and the hash of each file",
}


@dataclass(frozen=True)
class Site:
    """A site in its place: its release, how many pages, whether it is other than what was there, and the sentences
    of the highlight reports that were refused, with why."""

    folder: Path
    edition: Edition
    page_count: int
    is_new: bool
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """A page before it is rendered: its template, its path below the site's folder, and what it shows."""

    template: str
    path: str
    values: Mapping[str, Any]


def make_site(release_id: int | None, to: Path, settings: Settings, with_papers: bool = True) -> Site:
    """Make the site of a published release; the folder has its name when it is whole, and is replaced in one step.

    Args:
        release_id: The release; None for the newest.
        to: The folder of all sites; the release's gets its place below it.
        settings: Whose warehouse.
        with_papers: Also the highlight report and the annual report as PDF.

    Raises:
        OperatorError: The release is not published, its open data would not be what it was, or PDF can't be laid out
            here. Nothing was written.
    """
    to.mkdir(parents=True, exist_ok=True)
    with draft_in(to, DRAFT) as draft:
        made = make_open_data(release_id, draft / "open", settings)
        told = read_told(made.edition, settings)
        folder = draft / "site"
        folder.mkdir()
        made.folder.rename(folder / DATA)
        speaker = Speaker(read_sentences(web_folder(settings) / "sentences.yml"), told.rows)
        pages = write_pages(told, speaker, folder, settings, with_papers)
        place = to / f"{made.edition.release_id:04d}"
        is_new = _renew(folder, place)
        _write_entrance(to, settings)
    return Site(place, made.edition, pages, is_new, tuple(refusals(speaker)))


def write_pages(told: Told, speaker: Speaker, folder: Path, settings: Settings, with_papers: bool) -> int:
    """Write every page, its assets and csv files into a folder that holds the open data; return how many pages."""
    everything = Outcomes(told)
    outcomes = {code: everything.outcome(code) for code in everything.codes}
    renderer = Renderer(told.edition, settings)
    shutil.copytree(web_folder(settings) / "assets", folder / "assets")
    _write_csv_files(everything, outcomes, folder)
    count = 0
    plans = plans_of(told, outcomes)
    sentences = {one.code: _sentences(one, told, speaker) for plan in plans for one in plan.priorities}
    papers = write_papers(told, outcomes, plans, sentences, folder, renderer, settings) if with_papers else []
    for page in _pages(told, everything, outcomes, plans, sentences, papers, folder):
        target = folder / page.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(renderer.page(page.template, page.path, page.values), encoding="utf-8")
        count += 1
    return count


def _pages(
    told: Told,
    everything: Outcomes,
    outcomes: Mapping[str, Outcome],
    plans: list[Plan],
    sentences: Mapping[str, list[Said]],
    papers: list[tuple[str, str]],
    folder: Path,
) -> Iterator[Page]:
    """Give every page."""
    yield Page("index", "index.html", {"plans": plans, "standing_out": standing_out(outcomes), "papers": papers})
    yield Page("outcomes", "outcomes.html", {"groups": _groups(outcomes)})
    for outcome in outcomes.values():
        priorities = _priorities_of(outcome, plans)
        yield Page("outcome", f"outcomes/{outcome.code}.html", {"outcome": outcome, "priorities": priorities})
    for priority in (one for plan in plans for one in plan.priorities):
        values = {"priority": priority, "sentences": sentences[priority.code]}
        yield Page("priority", priority.path, values)
    yield Page("actions", "actions.html", _action_values(told))
    yield Page("areas", "areas.html", {"compared": compared_areas(everything, outcomes)})
    yield from _report_pages(told, frozenset(outcomes))
    yield from _return_pages(told)
    yield Page("sources", "sources.html", {"loads": told.more["loads"]})
    yield Page("release", "release.html", _release_values(told, outcomes))
    yield Page(
        "notes", "notes.html", {"meanings": list(wording.MEANINGS.items()), "rules": list(wording.RULES.values())}
    )
    yield Page("accessibility", "accessibility.html", {})
    yield Page("data", "data.html", {"files": _files(folder / DATA)})


def _action_values(told: Told) -> dict[str, Any]:
    return {
        "matrices": matrices_of(told),
        "findings": told.more["findings"],
        "actions": told.rows["actions"],
        "rating_words": wording.RATINGS,
    }


def _report_pages(told: Told, told_of: frozenset[str]) -> Iterator[Page]:
    documents = documents_of(told, told_of)
    verdicts = list(VERDICTS.values())
    yield Page("printed", "printed.html", {"documents": documents, "verdicts": verdicts})
    for document in documents:
        yield Page("document", document.path, {"document": document, "verdicts": verdicts})


def _return_pages(told: Told) -> Iterator[Page]:
    years = returns_of(told)
    states = list(RETURN_STATES.values())
    known = {row["load_id"] for row in told.more["loads"]}
    yield Page("returns", "returns.html", {"years": years, "states": states})
    for year, returns in years.items():
        values = {"year": year, "returns": returns, "states": states, "known": known}
        yield Page("returns_year", f"returns/{year}.html", values)


def _sentences(priority: Priority, told: Told, speaker: Speaker) -> list[Said]:
    """Return the sentences of a priority's newest quarter; none where nothing is told of it."""
    if priority.latest is None:
        return []
    row = next(row for row in told.more["plan_priorities"] if row["priority_code"] == priority.code)
    return speaker.say(asked_of(row, priority.latest.key))


def _groups(outcomes: Mapping[str, Outcome]) -> list[tuple[str, str, list[Outcome]]]:
    """Return the outcomes that have figures by quarter or year, other measures, and those that have none any more."""
    followed = [one for one in outcomes.values() if one.parts]
    other = [one for one in outcomes.values() if not one.parts and not one.withdrawals]
    gone = [one for one in outcomes.values() if one.withdrawals]
    groups = [("Outcomes", "followed", followed), ("Other measures", "other", other), ("Withdrawn", "withdrawn", gone)]
    return [group for group in groups if group[2]]


def _priorities_of(outcome: Outcome, plans: list[Plan]) -> list[Any]:
    return [
        priority
        for plan in plans
        for priority in plan.priorities
        if any(outcome in followed.measures for followed in priority.outcomes)
    ]


def _release_values(told: Told, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    number = told.edition.release_id
    return {
        "left_out": told.left_out,
        "new_loads": [row for row in told.more["loads"] if row["release_id"] == number],
        "restated": list(_restated_now(number, outcomes)),
        "corrections": told.more["corrections"],
        "editions": told.editions,
    }


def _restated_now(number: int, outcomes: Mapping[str, Outcome]) -> Iterator[dict[str, str]]:
    """Give each figure that this release shows otherwise than the public one before it did."""
    for outcome in outcomes.values():
        of_areas = [(f"{part.area_name}, {one.name}", one) for part in outcome.parts for one in part.restated]
        for words, one in (*of_areas, *((one.name, one) for one in outcome.restated_as_sent)):
            before, now = one.versions[-2:]
            if now.release_id == number:
                place = {"code": outcome.code, "anchor": one.anchor, "name": outcome.name, "of": words}
                yield place | {"before": before.text, "now": now.text}


def _files(folder: Path) -> list[dict[str, str]]:
    tables = {name: table.title for name, table in public_tables().items()}
    return [
        {
            "name": path.name,
            "what": NAMED.get(path.name)
            or f"{tables.get(path.stem, '')} {KINDS[path.suffix]}".strip().replace(" Table as", ", as"),
            "size": f"{max(1, round(path.stat().st_size / 1024)):,} kB",
        }
        for path in sorted(folder.iterdir())
    ]


def _write_csv_files(everything: Outcomes, outcomes: Mapping[str, Outcome], folder: Path) -> None:
    """Write each outcome's quarters as csv, with the columns of open data's table."""
    (folder / "outcomes").mkdir()
    table = public_tables()["outcomes"]
    for code, outcome in outcomes.items():
        if outcome.parts:
            write_csv(table, everything.quarters.get(code, ()), folder / "outcomes" / f"{code}.csv")


def _renew(draft: Path, place: Path) -> bool:
    """Move the whole folder to its place, in exchange for what was there; return whether anything has changed."""
    if place.is_dir() and _digest(place) == _digest(draft):
        return False
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    give_place(draft, place)
    return True


def _digest(folder: Path) -> str:
    """Return a hash of every file of a folder, by path."""
    told = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            told.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()


def _write_entrance(to: Path, settings: Settings) -> None:
    """Write the page that leads to the newest release that is there."""
    there = sorted(path.name for path in to.iterdir() if path.name.isdigit() and (path / "index.html").is_file())
    template = (web_folder(settings) / "templates" / "entrance.html").read_text(encoding="utf-8")
    draft = to / ".index.html"
    listed = "\n".join(f'<li><a href="{name}/index.html">Release {int(name)}</a></li>' for name in reversed(there))
    draft.write_text(template.replace("NEWEST", there[-1]).replace("RELEASES", listed), encoding="utf-8")
    draft.chmod(0o644)
    draft.rename(to / "index.html")
