"""Checks against other returns: which return counts as the last, and that nothing but the ledger decides on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg2.extensions import connection as Connection

from quarterday import inbox, loading
from quarterday.checking.comparisons import comparison
from quarterday.checking.expectations import ExpectationsAreWrong, read_expectations
from quarterday.checking.judging import Verdict, judge_load
from quarterday.contracts import Form, load_forms
from quarterday.loading import forms_looked_at
from quarterday.settings import Settings
from tests.checking_support import GOOD_CALL, GOOD_VISIT, land, make_indicator, make_register, rows_of
from tests.path_support import DEMO, put_into_inbox

pytest_plugins = ("tests.checking_support",)
PROJECT = Path(__file__).parents[2]
WORDS = {"statement": "It is so.", "severity": "warning", "action": "flag", "remedy": "Look."}
JUMP = {"than": "period_before", "more_than_pct": 50, "and_more_than": 5}
QUARTERS = {
    "2017-18-Q1": ("2017-04-01", "2017-06-30"),
    "2017-18-Q2": ("2017-07-01", "2017-09-30"),
    "2017-18-Q3": ("2017-10-01", "2017-12-31"),
}


class Calls:
    """A form of calls with one check, to which returns are sent."""

    def __init__(self, form: Form, connection: Connection, expectations: Path) -> None:
        self.form, self.connection, self.expectations = form, connection, expectations

    def sent(self, quarter: str, issued: str, *values: str, **changes: Any) -> int:
        """Register and land a return of a quarter with a line for each value; return its load."""
        start, end = QUARTERS[quarter]
        lines = [
            GOOD_CALL | {"value": value, "period_start": start, "period_end": end, "breakdown_code": kind} | changes
            for value, kind in zip(values, ("urgent", "all"), strict=False)
        ]
        return land(self.form, lines, self.connection, quarter=quarter, issued=issued)

    def judged(self, load_id: int) -> Verdict:
        return judge_load(load_id, self.form, self.connection, self.expectations)

    def expected(self, load_id: int) -> list[str]:
        return [issue["expected"] for issue in rows_of("line_issue", load_id, self.connection)]

    def run(self, statement: str, *values: Any) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)


def calls(rule: dict[str, Any], connection: Connection, folder: Path, limit: float = 0) -> Calls:
    form = make_indicator(folder, connection, limit)
    (folder / "calls.yml").write_text(yaml.safe_dump({"form": "calls", "checks": [{"id": "CAL-101"} | WORDS | rule]}))
    return Calls(form, connection, folder)


def test_jump_since_the_quarter_before_asks_a_question(connection: Connection, tmp_path: Path) -> None:
    form = calls({"jump": JUMP, "column": "value"}, connection, tmp_path)
    form.judged(form.sent("2017-18-Q2", "2017-10-20", "20", "100"))
    load_id = form.sent("2017-18-Q3", "2018-01-20", "31", "150")
    assert (form.judged(load_id).verdict, form.judged(load_id).failed) == ("admitted", ("CAL-101",))
    assert form.expected(load_id) == ["10 to 30, after 20 in the return before"]


TWICE = {"breakdown_code": "urgent"}


@pytest.mark.parametrize(
    ("why", "prepare"),
    [
        ("it is the first", lambda form: None),
        ("it was rejected", lambda form: form.judged(form.sent("2017-18-Q2", "2017-10-20", "20", "20", **TWICE))),
        ("it has no verdict", lambda form: form.sent("2017-18-Q2", "2017-10-20", "20")),
        ("a quarter lies between", lambda form: form.judged(form.sent("2017-18-Q1", "2017-07-20", "20"))),
        ("it was issued later", lambda form: form.judged(form.sent("2017-18-Q2", "2018-02-20", "20"))),
        ("it is hedged", lambda form: form.judged(form.sent("2017-18-Q2", "2017-10-20", "over 20"))),
        ("it is not available", lambda form: form.judged(form.sent("2017-18-Q2", "2017-10-20", "n/a"))),
    ],
)
def test_return_asks_no_question_when_no_return_before_counts(
    why: str, prepare: Any, connection: Connection, tmp_path: Path
) -> None:
    form = calls({"jump": JUMP}, connection, tmp_path)
    prepare(form)
    assert form.judged(form.sent("2017-18-Q3", "2018-01-20", "310")).failed == (), why


def test_return_before_is_the_one_issued_last(connection: Connection, tmp_path: Path) -> None:
    form = calls({"jump": JUMP}, connection, tmp_path)
    form.judged(form.sent("2017-18-Q2", "2017-11-20", "300"))
    form.judged(form.sent("2017-18-Q2", "2017-10-20", "20"))  # older, and later in
    assert form.judged(form.sent("2017-18-Q3", "2018-01-20", "310")).failed == ()
    withdrawn = form.judged(form.sent("2017-18-Q2", "2017-12-20", "20")).load_id
    assert form.judged(form.sent("2017-18-Q3", "2018-01-21", "310")).failed == ("CAL-101",)
    form.run("insert into ledger.load_event (load_id, event) values (%s, 'withdrawn')", withdrawn)
    assert form.judged(form.sent("2017-18-Q3", "2018-01-22", "310")).failed == ()


def test_return_of_another_partner_is_not_the_last(connection: Connection, tmp_path: Path) -> None:
    form = calls({"jump": JUMP}, connection, tmp_path)
    other = form.judged(form.sent("2017-18-Q2", "2017-10-20", "20")).load_id
    form.run("update ledger.load set partner_code = 'rj_hub' where load_id = %s", other)
    assert form.judged(form.sent("2017-18-Q3", "2018-01-20", "310")).failed == ()


def test_line_that_was_set_aside_is_not_compared(connection: Connection, tmp_path: Path) -> None:
    form = calls({"jump": JUMP}, connection, tmp_path, limit=0.9)
    before = form.sent("2017-18-Q2", "2017-10-20", "901", "100")
    assert form.judged(before).verdict == "admitted_with_quarantine"
    assert form.judged(form.sent("2017-18-Q3", "2018-01-20", "310", "100")).failed == ()


def test_load_judged_twice_gets_the_same_verdict_whatever_came_between(connection: Connection, tmp_path: Path) -> None:
    form = calls({"jump": {"than": "version_before", "more_than_pct": 10}}, connection, tmp_path)
    form.judged(form.sent("2017-18-Q3", "2018-01-20", "100"))
    load_id = form.sent("2017-18-Q3", "2018-02-20", "120")
    form.run("savepoint judged")
    first = form.judged(load_id)
    form.run("rollback to savepoint judged")
    form.judged(form.sent("2017-18-Q3", "2018-02-19", "119"))  # in between as to its day, but later in
    assert form.judged(load_id) == first
    assert first.failed == ("CAL-101",)
    assert form.expected(load_id) == ["90 to 110, after 100 in the return that this one replaces"]


def test_return_with_fewer_lines_than_the_one_it_replaces_is_told(connection: Connection, tmp_path: Path) -> None:
    form = calls({"fewer": {"of": "lines"}, "action": "reject_return"}, connection, tmp_path)
    form.judged(form.sent("2017-18-Q3", "2018-01-20", "100", "200"))
    load_id = form.sent("2017-18-Q3", "2018-02-20", "100")
    assert form.judged(load_id).verdict == "rejected"
    (issue,) = rows_of("line_issue", load_id, connection)
    assert issue["expected"] == "at least 2 lines, as in the return of 20 January 2018 that this one replaces"
    assert issue["found"] == "1 lines"


def test_few_lines_fewer_may_be_allowed(connection: Connection, tmp_path: Path) -> None:
    form = calls({"fewer": {"of": "lines", "allow_pct": 50}}, connection, tmp_path)
    form.judged(form.sent("2017-18-Q3", "2018-01-20", "100", "200"))
    assert form.judged(form.sent("2017-18-Q3", "2018-02-20", "100")).failed == ()


def test_figure_that_is_not_sent_again_is_named(connection: Connection, tmp_path: Path) -> None:
    form = calls({"fewer": {"of": ["measure_code", "breakdown_code"]}}, connection, tmp_path)
    form.judged(form.sent("2017-18-Q3", "2018-01-20", "100", "200"))
    load_id = form.sent("2017-18-Q3", "2018-02-20", "100")
    assert form.judged(load_id).failed == ("CAL-101",)
    assert form.expected(load_id) == [
        "a line for calls, all, as in the return of 20 January 2018 that this one replaces"
    ]


TOTAL = {"whole": "breakdown_code = 'all'", "parts": "breakdown_code = 'urgent'", "within": 1}


@pytest.mark.parametrize(
    ("parts", "whole", "failed"),
    [("10", "11", ()), ("10", "12", ("CAL-101",)), ("over 10", "12", ()), ("n/a", "12", ()), ("10", "over 12", ())],
)
def test_total_is_held_against_its_parts(
    parts: str, whole: str, failed: tuple[str, ...], connection: Connection, tmp_path: Path
) -> None:
    form = calls({"total": TOTAL, "column": "value"}, connection, tmp_path)
    assert form.judged(form.sent("2017-18-Q3", "2018-01-20", parts, whole)).failed == failed


SIDE = {"figure": "sum(value)", "by": {"quarter": "period_end"}}


def test_two_partners_are_held_against_each_other(connection: Connection, tmp_path: Path) -> None:
    rule = {"with": {"partner": "rj_hub"}, "ours": SIDE, "theirs": SIDE, "within_pct": 10}
    form = calls({"agrees": rule}, connection, tmp_path)
    for issued, value in (("2018-01-10", "500"), ("2018-01-19", "100")):  # the second replaces the first
        other = form.sent("2017-18-Q3", issued, value)
        form.run("update ledger.load set partner_code = 'rj_hub' where load_id = %s", other)
        assert form.judged(other).failed in ((), ("CAL-101",))
    assert form.judged(form.sent("2017-18-Q3", "2018-01-20", "110")).failed == ()
    load_id = form.sent("2017-18-Q3", "2018-01-20", "111")
    assert form.judged(load_id).failed == ("CAL-101",)
    (issue,) = rows_of("line_issue", load_id, connection)
    assert issue["expected"] == "100, give or take 10%, as rj_hub says for 2017-12-31"
    assert issue["found"] == "111"


def test_register_is_compared_by_the_columns_that_it_names(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    jump = {"of": "detainees", "than": "version_before", "same": ["station"], "factor": 10}
    check = {"id": "VIS-101", "jump": jump, "column": "detainees"} | WORDS
    (tmp_path / "visits.yml").write_text(yaml.safe_dump({"form": "visits", "checks": [check]}))
    for value, failed in (("3", ()), ("30", ()), ("2", ("VIS-101",))):
        load_id = land(form, [GOOD_VISIT | {"detainees": value}], connection)
        assert judge_load(load_id, form, connection, tmp_path).failed == failed
    assert rows_of("line_issue", load_id, connection)[0]["expected"] == (
        "3 to 300, after 30 in the return that this one replaces"
    )


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"jump": {"more_than_pct": 5}}, "jump lacks 'than'"),
        ({"jump": JUMP | {"factor": 2}}, "give more_than_pct or factor"),
        ({"jump": JUMP | {"than": "yesterday"}}, "than is 'yesterday'"),
        ({"jump": JUMP | {"of": "note"}}, "of is 'note'"),
        ({"jump": JUMP | {"more_than_pct": "half"}}, "more_than_pct must be a number"),
        ({"jump": JUMP | {"soon": 1}}, "unknown key 'soon'"),
        ({"fewer": {"of": "line"}}, "of is 'lines'"),
        ({"fewer": {"of": ["value"], "allow_pct": 3}}, "of is 'lines', with allow_pct"),
        ({"fewer": {"of": "lines"}, "action": "quarantine_line"}, "no line to set aside"),
        ({"total": {"whole": "true"}}, "total lacks 'parts'"),
        ({"total": "all"}, "'total' must have keys"),
        ({"agrees": {"with": {}, "ours": SIDE, "theirs": SIDE, "within_pct": 1}}, "with lacks 'partner'"),
        (
            {"agrees": {"with": {"partner": "x"}, "ours": SIDE, "theirs": SIDE | {"by": {}}, "within_pct": 1}},
            "same things",
        ),
        ({"jump": JUMP, "fails_when": "true"}, "give exactly one of"),
    ],
)
def test_wrong_rule_is_refused_with_file_and_check(
    rule: dict[str, Any], said: str, connection: Connection, tmp_path: Path
) -> None:
    form = calls(rule, connection, tmp_path)
    with pytest.raises(ExpectationsAreWrong, match="CAL-101") as caught:
        read_expectations(form.form, tmp_path)
    assert said in str(caught.value)


def test_personal_column_is_not_compared(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    with pytest.raises(ValueError, match="'visitor', which is personal"):
        comparison(form, "fewer", {"of": ["visitor"]})


def test_monthly_returns_do_not_replace_each_other() -> None:
    with pytest.raises(ValueError, match="several returns of this form a quarter"):
        comparison(load_forms(PROJECT / "returns")["street_crime"], "fewer", {"of": "lines"})


def test_forms_that_are_looked_at_are_followed() -> None:
    forms = load_forms(PROJECT / "returns")
    looked_at = forms_looked_at("home_office_recorded_crime", forms, PROJECT / "expectations")
    assert looked_at == {"home_office_recorded_crime", "ons_police_force_area"}
    assert forms_looked_at("smart_alert", forms, PROJECT / "expectations") == set()


def test_return_is_judged_after_those_it_is_compared_with_whichever_task_is_first(settings: Settings) -> None:
    for file in ("victim-gateway-2016-17-Q4.xlsx", "victim-gateway-2017-18-Q3.xlsx"):
        put_into_inbox(DEMO / "returns" / "citizens_advice" / file, "citizens_advice", settings)
    assert inbox.sweep(settings).failures == {}
    loading.land_pending("victim_gateway", "2017-18-Q3", settings)
    loading.judge_pending("victim_gateway", "2017-18-Q3", settings)
    assert loading.judge_pending("victim_gateway", "2016-17-Q4", settings) == {}
    assert len(list(settings.receipts.glob("receipt-*.html"))) == 2
