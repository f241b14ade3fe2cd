"""What releases that were public told in different ways: quarters, years, and every figure as a partner sent it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from quarterday.opendata.saying import PLANS
from quarterday.opendata.tables import CONFIDENTIAL, Row
from quarterday.site import wording
from quarterday.site.outcome_views import Version, Withdrawal
from quarterday.site.reading import Told

Key = tuple[object, ...]
# What a figure of a table is of; a figure as sent by its status too, where several of one place hold at once.
PLACE = {
    "outcomes": ("measure_code", "area_code", "period_key"),
    "outcome_years": ("measure_code", "area_code", "period_key"),
    "measurements": ("measure_code", "breakdown_code", "area_code", "period_key", "form", "partner_code"),
}
WITHDRAWN = "none any more"


class Restatements:
    """What each release that was public before showed of a figure, beside what this one shows."""

    def __init__(self, told: Told) -> None:
        """Take in what was told before."""
        self.told = told

    @cached_property
    def _before(self) -> Mapping[str, Mapping[Key, Sequence[Row]]]:
        """What earlier releases showed, by table and place, the oldest first."""
        return {table: _grouped(table, rows) for table, rows in self.told.earlier.items()}

    @cached_property
    def _days(self) -> Mapping[int, str]:
        return {one.release_id: wording.day(one.published_at.date()) for one in self.told.editions}

    def versions(self, table: str, row: Row, unit: str) -> tuple[Version, ...]:
        """Return what each release told of a figure, each that differs from the one before it; empty if all agree.

        Args:
            table: The public table that the figure stands in.
            row: Its row there now; a figure that this release leaves out to protect people is not told of.
            unit: The measure's unit.
        """
        before = self._earlier(table, row)
        if row["value_shorthand"] == CONFIDENTIAL or not _said(before) - _said([row]):
            return ()
        # A release that has no figure has no row before; so one that is gone was gone with the release after the last.
        since = self.told.edition.release_id if row["value"] is not None else self._after(before[-1])
        told = [(one["release_id"], _text(one, unit), None) for one in before]
        return tuple(self._changes([*told, (since, _text(row, unit) or WITHDRAWN, row["load_id"])]))

    @cached_property
    def gone(self) -> Mapping[str, Sequence[Sequence[Row]]]:
        """By measure, the rows of each figure as sent that earlier public releases showed and this one has not.

        Of a measure that has nothing left, also those that were left out to protect people.
        """
        found: dict[str, list[Sequence[Row]]] = {}
        for place, rows in sorted(self._before.get("measurements", {}).items(), key=lambda told: str(told[0])):
            code = rows[0]["measure_code"]
            is_shown = code in self.withdrawn or any(row["value"] is not None for row in rows)
            if place not in self._places_now and is_shown:
                found.setdefault(code, []).append(rows)
        return found

    @cached_property
    def withdrawn(self) -> frozenset[str]:
        """The measures of which earlier public releases showed figures, and this one shows nothing."""
        now = {row["measure_code"] for table in PLACE for row in self.told.rows[table]}
        return frozenset(row["measure_code"] for rows in self.told.earlier.values() for row in rows) - now

    def withdrawals(self, code: str) -> Iterator[Withdrawal]:
        """Give the releases that took the figures of a measure back of which nothing is left, the oldest first."""
        counts = Counter(rows[-1]["ended_by"] or self._after(rows[-1]) for rows in self.gone.get(code, ()))
        for one in reversed(self.told.editions):
            if one.release_id in counts:
                yield Withdrawal(one.release_id, self._days[one.release_id], one.reason, counts[one.release_id])

    def versions_of_gone(self, rows: Sequence[Row], unit: str) -> tuple[Version, ...]:
        """Return what each release told of a figure that is there no more."""
        told = [(one["release_id"], _text(one, unit), None) for one in rows]
        return tuple(self._changes([*told, (self._after(rows[-1]), WITHDRAWN, None)]))

    def _after(self, row: Row) -> int:
        """Return the release that became public after the one of a row."""
        order = [*(one.release_id for one in self.told.public), self.told.edition.release_id]
        return order[order.index(row["release_id"]) + 1]

    def _earlier(self, table: str, row: Row) -> list[Row]:
        """Return what was told of a figure before; of a figure as sent, in the same status if it was told in that."""
        before = list(self._before.get(table, {}).get(_place(table, row), ()))
        if table != "measurements":
            return before
        same = [one for one in before if one["status"] == row["status"]]
        # A provisional figure that became final is restated; one that stands beside a final one is another figure.
        is_alone = self._places_now.get(_place(table, row)) == 1
        return before if is_alone else same

    @cached_property
    def _places_now(self) -> Mapping[Key, int]:
        return {place: len(rows) for place, rows in _grouped("measurements", self.told.rows["measurements"]).items()}

    def _changes(self, told: Iterable[tuple[int, str, int | None]]) -> Iterator[Version]:
        last = None
        for number, text, load_id in told:
            if text != last:
                last = text
                yield Version(number, self._days[number], text, load_id)


def _grouped(table: str, rows: Sequence[Row]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = {}
    for row in rows:
        found.setdefault(_place(table, row), []).append(row)
    return found


def _place(table: str, row: Row) -> Key:
    """Return what a figure is of; a target is another figure than what came of it."""
    return (*(row[name] for name in PLACE[table]), row.get("status") in PLANS)


def _said(rows: Iterable[Row]) -> set[tuple[object, str]]:
    """Return the figures of some rows, each with how it is hedged."""
    return {(row["value"], row["value_qualifier"] or "exact") for row in rows if row["value"] is not None}


def _text(row: Row, unit: str) -> str:
    if row["value"] is None:
        return row.get("value_shorthand") or ""
    return wording.figure(row["value"], unit, row["value_qualifier"])
