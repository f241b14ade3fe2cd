"""The demo's site as a visitor meets it: every link leads somewhere, and axe finds nothing wrong at either width."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from quarterday.settings import Settings
from quarterday.site.making import Site, make_site
from tests.browser.test_board import CHROMIUM, HERE, looked_at
from tests.marts_support import copy_of
from tests.path_support import rows_of
from tests.site.pages import broken_links, faults, pages_of, seen

WIDTHS = (1280, 320)
# Tables of so many columns fit, wrapped; wider ones may scroll in their frame.
FITS = {1280: 6, 390: 4, 320: 3}
# What is looked at each time: the page with most in it as a phone has it, and two others. The long test looks at all.
SAMPLE = (
    ("outcomes/first_time_entrants.html", 320),
    ("priorities/plan-2017-managing-offenders.html", 1280),
    ("areas.html", 320),
    ("data.html", 320),
)
# A browser is given so many pages; it has five minutes for them.
AT_ONCE = 60
needs_browser = pytest.mark.skipif(
    not (CHROMIUM.exists() and shutil.which("node") and (HERE / "node_modules" / "playwright-core").is_dir()),
    reason="needs /usr/bin/chromium, node, and npm ci in tests/browser",
)


@pytest.fixture(scope="module")
def site(demo: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site of the demo's newest release, in a copy of its warehouse."""
    for own in copy_of(demo, "site"):
        yield make_site(None, tmp_path_factory.mktemp("site"), own, with_papers=False)


def test_the_demos_pages_are_built_as_they_should_be_and_no_link_leads_nowhere(site: Site) -> None:
    pages = pages_of(site.folder)
    assert broken_links(site.folder) == []
    assert {path.name: found for path in pages if (found := faults(path))} == {}
    titles = [seen(path).title for path in pages]
    assert len(set(titles)) == len(titles) == site.page_count > 100


def test_the_demos_highlight_reports_say_what_holds_and_the_operator_is_told_the_rest(site: Site) -> None:
    words = " ".join(seen(site.folder / "priorities" / "plan-2017-managing-offenders.html").text)
    assert "young people entered the youth justice system for the first time in 2017-18 Q3." in words
    assert "fewer than the baseline" not in words
    refused = {line.split(": ")[1]: line for line in site.refused if line.startswith("plan_2017.managing_offenders")}
    assert "common-cause" in refused["fewer-first-time-entrants"]
    assert "not available" in refused["youth-reoffending"]


def test_what_is_wrong_with_an_action_is_told_in_words_that_are_filled_in(site: Site, demo: Settings) -> None:
    found = rows_of("select finding from mart.rpt_action_finding where rule_code = 'term_corrected'", demo)
    assert [row["finding"] for row in found] == [
        "term printed as G, read as M"
    ]  # for the office; the public is told less
    words = " ".join(seen(site.folder / "actions.html").text)
    assert "its term is read otherwise than it was printed" in words and "{" not in words


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and keeps no log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Give the address at which a folder is served on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def look(site: Site, wanted: Sequence[tuple[str, int]], folder: Path) -> list[str]:
    """Return what is wrong with some pages as a browser shows them, each at a width."""
    with served(site.folder) as address:
        pages = [
            {"name": f"{name.replace('/', '-')}-{width}", "url": f"{address}/{name}", "width": width, "dark": False}
            for name, width in wanted
        ]
        looked: dict[str, dict[str, Any]] = {}
        for first in range(0, len(pages), AT_ONCE):
            looked |= looked_at(pages[first : first + AT_ONCE], folder)
    assert len(looked) == len(wanted) > 0
    wrong = []
    for told in looked.values():
        name = told["name"]
        wrong += [f"{name}: {violation}" for violation in told["violations"]]
        wrong += [f"{name}: asks for {url}" for url in told["asked"] if not url.startswith(address)]
        wrong += [f"{name}: {message}" for message in told["wrong"]]
        if told["scrolls"] or not told["first"].startswith("Skip to"):
            wrong.append(f"{name}: scrolls sideways, or does not begin with the skip link")
        fits = FITS[int(name.rpartition("-")[2])]
        wrong += [f"{name}: the table {words!r} scrolls" for words, columns in told["sideways"] if columns <= fits]
    return wrong


@needs_browser
def test_axe_finds_no_violation_on_pages_of_several_kinds(site: Site, tmp_path: Path) -> None:
    assert look(site, SAMPLE, tmp_path) == []


@pytest.mark.long
@needs_browser
def test_axe_finds_no_violation_on_any_page(site: Site, tmp_path: Path) -> None:
    names = [str(path.relative_to(site.folder)) for path in pages_of(site.folder)]
    assert look(site, [(name, width) for name in names for width in WIDTHS], tmp_path) == []
