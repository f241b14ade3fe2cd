"""Cells judged once for each combination of them change no count, whatever the load holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from quarterday.checking import repeating
from quarterday.checking.checks import Check, contract_checks
from quarterday.checking.profile import Profile, read_profile
from quarterday.checking.repeating import Seen, see_combinations, without_looking
from quarterday.contracts import Form
from tests.checking_support import GOOD_VISIT, land, make_register

pytest_plugins = ("tests.checking_support",)
PLACES = [{"visitor": f"Visitor {place}", "visited_on": f"2018-11-{place:02}"} for place in range(1, 9)]


@pytest.fixture
def form(tmp_path: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Form:
    """A register form, of which even a few lines are a sample, and eight values are many."""
    monkeypatch.setattr(repeating, "FEWEST_LINES", 5)
    monkeypatch.setattr(repeating, "FEWEST_VALUES", 7)
    return make_register(tmp_path, connection)


def visits(places: Sequence[Mapping[str, str | None]], times: int) -> list[dict[str, str | None]]:
    return [GOOD_VISIT | place for place in places for _ in range(times)]


def profiles(load_id: int, form: Form, connection: Connection) -> tuple[Seen, Profile, Profile]:
    """Return what was seen of a load's combinations, and its profile with it and without."""
    checks: list[Check] = list(contract_checks(form))
    seen = see_combinations(load_id, form, checks, connection, percent=100)
    known = without_looking(checks, seen)
    with_it = read_profile(load_id, form, known, connection, seen.columns, seen.line_count)
    return seen, with_it, read_profile(load_id, form, checks, connection)


def listed(load_id: int, connection: Connection) -> list[dict[str, str]]:
    """Return the combinations that are kept of a load."""
    with connection.cursor() as cursor:
        cursor.execute("select cells from landing.repeated_cells where load_id = %s", (load_id,))
        return sorted((cells for (cells,) in cursor.fetchall()), key=lambda cells: str(cells["visitor"]))


def test_combinations_are_kept_once_and_typed_as_their_lines_are(form: Form, connection: Connection) -> None:
    load_id = land(form, visits(PLACES, 12), connection)
    for _ in range(2):
        see_combinations(load_id, form, list(contract_checks(form)), connection, percent=100)
        assert listed(load_id, connection) == PLACES
    with connection.cursor() as cursor:
        cursor.execute(
            """select count(*), bool_and(repeated.visited_on = plain.visited_on), bool_and(sent ? 'visited_on')
            from typed.visits_repeated as repeated join typed.visits_plain as plain using (load_id, visitor)
            where load_id = %s""",
            (load_id,),
        )
        assert cursor.fetchone() == (96, True, True)


def test_columns_that_repeat_together_need_not_be_looked_at_line_by_line(form: Form, connection: Connection) -> None:
    load_id = land(form, [*visits(PLACES, 12), GOOD_VISIT | PLACES[0] | {"detainees": "many"}], connection)
    seen, with_it, without = profiles(load_id, form, connection)
    assert seen == Seen(frozenset({"visitor", "visited_on"}), line_count=97)
    assert with_it == without
    assert with_it.failing["VIS-040"] == 1


@pytest.mark.parametrize("wrong", [{"visited_on": "2018-11-31"}, {"visitor": " "}, {"visitor": " Leek"}])
def test_one_combination_that_is_not_plainly_right_has_every_line_looked_at(
    wrong: dict[str, str], form: Form, connection: Connection
) -> None:
    load_id = land(form, [*visits(PLACES, 12), GOOD_VISIT | PLACES[0] | wrong], connection)
    seen, with_it, without = profiles(load_id, form, connection)
    assert seen == Seen(frozenset(), line_count=97)
    assert with_it == without
    assert not with_it.is_plain
    assert listed(load_id, connection) == []


def test_columns_that_repeat_each_but_not_together_are_looked_at(form: Form, connection: Connection) -> None:
    visitors = [place["visitor"] for place in PLACES]
    days = [place["visited_on"] for place in PLACES]
    lines = [GOOD_VISIT | {"visitor": visitor, "visited_on": day} for visitor in visitors for day in days]
    seen, with_it, without = profiles(land(form, lines * 2, connection), form, connection)
    assert seen == Seen()
    assert with_it == without


def test_a_test_that_the_database_refuses_is_left_for_the_profile_to_name(form: Form, connection: Connection) -> None:
    load_id = land(form, visits(PLACES, 12), connection)
    refused = Check(
        "VIS-101", "S.", "critical", "flag", "R.", "E", "visitor", predicate="false", passes_when="visitor > 1 / 0"
    )
    assert see_combinations(load_id, form, [refused], connection, percent=100) == Seen()
