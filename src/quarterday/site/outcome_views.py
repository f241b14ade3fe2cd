"""What an outcome's page shows, part by part, written out."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """A figure on a page, or why there is none, and where it came from."""

    text: str
    meaning: str = ""
    source: str = ""


@dataclass(frozen=True)
class Quarter:
    """A quarter of an outcome in an area."""

    anchor: str
    name: str
    months: str
    cell: Cell
    change: str
    rating: str | None
    signal: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Year:
    """A financial year of an outcome in an area."""

    name: str
    cell: Cell
    to_date: str
    baseline: str
    change: str
    rating: str | None


@dataclass(frozen=True)
class Version:
    """What a release said of a quarter."""

    release_id: int
    published_on: str
    text: str
    load_id: int | None


@dataclass(frozen=True)
class Restated:
    """A figure that releases told in different ways: what it is of, and the anchor of its place on the page."""

    name: str
    versions: tuple[Version, ...]
    anchor: str


@dataclass(frozen=True)
class Withdrawal:
    """A release that took figures of a measure back of which no figure is left: when, why, and how many."""

    release_id: int
    published_on: str
    reason: str
    figure_count: int


@dataclass(frozen=True)
class Part:
    """An outcome in one area."""

    area_code: str
    area_name: str
    message: str
    remark: str
    charts: tuple[Markup, ...]
    description: str
    legend: tuple[tuple[str, Markup], ...]
    baseline: str
    quarters: tuple[Quarter, ...]
    years: tuple[Year, ...]
    restated: tuple[Restated, ...]
    latest: Quarter | None
    signal: str | None
    has_provisional: bool
    has_restated: bool
    has_signal: bool


@dataclass(frozen=True)
class Sent:
    """A figure as a partner sent it, and where it stands."""

    anchor: str
    period: str
    part: str
    area_name: str
    cell: Cell
    status: str
    partner_name: str
    file_name: str
    sheet: str
    line_number: int | None
    load_id: int
    release_id: int | None


@dataclass(frozen=True)
class Outcome:
    """An outcome's page; one with ``withdrawals`` has no figure any more, and tells what there was."""

    code: str
    name: str
    unit_of_count: str
    about: str
    parts: tuple[Part, ...]
    sent: tuple[Sent, ...]
    restated_as_sent: tuple[Restated, ...]
    withdrawals: tuple[Withdrawal, ...] = ()

    @property
    def headline(self) -> Part | None:
        """The area that speaks for the outcome: the one that stands first."""
        return self.parts[0] if self.parts else None

    @property
    def is_highlight(self) -> bool:
        """Say whether papers show its chart: its newest figure is a signal or is rated against a baseline."""
        part = self.headline
        if part is None or not part.charts:
            return False
        return part.signal not in (None, "none") or bool(part.latest and part.latest.rating)
