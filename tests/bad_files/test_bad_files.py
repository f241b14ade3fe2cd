"""Every bad file gets the verdict and the message that cases.yml states, and leaves the database as it was."""

from __future__ import annotations

import os
import resource
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from psycopg2 import sql

from quarterday import generating
from quarterday.contracts import load_forms
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.bad_files import corpus
from tests.bad_files.corpus import Case, Outcome
from tests.conftest import database_named, run_on_server, session_settings
from tests.path_support import rows_of

EVERY_CASE = corpus.load_cases()
# The small size is a case of twelve.
CASES = [case for number, case in enumerate(EVERY_CASE) if os.environ.get("QUARTERDAY_LONG_TESTS") or number % 12 == 0]
# The whole corpus may make the process this much larger, however large the files are.
MEGABYTES = 256


@dataclass
class Result:
    """What came of all cases and of the good files they are made from."""

    settings: Settings
    outcomes: dict[str, Outcome]
    good: dict[str, Outcome]
    others_before: dict[str, int]
    others_after: dict[str, int]
    grown_by: float


@pytest.fixture(scope="module")
def result(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    """One warehouse that has taken in every case."""
    name = f"quarterday_test_bad_files_{os.getpid()}"
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    settings = _settings(tmp_path_factory.mktemp("bad_files"), name)
    with connect(settings, "owner") as connection:
        generating.deploy(connection, load_forms(settings.returns))
    yield _take_in(settings)
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _settings(home: Path, database: str) -> Settings:
    """Return settings with those of the office's forms that the corpus uses, and its own."""
    settings = session_settings()
    project = home / "project"
    forms = {corpus.form_of(case.base, settings.returns) for case in CASES}
    for form in sorted(forms - {"custody_log"}):
        shutil.copytree(settings.returns / form, project / "returns" / form)
    shutil.copytree(settings.expectations, project / "expectations")
    shutil.copytree(corpus.HERE / "returns", project / "returns", dirs_exist_ok=True)
    folders = {name: home / name for name in ("inbox", "archive", "receipts")}
    return replace(settings, project=project, home=home, server_url=database_named(database), **folders)


def _take_in(settings: Settings) -> Result:
    goods = corpus.good_files(CASES)
    good = corpus.take_in_all(list(goods.values()), settings)
    others = _rows_outside_ledger(settings)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = corpus.take_in_all([case for case in CASES if not case.limited], settings)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    outcomes |= corpus.take_in_limited([case for case in CASES if case.limited], settings)
    corpus.read_outcomes({**good, **outcomes}, settings)
    by_base = {base: good[case.id] for base, case in goods.items()}
    return Result(settings, outcomes, by_base, others, _rows_outside_ledger(settings), grown)


def _rows_outside_ledger(settings: Settings) -> dict[str, int]:
    """Count the rows of every table but those of the ledger and of landing."""
    tables = rows_of(
        """select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('ledger', 'landing', 'pg_catalog', 'information_schema') order by 1""",
        settings,
        "owner",
    )
    return {
        row["name"]: rows_of(f"select count(*) from {row['name']}", settings, "owner")[0]["count"] for row in tables
    }


def test_the_corpus_has_enough_cases_of_enough_forms() -> None:
    forms = {corpus.form_of(case.base, session_settings().returns) for case in EVERY_CASE}
    assert len(EVERY_CASE) >= 300
    assert len({case.id for case in EVERY_CASE}) == len(EVERY_CASE)
    assert len(forms) >= 12


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_file_gets_its_verdict_and_message(case: Case, result: Result) -> None:
    outcome = result.outcomes[case.id]
    assert outcome.error is None
    assert outcome.verdict == case.verdict, outcome.issues
    prefix = corpus.prefixes(result.settings.returns)[corpus.form_of(case.base, result.settings.returns)]
    assert outcome.refused_by == tuple(sorted(_ids(case.checks, prefix))), outcome.issues
    assert set(_ids(case.flags, prefix)) <= set(outcome.questioned_by), outcome.issues
    assert not case.says or any(all(words in issue for words in case.says) for issue in outcome.issues), outcome.issues


def _ids(numbers: tuple[str, ...], prefix: str) -> list[str]:
    return [number if "-" in number else f"{prefix}-{number}" for number in numbers]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_file_leaves_no_line_that_was_not_taken_in_whole(case: Case, result: Result) -> None:
    outcome = result.outcomes[case.id]
    if outcome.verdict in ("admitted", "admitted_with_quarantine"):
        assert outcome.landed == outcome.line_count > 0
    else:  # refused by the reader, nothing is landed; refused by a check, all lines are, and none goes further
        assert outcome.landed in (0, outcome.line_count)


@pytest.mark.parametrize("case", [case for case in CASES if case.verdict == "admitted"], ids=lambda case: case.id)
def test_admitted_file_says_what_the_good_file_says(case: Case, result: Result) -> None:
    outcome, good = result.outcomes[case.id], result.good[case.base]
    assert outcome.load_id and good.load_id and outcome.form == good.form
    form = str(good.form)
    expected = corpus.typed_rows(form, good.load_id, result.settings)
    found = corpus.typed_rows(form, outcome.load_id, result.settings)
    for change in case.changes:
        now = change["is"]
        text = now["repeat"] * now["times"] + now["then"] if isinstance(now, dict) else now
        expected = _changed(expected, change["column"], change["was"], text)
    if case.lines is None:
        assert found == expected
    else:
        assert found.total() == case.lines and not found - expected


def _changed(rows: Counter[corpus.Row], column: str, was: object, now: object) -> Counter[corpus.Row]:
    """Return typed lines in which a column reads otherwise wherever it read so."""
    changed: Counter[corpus.Row] = Counter()
    is_there = False
    for row, count in rows.items():
        cells = dict(row)
        if cells[column] == was or str(cells[column]) == str(was):
            cells[column], is_there = now, True
        changed[corpus.typed_row(cells)] += count
    assert is_there, f"no line of the good file has {column} {was}"
    return changed


def test_good_files_are_admitted(result: Result) -> None:
    assert {outcome.verdict for outcome in result.good.values()} == {"admitted"}


def test_nothing_but_ledger_and_landing_is_changed(result: Result) -> None:
    assert result.others_after == result.others_before


def test_memory_stays_bounded(result: Result) -> None:
    assert result.grown_by < MEGABYTES
