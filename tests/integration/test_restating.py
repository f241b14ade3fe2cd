"""What a release would change is told before it is published, and it is what then changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from quarterday import releasing
from quarterday.dbt import DbtFailed
from quarterday.errors import OperatorError
from quarterday.restating import noting
from quarterday.restating.asking import changes_asked_for, note_of_published
from quarterday.restating.changes import Change, Changes, changes_of
from quarterday.restating.showing import show_changes
from quarterday.restating.supposing import MARTS, as_if_released
from quarterday.settings import Settings
from quarterday.withdrawing import withdraw_release
from tests.marts_support import (
    Figure,
    admit_figures,
    admit_register,
    deployed_template,
    module_warehouse,
    quarters_of,
    release,
    rows,
    year,
)

__all__ = ["deployed_template", "module_warehouse"]

Q1, Q2 = quarters_of(2016)[:2]
AREA = "staffordshire_county"
LINE = {"body": "Commissioner", "budget_line": "Total", "financial_year": "2016/17"}


@dataclass(frozen=True)
class Told:
    """A warehouse with a first release and an open second one that restates; what was foretold, and what came."""

    warehouse: Settings
    first: int
    second: int
    restating: int
    foretold: Changes
    supposed: dict[str, list[Any]]
    published: dict[str, list[Any]]


@pytest.fixture(scope="module")
def told(module_warehouse: Settings) -> Iterator[Told]:
    """First 48 young people in the quarter, as three reports printed it; then 40, which is green where it was red."""
    send(module_warehouse, "2016-07-20", q1="48", girls="9")
    admit_budget(module_warehouse, "provisional", "9590", "2016-07-20")
    first = release(module_warehouse)
    restating = send(module_warehouse, "2016-10-20", q1="40", q2="30")
    admit_budget(module_warehouse, "final", "9600", "2016-10-20")
    foretold = changes_asked_for(None, None, module_warehouse)[1]
    with as_if_released(foretold.loads, module_warehouse) as world:
        supposed = {}
        for name in MARTS:
            world.cursor.execute(f"select to_jsonb(row) - 'release_id' from {world.schema}.{name} as row")
            supposed[name] = sorted((row for (row,) in world.cursor.fetchall()), key=repr)
    second = release(module_warehouse)
    published = {name: sorted((row for (row,) in rows(module_warehouse, in_json(name))), key=repr) for name in MARTS}
    yield Told(module_warehouse, first, second, restating, foretold, supposed, published)


def in_json(name: str) -> str:
    return f"select to_jsonb(row) - 'release_id' from mart.{name} as row"


def send(settings: Settings, issued_on: str, q1: str, q2: str | None = None, girls: str | None = None) -> int:
    measure, quarter = "first_time_entrants", "2016-17-Q2" if q2 else "2016-17-Q1"
    figures = [Figure(measure, AREA, Q1, q1), Figure(measure, AREA, year(2015), "167")]
    figures += [Figure(measure, AREA, Q2, q2)] if q2 else []
    figures += [Figure(measure, AREA, Q1, girls, breakdown="girls")] if girls else []
    return admit_figures(settings, measure, "yos_staffordshire", quarter, issued_on, figures)


def admit_budget(settings: Settings, status: str, outturn: str, issued_on: str) -> int:
    amounts = {"budget_gbp": "10626", "outturn_gbp": outturn, "variance_gbp": "1036", "variance_pct": "9.75%"}
    line = {**LINE, "status": status, **amounts}
    return admit_register(settings, "budget_outturn", "opcc_finance", "2016-17-Q4", issued_on, [line], year(2016))


def one(changes: Changes, subject: str, item: str, period: str, breakdown: str = "all") -> Change:
    found = [
        change
        for change in changes.of(subject)
        if (change.item, change.period_key, change.breakdown_code or "all") == (item, period, breakdown)
    ]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("mart", MARTS)
def test_what_is_supposed_is_what_is_then_published(told: Told, mart: str) -> None:
    # The budget is a register, whose lines come into the facts with the build.
    if mart == "fct_priority":
        for row in [*told.supposed[mart], *told.published[mart]]:
            row.pop("budget_year_gbp"), row.pop("outturn_year_gbp"), row.pop("outturn_missing_count")
    assert told.published[mart], "nothing was published"
    assert told.supposed[mart] == told.published[mart]


def test_figures_are_told_as_new_restated_and_vanished(told: Told) -> None:
    restated = one(told.foretold, "figure", "value", "2016-17-Q1")
    assert (restated.kind, restated.old_value, restated.new_value) == ("restated", 48, 40)
    assert (restated.absolute, restated.relative_pct) == (Decimal(-8), Decimal("-16.7"))
    assert restated.new_load_id == told.restating
    assert one(told.foretold, "figure", "value", "2016-17-Q2").kind == "new"
    vanished = one(told.foretold, "figure", "value", "2016-17-Q1", "girls")
    assert (vanished.kind, vanished.old_value, vanished.new_value) == ("vanished", 9, None)
    assert len(told.foretold.of("figure")) == 3, "what stays the same is no change"


def test_ratings_and_changes_on_the_baseline_are_told(told: Told) -> None:
    rating = one(told.foretold, "outcome", "rag_computed", "2016-17-Q1")
    assert (rating.old_text, rating.new_text, rating.kind) == ("R", "G", "restated")
    change = one(told.foretold, "outcome", "change_pct", "2016-17-Q1")
    assert change.old_value is not None and change.old_value > 0 > (change.new_value or 0)
    rating = one(told.foretold, "outcome_year", "rag_computed", "2016-17")
    assert (rating.old_text, rating.new_text) == ("R", "G")


def test_reports_that_printed_the_old_value_are_named(told: Told) -> None:
    printed = [one for one in told.foretold.printed if one.period_key == "2016-17-Q1" and one.area_code == AREA]
    assert {one.printed_text for one in printed} == {"48"} and all(one.printed_the_old for one in printed)
    assert {one.report for one in printed} <= set(told.foretold.reports)


def test_a_register_is_told_by_its_lines(told: Told) -> None:
    found = {change.item: (change.old_text, change.new_text) for change in told.foretold.of("register")}
    assert found == {"lines that go": ("0", "1"), "lines that come": ("0", "1")}


def test_the_note_says_what_why_and_where_it_was_printed_and_stays_with_the_release(told: Told) -> None:
    note = note_of_published(told.second, told.warehouse)
    assert note is not None
    assert "**Scheduled revision**" in note and f"release {told.second}" in note
    assert "| 2016-17 Q1 | value | 48 | 40 | -8 (-16.7%) |" in note
    assert "| 2016-17 Q1 | rating | red | green |" in note
    assert "a later return, about 2016-17-Q2" in note
    assert f"- {told.foretold.reports[0]}" in note
    page = (told.warehouse.home / noting.FOLDER / f"release-{told.second}.html").read_text()
    assert "<td>48</td><td>40</td>" in page and "Scheduled revision" in page
    with pytest.raises(OperatorError, match=f"Release {told.first} is published and restated nothing"):
        note_of_published(told.first, told.warehouse)


def test_the_screen_and_json_say_the_same(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    show_changes(told.foretold, "The next release", False, told.warehouse)
    screen = " ".join(capsys.readouterr().out.split())
    assert "1 new, 1 restated, 1 vanished" in screen and "PF0012" in screen
    show_changes(told.foretold, "The next release", True, told.warehouse)
    found = json.loads(capsys.readouterr().out)
    assert {each["kind"] for each in found["changes"] if each["subject"] == "figure"} == {"restated", "vanished", "new"}
    assert found["digest"] == told.foretold.digest


def test_an_older_return_that_arrives_late_changes_nothing(told: Told) -> None:
    late = send(told.warehouse, "2016-07-01", q1="44")
    assert changes_of([late], told.warehouse).restatements == ()


def test_what_is_released_or_unknown_is_not_compared(told: Told) -> None:
    for load_id, release_id, message in (
        (told.restating, None, "is (released|withdrawn): only an admitted load"),
        (9999, None, "There is no load 9999"),
        (None, 9999, "Release 9999 is not open: none is"),
        (1, 1, "not both"),
    ):
        with pytest.raises(OperatorError, match=message):
            changes_asked_for(load_id, release_id, told.warehouse)


def test_the_digest_is_that_of_the_change_and_nothing_is_left_behind(told: Told) -> None:
    again = send(told.warehouse, "2017-01-20", q1="39")
    found, other = changes_of([again], told.warehouse), changes_of([again], told.warehouse)
    assert found.digest == other.digest != told.foretold.digest
    assert rows(told.warehouse, "select nspname from pg_namespace where nspname like 'if_released%'") == []


def test_an_open_withdrawal_is_told_and_its_note_is_a_correction(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: object) -> int:
        raise DbtFailed("build", [], "cut off")

    monkeypatch.setattr(releasing, "build_facts", cut_off)
    with pytest.raises(DbtFailed):
        withdraw_release(told.second, "the wrong | workbook", told.warehouse)
    monkeypatch.setattr(noting, "changes_of", lambda loads, settings, number, **_: changes_of(loads, settings, number))
    note = noting.draft_note(told.second + 1, told.warehouse)
    assert note is not None and note.kind == noting.UNSCHEDULED
    assert f"- Release {told.second} is taken back: the wrong \\| workbook" in note.markdown
    assert "| 2016-17 Q1 | value | 40 | 48 | +8 (+20.0%) |" in note.markdown
    of_what, found = changes_asked_for(None, told.second + 1, told.warehouse)
    assert of_what == f"Release {told.second + 1}, which is open" and found.digest == note.digest
