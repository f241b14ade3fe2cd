"""Every check of every expectations file, shown passing on good lines and failing on bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg2.extensions import connection as Connection

from quarterday.calendar import parse_period
from quarterday.checking.checks import checks_of
from quarterday.checking.expectations import read_expectations
from quarterday.checking.profile import read_profile
from quarterday.contracts import Form, load_forms
from tests.checking_support import land

pytest_plugins = ("tests.checking_support",)
PROJECT = Path(__file__).parents[2]
EXPECTATIONS = PROJECT / "expectations"
CASES = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted((Path(__file__).parent / "cases").glob("*.yml"))
}
FORMS = load_forms(PROJECT / "returns")
FAILING = [(form, check_id) for form, case in CASES.items() for check_id in case["fails"]]


def failing_checks(form: Form, changes: dict[Any, Any], connection: Connection) -> set[str]:
    """Land a form's case with changes to its lines and return the ids of the checks that fail.

    ``before`` changes the return that was admitted earlier, ``beside`` adds one of another form and partner.
    """
    case = CASES[form.name]
    _admit(_land(form, changes.get("before", {}), "2016-01-01", connection), connection)
    if beside := changes.get("beside"):
        _admit(_land_lines(FORMS[beside["form"]], beside, beside["lines"], "2018-06-01", connection), connection)
    load_id = _land(form, changes, case.get("issued", "2018-04-01"), connection)
    profile = read_profile(load_id, form, checks_of(form, EXPECTATIONS), connection)
    return {check_id for check_id, count in profile.failing.items() if count}


def _admit(load_id: int, connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("insert into ledger.verdict values (%s, 'admitted', 1, 0, 0)", (load_id,))


def _land(form: Form, changes: dict[Any, Any], issued: str, connection: Connection) -> int:
    """Land a case's lines; ``every`` changes each of them, ``without`` leaves some out, ``quarter`` is another."""
    case, without = CASES[form.name], changes.get("without", [])
    lines = [line | changes.get("every", {}) | changes.get(place, {}) for place, line in enumerate(case["lines"])]
    kept = [line for place, line in enumerate(lines) if place not in without]
    return _land_lines(
        form, case | {key: changes[key] for key in ("quarter",) if key in changes}, kept, issued, connection
    )


def _land_lines(
    form: Form, case: dict[str, Any], lines: list[dict[str, Any]], issued: str, connection: Connection
) -> int:
    whole = [_line(form, line) for line in lines]
    load_id = land(form, whole, connection, quarter=case.get("quarter", "2017-18-Q3"), issued=issued)
    with connection.cursor() as cursor:
        cursor.execute(
            "update ledger.load set partner_code = %s where load_id = %s",
            (case.get("partner", form.contract.partners[0]), load_id),
        )
    return load_id


def _line(form: Form, line: dict[str, Any]) -> dict[str, Any]:
    if not form.is_indicator:
        return line
    label = line.get("period", "Q3 2017/18")
    period = parse_period(label)
    places = {"area_code": "pcc_area", "breakdown_code": "all", "column_number": 1}
    dates = {"period_type": period.type, "period_start": str(period.start), "period_end": str(period.end)}
    return places | {"period_label": label} | dates | line


@pytest.mark.parametrize("form", sorted(CASES))
def test_good_lines_pass_every_check(form: str, connection: Connection) -> None:
    assert failing_checks(FORMS[form], {}, connection) == set()


@pytest.mark.parametrize(("form", "check_id"), FAILING)
def test_bad_line_fails_its_check(form: str, check_id: str, connection: Connection) -> None:
    assert check_id in failing_checks(FORMS[form], CASES[form]["fails"][check_id], connection)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_check_that_is_written_is_shown_failing(form: str) -> None:
    written = {check.check_id for check in read_expectations(FORMS[form], EXPECTATIONS)}
    assert set(CASES.get(form, {"fails": {}})["fails"]) == written


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_check_runs_on_a_return_without_lines(form: str, connection: Connection) -> None:
    checks = checks_of(FORMS[form], EXPECTATIONS)
    profile = read_profile(land(FORMS[form], [], connection), FORMS[form], checks, connection)
    assert {check_id[-3:] for check_id, count in profile.failing.items() if count} == {"005"}
