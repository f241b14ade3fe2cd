"""Codes as people say them: the names of measures, areas, partners and priorities, and of what changes about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg2.extensions import cursor as Cursor

from quarterday.receipts import plain_words
from quarterday.restating.changes import Change

NAMES = """
select 'measure', measure_code, measure_name from mart.dim_measure
union all select 'area', area_code, area_name from mart.dim_area
union all select 'partner', partner_code, partner_name from mart.dim_partner
union all select 'priority', priority_code, priority_name from mart.dim_priority
"""
ITEMS = {
    "value": "value",
    "numerator": "counted",
    "denominator": "out of",
    "rag_declared": "rating by the partner",
    "rag_computed": "rating",
    "rag_rolled_up": "rating",
    "status": "status",
    "baseline_value": "baseline",
    "change_pct": "change on the baseline, %",
    "signal": "signal",
    "award_year_gbp": "awards of the year, £",
    "budget_year_gbp": "budget of the year, £",
    "outturn_year_gbp": "outturn of the year, £",
}
RATINGS = {"R": "red", "A": "amber", "G": "green", "W": "white"}


@dataclass(frozen=True)
class Names:
    """What each code is called; a code without a name is made into words."""

    by_code: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, kind: str, code: str | None) -> str:
        """Return the name of a measure, an area, a partner or a priority; nothing for none."""
        return self.by_code.get((kind, code), plain_words(code.rpartition(".")[2])) if code else ""

    def subject(self, change: Change) -> str:
        """Return what a change is about: the measure with its breakdown, the priority, or the form."""
        if change.measure_code is None:
            return self.of("priority", change.priority_code) or plain_words(change.form or "")
        breakdown = (change.breakdown_code or "all").replace("_", " ")
        return self.of("measure", change.measure_code) + ("" if breakdown == "all" else f", {breakdown}")

    def item(self, change: Change) -> str:
        """Return what of its subject changes."""
        words = ITEMS.get(change.item, change.item.replace("_", " ").removesuffix(" count"))
        return f"{words} (year)" if change.subject == "outcome_year" else words


def read_names(cursor: Cursor) -> Names:
    """Read the names that readers see."""
    cursor.execute(NAMES)
    return Names({(kind, code): name for kind, code, name in cursor.fetchall()})


def period_shown(key: str) -> str:
    """Return a period as people read it: ``2017-18 Q3``."""
    return key[:7] + " " + key[8:] if len(key) == len("2017-18-Q3") and key[7:9] == "-Q" else key.replace("_", " ")


def before(change: Change) -> str:
    """Return what readers see now."""
    return _shown(change, change.old_text) if change.was_there else "not there"


def after(change: Change) -> str:
    """Return what readers would see."""
    return _shown(change, change.new_text) if change.is_there else "gone"


def by_how_much(change: Change) -> str:
    """Return the change in the measure's unit and in percent: ``+45 (+0.9%)``."""
    if change.absolute is None:
        return ""
    relative = "" if change.relative_pct is None else f" ({change.relative_pct:+}%)"
    return f"{change.absolute.normalize():+f}{relative}"


def _shown(change: Change, text: str | None) -> str:
    if "rag" in change.item:
        return RATINGS.get(text or "", text or "none")
    return text or "no figure"
