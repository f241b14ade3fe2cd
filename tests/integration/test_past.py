"""The marts as they stood: what each release showed is shown again, whatever was published since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quarterday.errors import OperatorError
from quarterday.past import Past, end_of_day, fetch_past, make_schema, parse_past, write_files
from quarterday.settings import Settings
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
Rows = list[tuple[Any, ...]]
VALUES = (
    "select value from mart.fct_measurement where measure_code = 'first_time_entrants' and period_key = '2016-17-Q1'"
)
OUTCOME = """select value, lag_state from mart.fct_outcome
where measure_code = 'first_time_entrants' and area_code = 'stoke_on_trent' and period_key = '{}'"""


@dataclass(frozen=True)
class Told:
    """A warehouse with three releases, and every row of every mart right after each of them."""

    warehouse: Settings
    moments: list[datetime]
    marts: list[dict[str, Rows]]


@pytest.fixture(scope="module")
def told(module_warehouse: Settings) -> Iterator[Told]:
    """A first return, a later one that restates its quarter, and an older one that arrives last."""
    moments, marts = [], []
    for quarter, issued_on, figures in (
        ("2016-17-Q1", "2016-07-20", [Figure("first_time_entrants", "stoke_on_trent", Q1, "24"), baseline("96")]),
        (
            "2016-17-Q2",
            "2016-10-20",
            [
                Figure("first_time_entrants", "stoke_on_trent", Q1, "26"),
                Figure("first_time_entrants", "stoke_on_trent", Q2, "30"),
                baseline("96"),
            ],
        ),
        ("2016-17-Q1", "2016-07-01", [Figure("first_time_entrants", "stoke_on_trent", Q1, "21"), baseline("90")]),
    ):
        admit_figures(module_warehouse, "first_time_entrants", "yos_stoke", quarter, issued_on, figures)
        if not moments:
            admit_budget(module_warehouse)
        release(module_warehouse)
        moments.append(rows(module_warehouse, "select clock_timestamp()")[0][0])
        marts.append({name: sorted(all_rows(module_warehouse, name), key=repr) for name in names(module_warehouse)})
    yield Told(module_warehouse, moments, marts)


def baseline(value: str) -> Figure:
    return Figure("first_time_entrants", "stoke_on_trent", year(2015), value)


def admit_budget(settings: Settings) -> None:
    line = {"body": "Commissioner", "budget_line": "Total", "financial_year": "2016/17", "status": "final"}
    amounts = {"budget_gbp": "10626", "outturn_gbp": "9590", "variance_gbp": "1036", "variance_pct": "9.75%"}
    admit_register(
        settings, "budget_outturn", "opcc_finance", "2016-17-Q4", "2016-07-20", [{**line, **amounts}], year(2016)
    )


def names(settings: Settings) -> list[str]:
    return [name for (name,) in rows(settings, "select viewname from pg_views where schemaname = 'mart' order by 1")]


def all_rows(settings: Settings, name: str) -> Rows:
    return rows(settings, f"select * from mart.{name}")


def asked(past: Past, statement: str, told: Told) -> Rows:
    return fetch_past(past, statement, told.warehouse)[1]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_mart_is_shown_as_it_was_known_after_each_release(told: Told, number: int) -> None:
    past = Past("as_known", told.moments[number], is_whole_day=False)
    assert make_schema(past, told.warehouse) == list(told.marts[number])
    for name, then in told.marts[number].items():
        assert sorted(rows(told.warehouse, f"select * from {past.schema}.{name}"), key=repr) == then, name


def test_the_releases_differ_so_that_showing_the_newest_would_not_do(told: Told) -> None:
    changed = [
        {name for name in now if now[name] != before[name]}
        for before, now in zip(told.marts, told.marts[1:], strict=False)
    ]
    assert {"fct_measurement", "fct_outcome", "fct_priority", "fct_return"} <= changed[0]
    assert "fct_return" in changed[1]


def test_nothing_was_known_before_the_first_release(told: Told) -> None:
    assert asked(end_of_day("as_known", date(2016, 1, 1)), VALUES, told) == []


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2016, 6, 30), None),
        (date(2016, 7, 1), 21),
        (date(2016, 7, 20), 24),
        (date(2016, 10, 19), 24),
        (date(2016, 10, 20), 26),
    ],
)
def test_as_issued_by_a_day_the_version_of_the_day_speaks(told: Told, day: date, value: int | None) -> None:
    expected = [] if value is None else [(Decimal(value),)]
    assert asked(end_of_day("as_issued", day), VALUES, told) == expected


def test_derived_facts_are_worked_out_for_the_day_of_issue(told: Told) -> None:
    in_august = end_of_day("as_issued", date(2016, 8, 1))
    assert asked(in_august, OUTCOME.format("2016-17-Q1"), told) == [(Decimal(24), "available")]
    assert asked(in_august, OUTCOME.format("2016-17-Q2"), told) == [(None, "not_due")]
    in_autumn = end_of_day("as_issued", date(2016, 10, 20))
    assert asked(in_autumn, OUTCOME.format("2016-17-Q2"), told) == [(Decimal(30), "available")]
    assert asked(in_autumn, OUTCOME.format("2016-17-Q3"), told) == [(None, "not_due")]


def test_as_issued_by_today_is_what_the_marts_show(told: Told) -> None:
    past = end_of_day("as_issued", rows(told.warehouse, "select (now() at time zone 'Europe/London')::date")[0][0])
    make_schema(past, told.warehouse)
    for name in names(told.warehouse):
        assert without_release(past.schema, name, told) == without_release("mart", name, told), name


def without_release(schema: str, name: str, told: Told) -> Rows:
    """Return rows without the number of the release, which is 0 for one that was worked out anew."""
    found = rows(told.warehouse, f"select to_jsonb(found) - 'release_id' from {schema}.{name} as found")
    return sorted(found, key=repr)


def test_a_schema_of_views_shows_the_past_to_the_reader_and_is_made_anew(told: Told) -> None:
    past = end_of_day("as_issued", date(2016, 8, 1))
    for _ in range(2):
        assert make_schema(past, told.warehouse) == names(told.warehouse)
    found = rows(told.warehouse, VALUES.replace("mart.", "as_issued_2016_08_01."))
    assert found == [(Decimal(24),)]


def test_files_hold_every_mart_and_are_never_written_over(told: Told, tmp_path: Path) -> None:
    past = end_of_day("as_issued", date(2016, 8, 1))
    paths = write_files(past, tmp_path / "then", told.warehouse)
    assert [path.stem for path in paths] == names(told.warehouse)
    lines = (tmp_path / "then" / "fct_budget_line.csv").read_text().splitlines()
    assert len(lines) == 2 and "9590" in lines[1]
    before = [path.read_bytes() for path in paths]
    with pytest.raises(OperatorError, match="is there already, so nothing was written"):
        write_files(past, tmp_path / "then", told.warehouse)
    assert [path.read_bytes() for path in paths] == before


def test_asking_leaves_nothing_behind(told: Told) -> None:
    asked(end_of_day("as_known", date(2018, 4, 23)), VALUES, told)
    assert rows(told.warehouse, "select nspname from pg_namespace where nspname like '%2018_04_23%'") == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("select nothing from mart.fct_outcome", 'column "nothing" does not exist'),
        ("delete from ledger.load", "read-only"),
    ],
)
def test_a_wrong_query_is_told_in_the_words_of_the_asker(told: Told, statement: str, message: str) -> None:
    with pytest.raises(OperatorError, match=message) as caught:
        asked(end_of_day("as_known", date(2018, 4, 23)), statement, told)
    assert "as_known" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("as_known", "yesterday", "'yesterday' is no day. Write it as 2018-04-23"),
        ("as_known", "2018-02-30", "is no day"),
        ("as_issued", "2018-04-23 14:30", "returns are issued on a day. Write it as 2018-04-23"),
    ],
)
def test_what_is_no_point_in_the_past_is_refused(kind: Any, text: str, message: str) -> None:
    with pytest.raises(OperatorError, match=message):
        parse_past(kind, text)


def test_a_day_ends_at_midnight_in_london() -> None:
    summer, winter = parse_past("as_known", "2018-07-01"), parse_past("as_known", "2018-01-01")
    assert [point.moment.utcoffset().total_seconds() for point in (summer, winter)] == [3600, 0]  # type: ignore[union-attr]
    assert (summer.schema, summer.day) == ("as_known_2018_07_01", date(2018, 7, 1))
