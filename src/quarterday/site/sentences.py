"""Sentences of the highlight report, each bound to a query on the release's open data, and refused where it isn't so.

A sentence is shown only if its query gives one row with every figure that its words need, and the figure is not hedged;
and, if it says that something has changed, only if the chart has a signal of that there: a change within the usual ups
and downs is no news, and a rise above the limits is none that "fewer" speaks of.
"""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from quarterday.errors import OperatorError
from quarterday.opendata.tables import Row, Rows, public_tables
from quarterday.site import wording

PLACE = ("measure_code", "area_code", "period_key")
KEYS = {"id", "priorities", "text", "query", "says_change"}
SIGNALS = ("improvement", "concern", "change")


@dataclass(frozen=True)
class Sentence:
    """A sentence before it is asked for: where it may stand, its words with places for figures, and what is asked.

    ``query`` is one select on the public tables; ``:priority`` and ``:quarter`` are the report's, ``:first_day`` and
    ``:last_day`` the plan's. It names the figure that it speaks of by measure_code, area_code and period_key, each of
    which may be null where it speaks of no outcome. ``says_change`` is the signal that its words tell of, if any.
    """

    key: str
    priorities: tuple[str, ...]
    text: str
    query: str
    says_change: str | None


@dataclass(frozen=True)
class Said:
    """A sentence with its figures, and the page that they come from, below the site's folder."""

    key: str
    text: str
    source: str


@dataclass(frozen=True)
class Refused:
    """A sentence that is not shown in a priority's report, and why."""

    key: str
    priority: str
    reason: str


@dataclass(frozen=True)
class Asked:
    """What a report is about: a priority, its plan's days and the report's quarter."""

    priority: str
    quarter: str
    first_day: date
    last_day: date


def read_sentences(path: Path) -> list[Sentence]:
    """Return the sentences of a file.

    Raises:
        OperatorError: One lacks a part, has one that is unknown, says a change that no chart has, or two share an id.
    """
    found = [_sentence(entry, path) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]
    keys = [one.key for one in found]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise OperatorError(f"{path}: the id {twice[0]} stands twice, so no site was made. Give each its own.")
    return found


def _sentence(entry: Mapping[str, Any], path: Path) -> Sentence:
    missing, unknown = KEYS - {"says_change"} - entry.keys(), entry.keys() - KEYS
    if missing or unknown:
        raise OperatorError(
            f"{path}, sentence {entry.get('id', 'without id')}: no site was made.\n"
            f"  missing: {', '.join(sorted(missing)) or 'nothing'}; unknown: {', '.join(sorted(unknown)) or 'nothing'}"
        )
    change = entry.get("says_change")
    if change not in (None, *SIGNALS):
        raise OperatorError(
            f"{path}, sentence {entry['id']}: says_change is {change!r}, expected one of {', '.join(SIGNALS)}; no site "
            "was made."
        )
    return Sentence(entry["id"], tuple(entry["priorities"]), entry["text"], entry["query"], change)


class Speaker:
    """Asks the sentences of one release, over a database in memory that holds its public tables and nothing else."""

    def __init__(self, sentences: Sequence[Sentence], rows: Rows) -> None:
        """Take in the public tables, without what they leave out."""
        self.sentences = sentences
        self.refused: list[Refused] = []
        self.signals = {tuple(row[name] for name in PLACE): row for row in rows["outcomes"]}
        self.measures = {row["measure_code"] for table in ("measurements", "outcomes") for row in rows[table]}
        self.database = sqlite3.connect(":memory:")
        self.database.row_factory = sqlite3.Row
        for name, table in public_tables().items():
            columns = [column.name for column in table.columns]
            kinds = {column.name: "numeric" if column.datatype == "decimal" else "" for column in table.columns}
            self.database.execute(
                f"create table {name} ({', '.join(f'{column} {kinds[column]}' for column in columns)})"
            )
            marks = ", ".join("?" * len(columns))
            values = [[_stored(row[column]) for column in columns] for row in rows[name]]
            self.database.executemany(f"insert into {name} values ({marks})", values)

    def say(self, asked: Asked) -> list[Said]:
        """Return the sentences that hold in a priority's report; the others are added to ``refused``."""
        said = []
        for sentence in self.sentences:
            if asked.priority not in sentence.priorities:
                continue
            row, reason = self._answer(sentence, asked)
            if row is None:
                self.refused.append(Refused(sentence.key, asked.priority, reason))
            else:
                said.append(Said(sentence.key, _Words().format(sentence.text, **row), self._source(row)))
        return said

    def _answer(self, sentence: Sentence, asked: Asked) -> tuple[dict[str, Any] | None, str]:
        """Return the row that a sentence needs, or why it can't be said."""
        found = self._ask(sentence, asked)
        if len(found) != 1:
            return None, "not available: the query gives no figure" if not found else "the query gives several figures"
        row = found[0]
        if missing := [name for name in _places(sentence.text) if row[name] is None]:
            return None, f"not available, or left out to protect people: {', '.join(missing)}"
        outcome = self.signals.get(tuple(row[name] for name in PLACE))
        if outcome and outcome["value_qualifier"] not in (None, "exact"):
            return None, f"the figure is hedged: {outcome['value_qualifier'].replace('_', ' ')}"
        reason = _no_such_change(sentence.says_change, outcome["signal"] if outcome else None)
        return (None, reason) if reason else (row, "")

    def _ask(self, sentence: Sentence, asked: Asked) -> list[dict[str, Any]]:
        given = {name: str(value) for name, value in vars(asked).items()}
        try:
            found = [dict(row) for row in self.database.execute(sentence.query, given)]
        except sqlite3.Error as error:
            message = f"Sentence {sentence.key}: its query can't be asked ({error}), so no site was made."
            raise OperatorError(message) from None
        if found and (lacking := [name for name in (*PLACE, *_places(sentence.text)) if name not in found[0]]):
            raise OperatorError(
                f"Sentence {sentence.key}: its query gives no column {', '.join(lacking)}, so no site was made."
            )
        return found

    def _source(self, row: Mapping[str, Any]) -> str:
        measure, area, period = (row[name] for name in PLACE)
        if measure not in self.measures:
            return "data.html"
        anchor = f"#figure-{area}-{period.lower()}" if (measure, area, period) in self.signals else "#sources"
        return f"outcomes/{measure}.html{anchor}"


class _Words(string.Formatter):
    """Writes figures into a sentence: ``{value:count}``, ``{share:percent}``, ``{period_key:quarter}`` or ``:year``."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a figure in its unit, a quarter as it is shown, anything else as it is."""
        if format_spec in ("quarter", "year"):
            return wording.quarter(str(value))[: None if format_spec == "quarter" else len("2017-18")]
        if format_spec:
            return wording.amount(Decimal(str(value)), format_spec)
        return str(value)


def _no_such_change(said: str | None, signal: str | None) -> str:
    """Return why a change can't be told of a figure with a signal; empty where it can, or where none is told."""
    if said is None or said == signal:
        return ""
    if signal is None:
        return "says a change, and there are no limits to tell one by"
    if signal == "none":
        return "says a change that is within common-cause variation"
    return f"says a change of another kind than the chart's signal: {said}, and the chart has {signal}"


def _places(text: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


def _stored(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date) else value


def asked_of(row: Row, quarter: str) -> Asked:
    """Return what a priority's report is about.

    Args:
        row: The priority with its plan's days; a plan without an end goes on.
        quarter: The report's quarter.
    """
    return Asked(row["priority_code"], quarter, row["valid_from"], row["valid_to"] or date.max)


def refusals(speaker: Speaker) -> Iterator[str]:
    """Give what the operator is told of each sentence that was refused."""
    for one in speaker.refused:
        yield f"{one.priority}: {one.key}: {one.reason}"
