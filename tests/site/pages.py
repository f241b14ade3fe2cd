"""Reads a folder of pages as a visitor would: where links lead, what has an id, how headings and tables are built."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}


@dataclass
class Table:
    """A table: its caption, and the headers that say no scope."""

    caption: str = ""
    headers: int = 0
    without_scope: int = 0


@dataclass
class Seen(HTMLParser):
    """What a page holds."""

    title: str = ""
    lang: str | None = None
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    charts_without_words: int = 0
    scripts: int = 0
    unclosed: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        self.labels += given.get("aria-labelledby", "").split()
        if tag == "html":
            self.lang = given.get("lang")
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag in ("link", "img"):
            self.loaded.append(given.get("href") or given.get("src", ""))
        self.scripts += tag == "script" or any(name.startswith("on") for name in given)
        if tag == "svg" and given.get("aria-hidden") != "true":
            self.charts_without_words += given.get("role") != "img" or "aria-labelledby" not in given
        if tag == "table":
            self.tables.append(Table())
        if tag == "th":
            self.tables[-1].headers += 1
            self.tables[-1].without_scope += given.get("scope") not in ("row", "col")
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.unclosed.append(tag)
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._open[-1:] == ["title"] and "svg" not in self._open:
            self.title += data
        if self.headings and any(tag in self._open for tag in ("h1", "h2", "h3", "h4")):
            level, words = self.headings[-1]
            self.headings[-1] = (level, words + data)
        if "caption" in self._open:
            self.tables[-1].caption += data.strip()


@cache
def seen(page: Path) -> Seen:
    """Return what a page holds."""
    reader = Seen()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.unclosed += reader._open
    return reader


def pages_of(folder: Path) -> list[Path]:
    """Return the pages of a site."""
    return sorted(folder.rglob("*.html"))


def broken_links(folder: Path) -> list[str]:
    """Return links and loaded files that lead nowhere, or out of the folder."""
    found = []
    for page in pages_of(folder):
        for address in (*seen(page).links, *seen(page).loaded):
            parts = urlsplit(address)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            outside = parts.scheme or parts.netloc or not target.is_relative_to(folder.resolve())
            is_there = target.is_file() and (not parts.fragment or parts.fragment in seen(target).ids)
            if outside or not is_there:
                found.append(f"{page.relative_to(folder)}: {address}")
    return found


def faults(page: Path) -> list[str]:
    """Return what is wrong with a page's building."""
    told = seen(page)
    levels = [level for level, _ in told.headings]
    wrong = {
        "no language": told.lang != "en",
        "not one h1": levels.count(1) != 1,
        "a heading level is skipped": any(
            after - before > 1 for before, after in zip(levels, levels[1:], strict=False)
        ),
        "an empty heading": any(not words.strip() for _, words in told.headings),
        "an id stands twice": len(told.ids) != len(set(told.ids)),
        "a label that is not there": not set(told.labels) <= set(told.ids),
        "a table without caption": any(not table.caption for table in told.tables),
        "a table without headers, or one without scope": any(
            not table.headers or table.without_scope for table in told.tables
        ),
        "a picture without words": bool(told.charts_without_words),
        "a script": bool(told.scripts),
        f"tags left open: {told.unclosed[:3]}": bool(told.unclosed),
    }
    return [words for words, is_so in wrong.items() if is_so]
