"""What the pages of the whole release say: what stands out, the action plan, areas side by side, returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quarterday.opendata.tables import Row
from quarterday.receipts import plain_words
from quarterday.site import wording
from quarterday.site.outcome_views import Outcome, Part
from quarterday.site.outcomes import Outcomes
from quarterday.site.reading import Told

LETTERS = ("R", "A", "G", "W")
# Areas that can stand side by side: those of one tier. A county is no district, it holds districts.
TIERS = {
    "authorities": ("county", "unitary_authority"),
    "districts": ("district",),
}
RETURN_STATES = {
    "not due": "Not due yet",
    "due": "Due",
    "late": "Late",
    "received": "Received",
    "rejected": "Rejected",
    "admitted": "Admitted",
    "released": "Released",
    "restated": "Released, restated",
}


def standing_out(outcomes: Mapping[str, Outcome]) -> list[tuple[Outcome, Part]]:
    """Return what stands out: each outcome and area whose newest figure is a signal, concerns first."""
    order = {"concern": 0, "change": 1, "improvement": 2}
    found = [(one, part) for one in outcomes.values() for part in one.parts if part.signal in order]
    return sorted(found, key=lambda pair: (order[pair[1].signal or ""], pair[0].name, pair[1].area_name))


@dataclass(frozen=True)
class Matrix:
    """The action plan's matrix of a quarter: of each theme the counts by term and letter, in the order of ``terms``."""

    key: str
    name: str
    terms: tuple[str, ...]
    themes: tuple[tuple[str, tuple[tuple[tuple[str, int, str], ...], ...]], ...]
    differs: tuple[str, ...]


def matrices_of(told: Told) -> list[Matrix]:
    """Return the action plan's matrices, the newest first."""
    by_quarter: dict[str, list[Row]] = {}
    for row in told.more["matrix"]:
        by_quarter.setdefault(row["period_key"], []).append(row)
    return [_matrix(key, rows) for key, rows in sorted(by_quarter.items(), reverse=True)]


def _matrix(key: str, rows: Sequence[Row]) -> Matrix:
    cells = {(row["theme"], row["term"], row["rag"]): row for row in rows}
    themes = dict.fromkeys(row["theme"] for row in rows)
    terms = tuple(dict.fromkeys(row["term"] for row in rows))
    table = tuple(
        (theme, tuple(tuple(_matrix_cell(cells[theme, term, letter]) for letter in LETTERS) for term in terms))
        for theme in themes
    )
    unlike = [
        f"{row['theme']}, {_term(row['term'])}, {wording.RATINGS.get(row['rag'], 'all ratings').lower()}: "
        f"printed {row['printed_text'] or 'blank'}, {row['computed_count']} in the plan's rows"
        for row in rows
        if row["agrees"] is False
    ]
    return Matrix(key, wording.quarter(key), tuple(map(_term, terms)), table, tuple(unlike))


def _matrix_cell(row: Row) -> tuple[str, int, str]:
    return wording.RATINGS[row["rag"]], row["computed_count"], row["printed_text"] or ""


def _term(code: str) -> str:
    return {"S": "short term", "M": "medium term", "L": "long term", "all": "all terms"}.get(code, code)


@dataclass(frozen=True)
class Compared:
    """Areas of one tier side by side: an outcome's figures of one period."""

    outcome: Outcome
    tier: str
    period: str
    rows: tuple[tuple[str, str, float | None, str], ...]


def compared_areas(everything: Outcomes, outcomes: Mapping[str, Outcome]) -> list[Compared]:
    """Return, of each outcome with figures for several areas of one tier, those of the newest period they share."""
    found = []
    for code in everything.codes:
        for tier, kinds in TIERS.items():
            inside = {area for area, row in everything.areas.items() if row["area_type"] in kinds}
            rows = [row for row in everything.quarters.get(code, ()) if row["area_code"] in inside]
            periods = Counter(row["period_key"] for row in rows if row["value"] is not None)
            shared = max((key for key, count in periods.items() if count > 1), default=None)
            if shared:
                found.append(_compared(outcomes[code], tier, everything.measures[code]["unit"], shared, rows))
    return found


def _compared(outcome: Outcome, tier: str, unit: str, period: str, rows: Sequence[Row]) -> Compared:
    here = sorted((row for row in rows if row["period_key"] == period), key=lambda row: row["area_name"])
    most = max((float(row["value"]) for row in here if row["value"] is not None), default=0.0)
    return Compared(outcome, tier, wording.quarter(period), tuple(_bar(row, unit, most) for row in here))


def _bar(row: Row, unit: str, most: float) -> tuple[str, str, float | None, str]:
    """Return an area's name, figure, length of its bar from 0 to 100, and the anchor of its figure."""
    anchor = f"figure-{row['area_code']}-{row['period_key'].lower()}"
    if row["value"] is None:
        return row["area_name"], row["value_shorthand"] or "", None, anchor
    share = max(0.0, round(100 * float(row["value"]) / most, 1)) if most > 0 else 0.0
    return row["area_name"], wording.figure(row["value"], unit, row["value_qualifier"]), share, anchor


@dataclass(frozen=True)
class Return:
    """A return that was due or came in."""

    form: str
    partner_name: str
    quarter: str
    due_on: str
    issued_on: str
    state: str
    versions: int
    load_id: int | None


def returns_of(told: Told) -> dict[str, list[Return]]:
    """Return the returns by financial year, the newest first; within a year by quarter, form and partner."""
    found: dict[str, list[Return]] = {}
    rows = sorted(told.rows["returns"], key=lambda row: (row["period_key"], row["form"], row["partner_code"]))
    for row in rows:
        found.setdefault(row["period_key"][:7], []).append(_return(row))
    return dict(sorted(found.items(), reverse=True))


def _return(row: Row) -> Return:
    return Return(
        plain_words(row["form"]),
        row["partner_name"] or row["partner_code"],
        wording.quarter(row["period_key"]),
        wording.day(row["due_on"]) if row["due_on"] else "",
        wording.day(row["issued_on"]) if row["issued_on"] else "",
        RETURN_STATES[row["state"]],
        row["version_count"] or 0,
        row["load_id"],
    )
