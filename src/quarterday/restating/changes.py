"""What a release would change of what readers see: figures, outcomes, priorities, registers, and what reports printed.

Everything is compared in the database: the marts as they are with the marts as they would be. Of registers, whose
lines may be millions, the counts are compared and, where there are few, the lines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from importlib import resources
from typing import Any

from psycopg2 import sql

from quarterday.contracts import Form, load_forms
from quarterday.restating.supposing import Supposed, as_if_released
from quarterday.settings import Settings

FEW_LINES = 20_000
RAG_ITEMS = frozenset({"rag_computed", "rag_rolled_up"})
PROVISIONAL = ("provisional", "interim")


@dataclass(frozen=True)
class Change:
    """One item of a figure, an outcome, a priority or a register, before and after.

    ``subject`` is figure, outcome, outcome_year, priority or register; ``item`` is what of it: value, rag_computed,
    change_pct, status, lines ... Numbers are in the measure's unit. ``note`` is what the partner wrote beside it.
    """

    subject: str
    item: str
    form: str | None
    partner_code: str | None
    priority_code: str | None
    measure_code: str | None
    breakdown_code: str | None
    area_code: str | None
    period_key: str
    was_there: bool
    is_there: bool
    old_value: Decimal | None
    new_value: Decimal | None
    old_text: str | None
    new_text: str | None
    old_load_id: int | None = None
    new_load_id: int | None = None
    note: str | None = None
    was_provisional: bool = False

    @property
    def kind(self) -> str:
        """``new``, ``restated`` or ``vanished``."""
        return "vanished" if not self.is_there else "restated" if self.was_there else "new"

    @property
    def absolute(self) -> Decimal | None:
        """How much more it is, in the measure's unit; None unless both are numbers."""
        if self.old_value is None or self.new_value is None:
            return None
        return self.new_value - self.old_value

    @property
    def relative_pct(self) -> Decimal | None:
        """How much more it is, in percent of what it was; None from zero or without numbers."""
        if self.absolute is None or not self.old_value:
            return None
        return round(100 * self.absolute / abs(self.old_value), 1)

    @property
    def is_restatement(self) -> bool:
        """Whether readers were told something else before."""
        return self.kind != "new"


@dataclass(frozen=True)
class PrintedChange:
    """A figure printed in a report, of which what the warehouse says would change."""

    printed_figure_id: str
    report: str
    document_code: str
    place: str
    label: str
    printed_text: str | None
    old_text: str | None
    new_text: str | None
    old_verdict: str | None
    new_verdict: str | None
    measure_code: str | None
    area_code: str | None
    period_key: str | None

    @property
    def printed_the_old(self) -> bool:
        """Whether what was printed is what readers see now, exactly or as far as it was rounded."""
        return self.old_verdict in ("agrees", "rounds")

    @property
    def printed_the_new(self) -> bool:
        """Whether what was printed is what readers would see."""
        return self.new_verdict in ("agrees", "rounds")


@dataclass(frozen=True)
class Changes:
    """All that a release of some loads would change."""

    loads: tuple[int, ...]
    changes: tuple[Change, ...]
    printed: tuple[PrintedChange, ...]

    @property
    def restatements(self) -> tuple[Change, ...]:
        """What readers were told otherwise before."""
        return tuple(change for change in self.changes if change.is_restatement)

    @property
    def reports(self) -> tuple[str, ...]:
        """The reports that printed what would no longer be said, by name."""
        return tuple(sorted({one.report for one in self.printed if one.printed_the_old}))

    def of(self, *subjects: str) -> tuple[Change, ...]:
        """Return the changes of some subjects."""
        return tuple(change for change in self.changes if change.subject in subjects)

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "loads": list(self.loads),
            "changes": [
                asdict(change) | {"kind": change.kind, "absolute": change.absolute, "relative_pct": change.relative_pct}
                for change in self.changes
            ],
            "printed": [asdict(one) | {"printed_the_old": one.printed_the_old} for one in self.printed],
            "digest": self.digest,
        }

    @property
    def digest(self) -> str:
        """A SHA-256 of what is said otherwise than before: partners' figures, lines of registers, and ratings.

        What follows from them besides, as the sum of a year so far, moves with other returns, too, and is left out.
        """
        told = [
            _told(one) for one in self.restatements if one.subject in ("figure", "register") or one.item in RAG_ITEMS
        ]
        return hashlib.sha256(json.dumps(sorted(told)).encode()).hexdigest()


def changes_of(
    loads: Sequence[int], settings: Settings, release_id: int = 0, derived: bool = True, is_built: bool = False
) -> Changes:
    """Return what a release of some loads, and no others, would change of what readers see.

    Args:
        loads: Admitted and not released; none of them need be built.
        settings: Whose warehouse.
        release_id: The open release, where it is that one.
        derived: Whether to work out outcomes, priorities and printed figures, too.
        is_built: Whether the release's facts are in core, and need not be worked out again.
    """
    forms = load_forms(settings.returns)
    with as_if_released(loads, settings, release_id, derived, is_built) as world:
        found = _ask(world, "figures") + _register_changes(world, forms)
        if derived:
            found += _ask(world, "derived")
        return Changes(tuple(loads), tuple(found), tuple(_printed(world, found, derived)))


def _ask(world: Supposed, name: str) -> list[Change]:
    world.cursor.execute(
        sql.SQL(_text(name)).format(schema=sql.Identifier(world.schema), build=sql.Identifier(world.build))
    )
    return [Change(*row) for row in world.cursor.fetchall()]


def _printed(world: Supposed, changes: Sequence[Change], derived: bool) -> Iterable[PrintedChange]:
    """Return what reports printed of what would change: by its checks, and by measure, area and period."""
    found: dict[tuple[str, str | None, str | None], PrintedChange] = {}
    if derived:
        world.cursor.execute(sql.SQL(_text("printed")).format(schema=sql.Identifier(world.schema)))
        for row in _rows(world):
            one = PrintedChange(**{name: row[name] for name in PrintedChange.__dataclass_fields__})
            found.setdefault((one.printed_figure_id, one.old_text, one.new_text), one)
    for one in _printed_directly(world, changes):
        found.setdefault((one.printed_figure_id, one.old_text, one.new_text), one)
    return found.values()


def _printed_directly(world: Supposed, changes: Sequence[Change]) -> Iterable[PrintedChange]:
    asked = [
        change
        for change in changes
        if change.is_restatement and change.item == "value" and change.measure_code and change.area_code
    ]
    keys = sorted({(str(one.measure_code), str(one.area_code), one.period_key) for one in asked})
    columns = dict(zip(("measures", "areas", "periods"), map(list, zip(*keys, strict=True)), strict=False))
    if not keys:
        return
    world.cursor.execute(_text("prints"), columns)
    for row in _rows(world):
        for change in asked:
            place = (change.measure_code, change.breakdown_code or "all", change.area_code, change.period_key)
            if place == (row["measure_code"], row["breakdown_code"], row["area_code"], row["period_key"]):
                yield PrintedChange(
                    **{name: row[name] for name in PrintedChange.__dataclass_fields__ if name in row},
                    old_text=change.old_text,
                    new_text=change.new_text if change.is_there else None,
                    old_verdict=_beside(row, change.old_value),
                    new_verdict=_beside(row, change.new_value),
                )


def _beside(row: dict[str, Any], value: Decimal | None) -> str:
    if value is None:
        return "cannot_be_checked"
    if value == row["printed_value"]:
        return "agrees"
    return "rounds" if abs(value - row["printed_value"]) <= (row["printed_step"] or 0) / 2 else "differs"


def _register_changes(world: Supposed, forms: dict[str, Form]) -> list[Change]:
    registers = [name for name, form in forms.items() if not form.is_indicator]
    world.cursor.execute(
        sql.SQL(_text("registers")).format(build=sql.Identifier(world.build)), {"registers": registers}
    )
    found: list[Change] = []
    for row in _rows(world):
        found += _register_change(row, *_lines_that_differ(world, row))
    return found


def _register_change(row: dict[str, Any], gone: int | None, fresh: int | None, provisional: bool) -> Iterable[Change]:
    period = f"{row['period_type']} {row['period_start']} to {row['period_end']}"
    for item, old, new in (
        ("lines", row["old_lines"], row["new_lines"]),
        ("lines that go", 0 if gone else None, gone or None),
        ("lines that come", 0 if fresh else None, fresh or None),
    ):
        if old is None and new is None or (item == "lines" and old == new):
            continue
        yield Change(
            "register", item, row["form"], row["partner_code"], None, None, None, None, period,
            row["old_load_id"] is not None, row["new_load_id"] is not None,
            None if old is None else Decimal(old), None if new is None else Decimal(new),
            None if old is None else str(old), None if new is None else str(new),
            row["old_load_id"], row["new_load_id"], None, provisional,
        )  # fmt: skip


def _lines_that_differ(world: Supposed, row: dict[str, Any]) -> tuple[int | None, int | None, bool]:
    """Return how many lines go and come, None where they are too many; and whether all that go were provisional."""
    old, new = row["old_load_id"], row["new_load_id"]
    if old is None or new is None or row["old_lines"] + row["new_lines"] > FEW_LINES:
        return None, None, False
    world.cursor.execute(
        sql.SQL(_text("lines")).format(sql.Identifier("typed", row["form"])),
        {"old": old, "new": new, "provisional": list(PROVISIONAL)},
    )
    gone, fresh, provisional = world.cursor.fetchone() or (0, 0, False)
    return gone, fresh, bool(provisional)


def _told(change: Change) -> str:
    key = (change.subject, change.item, change.form, change.partner_code, change.priority_code, change.measure_code)
    place = (change.breakdown_code, change.area_code, change.period_key)
    return "|".join(str(part) for part in (*key, *place, change.kind, change.old_text, change.new_text))


def _rows(world: Supposed) -> list[dict[str, Any]]:
    names = [column.name for column in world.cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in world.cursor.fetchall()]


def _text(name: str) -> str:
    return (resources.files("quarterday") / "sql" / "changes" / f"{name}.sql").read_text(encoding="utf-8")
