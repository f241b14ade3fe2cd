"""Reads the cases, takes every one of them along the real path on one warehouse, and says what came of each."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from quarterday import inbox, loading
from quarterday.contracts import Form, load_forms
from quarterday.errors import Finding, describe_finding
from quarterday.identifying import identify
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.bad_files.mutators import DEMO, spoil
from tests.path_support import rows_of

HERE = Path(__file__).parent
LOG_NAME = "custody-log-2017-18-Q3"
LOG_PARTNER = "icv_scheme"
# What a reading process may map, all told. The imports alone map about half of it.
ADDRESS_SPACE = 2 * 2**30
# Where a line came from; what it says is in the other columns.
PLACES = ("load_id", "sheet", "line_number", "column_number", "column_name", "period_label", "value_as_sent")

Row = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Case:
    """One bad file and what must come of it; the fields are explained at the top of cases.yml."""

    id: str
    kind: str
    base: str
    steps: list[dict[str, Any]]
    verdict: str
    checks: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    changes: tuple[dict[str, Any], ...] = ()
    lines: int | None = None
    name: str | None = None
    partner: str | None = None
    limited: bool = False

    @property
    def file_name(self) -> str:
        """The name under which the file is sent."""
        is_log = self.base.startswith("custody_log.")
        name = LOG_NAME + Path(self.base).suffix if is_log else Path(self.base).name
        named = {"{name}": name, "{NAME}": name.upper(), "{long}": "x" * 150, "{bytes}": "\udcff\udcfe"}
        return re.sub(r"\{\w+\}", lambda place: named[place[0]], self.name) if self.name else name

    @property
    def folder(self) -> str:
        """The inbox folder."""
        return self.partner or (LOG_PARTNER if self.base.startswith("custody_log.") else Path(self.base).parts[0])

    def content(self) -> bytes:
        """Return the file."""
        return spoil(self.base, self.steps)


@dataclass
class Outcome:
    """What came of a case. ``landed`` is the number of lines in the form's landing table."""

    load_id: int | None = None
    error: str | None = None
    form: str | None = None
    verdict: str | None = None
    line_count: int = 0
    refused_by: tuple[str, ...] = ()
    questioned_by: tuple[str, ...] = ()
    issues: list[str] = field(default_factory=list)
    landed: int = 0


def load_cases() -> list[Case]:
    """Return every case; one that names several good files is as many cases."""
    raw = yaml.load((HERE / "cases.yml").read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [case for kind, items in raw["kinds"].items() for item in items for case in _cases(kind, item, raw["bases"])]


def _cases(kind: str, item: dict[str, Any], bases: dict[str, str]) -> Iterator[Case]:
    named = item["base"] if isinstance(item["base"], list) else [item["base"]]
    known = {"id", "base", "do", "verdict", "checks", "flags", "says", "changes", "lines", "name", "partner", "limited"}
    assert not item.keys() - known, f"{item['id']}: unknown keys {item.keys() - known}"
    texts = {key: tuple(item.get(key, ())) for key in ("checks", "flags", "says", "changes")}
    for short in named:
        yield Case(
            id=f"{kind}-{item['id']}-{short}",
            kind=kind,
            base=bases[short],
            steps=item.get("do", []),
            verdict=item["verdict"],
            lines=item.get("lines"),
            name=item.get("name"),
            partner=item.get("partner"),
            limited=item.get("limited", False),
            **texts,
        )


def good_files(cases: list[Case]) -> dict[str, Case]:
    """Return a case for each good file that is used, in which nothing is spoilt."""
    bases = sorted({case.base for case in cases})
    return {base: Case(f"good-{base}", "good", base, [], "admitted") for base in bases}


def take_in_all(cases: list[Case], settings: Settings) -> dict[str, Outcome]:
    """Take every case along the path and return what came of each, by its id.

    Files of one name can't be in an inbox together, so they are swept in rounds; all are then landed and judged at
    once, form by form and quarter by quarter.
    """
    outcomes = {case.id: Outcome() for case in cases}
    keys: set[str] = set()
    for together in _rounds(cases):
        paths = {case.id: _send(case, settings) for case in together}
        keys |= _sweep(paths, settings, outcomes)
    for key in sorted(keys):
        _land_and_judge(key, cases, settings, outcomes)
    return outcomes


def take_in_limited(cases: list[Case], settings: Settings) -> dict[str, Outcome]:
    """Take cases along the path in a process that may have no more than so much memory."""
    outcomes = {case.id: Outcome() for case in cases}
    for together in _rounds(cases):
        paths = {case.id: _send(case, settings) for case in together}
        before = _latest_arrival(settings)
        places = [str(getattr(settings, name)) for name in _PLACES]
        words = [sys.executable, "-m", "tests.bad_files.corpus", str(settings.server_url), *places]
        ended = subprocess.run(words, capture_output=True, text=True, cwd=HERE.parents[1], timeout=120, check=False)
        _find_loads(_by_inbox_path(paths, settings), settings, outcomes, before)
        for case_id in paths:
            if ended.returncode:
                outcomes[case_id].error = f"the process ended with {ended.returncode}: {ended.stderr[-2000:]}"
    return outcomes


_PLACES = ("project", "home", "inbox", "archive", "receipts", "secrets")


def _rounds(cases: list[Case]) -> list[list[Case]]:
    rounds: list[dict[tuple[str, str], Case]] = []
    for case in cases:
        place = (case.folder, case.file_name)
        free = next((taken for taken in rounds if place not in taken), None)
        if free is None:
            rounds.append({place: case})
        else:
            free[place] = case
    return [list(taken.values()) for taken in rounds]


def _send(case: Case, settings: Settings) -> Path:
    path = settings.inbox / case.folder / case.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(case.content())
    arrived = time.time() - 60
    os.utime(path, (arrived, arrived))
    return path


def _sweep(paths: dict[str, Path], settings: Settings, outcomes: dict[str, Outcome]) -> set[str]:
    """Sweep the inbox, and keep what came of each path."""
    before = _latest_arrival(settings)
    swept = inbox.sweep(settings)
    arrived = _by_inbox_path(paths, settings)
    for name, error in swept.failures.items():
        outcomes[arrived[name]].error = f"the sweep failed: {error}"
        paths[arrived[name]].unlink()
    _find_loads(arrived, settings, outcomes, before)
    return set(swept.keys)


def _by_inbox_path(paths: dict[str, Path], settings: Settings) -> dict[str, str]:
    names = {str(path.relative_to(settings.inbox)): case_id for case_id, path in paths.items()}
    return {name.encode(errors="surrogateescape").decode(errors="replace"): case_id for name, case_id in names.items()}


def _latest_arrival(settings: Settings) -> int:
    (row,) = rows_of("select coalesce(max(arrival_id), 0) as latest from ledger.arrival", settings, "loader")
    return int(row["latest"])


def _find_loads(arrived: dict[str, str], settings: Settings, outcomes: dict[str, Outcome], before: int) -> None:
    """Keep the loads of what has just arrived at some paths, after an arrival."""
    latest = """select distinct on (inbox_path) inbox_path, load_id from ledger.arrival
        where inbox_path = any(%s) and arrival_id > %s order by inbox_path, arrival_id desc"""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(latest, (list(arrived), before))
        for name, load_id in cursor.fetchall():
            outcomes[arrived[name]].load_id = load_id


def _land_and_judge(key: str, cases: list[Case], settings: Settings, outcomes: dict[str, Outcome]) -> None:
    form, quarter = key.split("|")
    try:
        loading.land_pending(form, quarter, settings)
        loading.judge_pending(form, quarter, settings)
    except Exception as error:
        left = f"select load_id from ledger.load_state where form = '{form}' and verdict is null"
        unjudged = {row["load_id"] for row in rows_of(left, settings, "loader")}
        for outcome in outcomes.values():
            if outcome.load_id in unjudged:
                outcome.error = f"{key}: the task failed: {type(error).__name__}: {error}"


def read_outcomes(outcomes: dict[str, Outcome], settings: Settings) -> None:
    """Fill in what the ledger and the landing tables say of every load."""
    loads = {row["load_id"]: row for row in rows_of("select * from ledger.load_state", settings, "loader")}
    issues: dict[int, list[str]] = {}
    for row in rows_of("select * from ledger.line_issue order by line_issue_id", settings, "loader"):
        issues.setdefault(row["load_id"], []).append(_shown(row))
    failed: dict[int, list[tuple[str, str]]] = {}
    for row in rows_of("select * from ledger.check_result where not has_passed", settings, "loader"):
        failed.setdefault(row["load_id"], []).append((row["check_id"], row["action"]))
    counts = landed_counts(settings)
    for outcome in outcomes.values():
        if outcome.load_id is None:
            continue
        load = loads[outcome.load_id]
        outcome.form, outcome.verdict = load["form"], load["verdict"]
        if outcome.form is None and outcome.verdict == "rejected":
            outcome.verdict = "not_recognised"
        outcome.line_count = load["line_count"] or 0
        found = failed.get(outcome.load_id, [])
        outcome.refused_by = tuple(sorted(check for check, action in found if action != "flag"))
        outcome.questioned_by = tuple(sorted(check for check, action in found if action == "flag"))
        outcome.issues = issues.get(outcome.load_id, [])
        outcome.landed = sum(count for (_, load_id), count in counts.items() if load_id == outcome.load_id)


def _shown(row: dict[str, Any]) -> str:
    names = ("check_id", "expected", "found", "remedy", "sheet", "line_number", "column_name")
    return describe_finding(Finding(*(row[name] for name in names)))


def landed_counts(settings: Settings) -> Counter[tuple[str, int]]:
    """Return the number of lines in every landing table by table and load."""
    tables = rows_of(
        """select format('%I.%I', nspname, relname) as name from pg_class
        join pg_namespace on pg_namespace.oid = relnamespace where nspname = 'landing' and relkind = 'r'""",
        settings,
        "loader",
    )
    counts: Counter[tuple[str, int]] = Counter()
    for table in tables:
        for row in rows_of(f"select load_id, count(*) as n from {table['name']} group by load_id", settings, "owner"):
            counts[(table["name"], row["load_id"])] = row["n"]
    return counts


def typed_rows(form: str, load_id: int, settings: Settings) -> Counter[Row]:
    """Return what a load says, typed: each line without where it stood, and how often it is there."""
    rows = rows_of(f'select * from typed."{form}" where load_id = {load_id}', settings, "loader")
    return Counter(typed_row(row) for row in rows)


def typed_row(row: dict[str, Any]) -> Row:
    """Return a typed line as something to compare, without where it stood."""
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return tuple((name, value) for name, value in sorted(kept.items()) if name not in PLACES)


@cache
def prefixes(returns: Path) -> dict[str, str]:
    """Return the check prefix of every form."""
    return {name: form.contract.check_prefix for name, form in _forms(returns).items()}


@cache
def _forms(returns: Path) -> dict[str, Form]:
    return load_forms(returns)


def form_of(base: str, returns: Path) -> str:
    """Return the form of a good file."""
    if base.startswith("custody_log."):
        return "custody_log"
    return identify(DEMO / base, Path(base).parts[0], _forms(returns)).form


def main() -> None:
    """Take in what is in the inbox, with so much memory and no more."""
    from dataclasses import replace

    from quarterday.settings import load_settings
    from tests.path_support import take_in

    url, *places = sys.argv[1:]
    named = dict(zip(_PLACES, map(Path, places), strict=True))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    take_in(replace(load_settings(), server_url=url, **named))


if __name__ == "__main__":
    main()
