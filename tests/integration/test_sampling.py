"""Values judged once for a whole load change no count, whatever else the load holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from quarterday.checking import sampling
from quarterday.checking.checks import Check, contract_checks
from quarterday.checking.profile import read_profile
from quarterday.checking.sampling import know_values
from quarterday.contracts import Form
from tests.checking_support import GOOD_VISIT, land, make_register

pytest_plugins = ("tests.checking_support",)
SENT = ("Burton", "Cannock", "Leek", " Burton", "", None, "it's")


@pytest.fixture
def form(tmp_path: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Form:
    """A register form, of which even a few lines are a sample."""
    monkeypatch.setattr(sampling, "FEWEST_LINES", 5)
    return make_register(tmp_path, connection)


def written(predicate: str) -> Check:
    return Check("VIS-101", "S.", "critical", "flag", "R.", "E", column="station", predicate=predicate)


def test_a_value_judged_once_counts_as_often_as_it_stands(form: Form, connection: Connection) -> None:
    lines = [GOOD_VISIT | {"station": station} for station in SENT for _ in range(3)]
    load_id = land(form, lines, connection)
    checks = [*contract_checks(form), written("station = 'Cannock'")]
    known = know_values(load_id, form, checks, connection, percent=100)
    plain = {check.passes_when for check in known if check.column == "station"}
    # What is not plainly written, such as ' Burton', is judged in full though it passes: it is not to be cast.
    assert plain == {"""("station" is null or "station" in ('Burton'))"""}
    assert read_profile(load_id, form, known, connection) == read_profile(load_id, form, checks, connection)


def test_a_mark_that_a_column_repeats_is_not_cast_for_a_check_of_two_columns(
    form: Form, connection: Connection
) -> None:
    load_id = land(form, [GOOD_VISIT | {"detainees": "n/a"}] * 6, connection)
    checks = [*contract_checks(form), written("(detainees is null) <> (report is null)")]
    known = know_values(load_id, form, checks, connection, percent=100)
    assert read_profile(load_id, form, known, connection).failing["VIS-101"] == 6


def test_a_value_that_was_not_in_the_sample_is_judged_in_full(form: Form, connection: Connection) -> None:
    seen = land(form, [GOOD_VISIT] * 6, connection)
    known = know_values(seen, form, list(contract_checks(form)), connection, percent=100)
    later = land(form, [GOOD_VISIT | {"station": "Leek", "visited_on": "soon"}], connection)
    failing = read_profile(later, form, known, connection).failing
    assert (failing["VIS-020"], failing["VIS-052"]) == (1, 1)


@pytest.mark.parametrize(
    "predicate", ["station = visitor", "line_number > 2", "station in (select visitor from {lines})"]
)
def test_a_check_of_more_than_one_column_is_left_as_it_is(predicate: str, form: Form, connection: Connection) -> None:
    load_id = land(form, [GOOD_VISIT] * 6, connection)
    assert know_values(load_id, form, [written(predicate)], connection, percent=100)[0].passes_when is None


def test_a_check_that_cannot_run_is_left_for_the_profile_to_name(form: Form, connection: Connection) -> None:
    load_id = land(form, [GOOD_VISIT] * 6, connection)
    checks = [written("station > nowhere")]
    assert know_values(load_id, form, checks, connection, percent=100) == checks


def test_a_column_that_says_unique_is_counted_by_line(form: Form, connection: Connection) -> None:
    columns = tuple(replace(column, unique=column.name == "report") for column in form.contract.columns)
    form = replace(form, contract=replace(form.contract, columns=columns))
    reports = ["R001", "R001", "R002", None, None]
    load_id = land(form, [GOOD_VISIT | {"report": report} for report in reports], connection)
    failing = read_profile(load_id, form, list(contract_checks(form)), connection).failing
    assert (failing["VIS-066"], failing["VIS-006"]) == (2, 5)


def contract_checks_of(form: Form) -> list[Check]:
    return list(contract_checks(form))
