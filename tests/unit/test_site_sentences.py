"""Sentences of the highlight report hold only where their query gives every figure, and a change is no noise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quarterday.errors import OperatorError
from quarterday.opendata.tables import Rows, public_tables
from quarterday.site.sentences import Asked, Sentence, Speaker, read_sentences
from tests.conftest import PROJECT

ASKED = Asked("p", "2016-17-Q2", date(2016, 4, 1), date(2017, 3, 31))
QUERY = """
select measure_code, area_code, period_key, value, -change as fewer from outcomes
where measure_code = 'a' and period_key = :quarter and period_end between :first_day and :last_day
"""


def rows(value: str | None, signal: str | None, change: str | None = "-1200") -> Rows:
    """A release that says one figure of one outcome."""
    tables: Rows = {name: [] for name in public_tables()}
    row: dict[str, Any] = dict.fromkeys(column.name for column in public_tables()["outcomes"].columns)
    figure = {name: None if text is None else Decimal(text) for name, text in (("value", value), ("change", change))}
    place = {"measure_code": "a", "area_code": "here", "period_key": "2016-17-Q2", "period_end": date(2016, 9, 30)}
    tables["outcomes"].append(row | place | figure | {"signal": signal})
    return tables


def sentence(text: str, says_change: str | None = None, query: str = QUERY, key: str = "s") -> Sentence:
    return Sentence(key, ("p",), text, query, says_change)


def told(one: Sentence, tables: Rows) -> tuple[list[str], list[str]]:
    speaker = Speaker([one], tables)
    return [said.text for said in speaker.say(ASKED)], [refused.reason for refused in speaker.refused]


def test_a_sentence_has_its_figures_in_their_units_and_leads_to_the_figure() -> None:
    one = sentence("{value:count} came in {period_key:quarter}.")
    [said] = Speaker([one], rows("12345", "none")).say(ASKED)
    assert said.text == "12,345 came in 2016-17 Q2."
    assert said.source == "outcomes/a.html#figure-here-2016-17-q2"


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        ("none", "says a change that is within common-cause variation"),
        (None, "says a change, and there are no limits to tell one by"),
        ("improvement", None),
        ("concern", "says a change of another kind than the chart's signal: improvement, and the chart has concern"),
    ],
)
def test_a_change_is_told_only_where_the_chart_has_that_signal(signal: str | None, reason: str | None) -> None:
    said, refused = told(sentence("{fewer:count} fewer.", "improvement"), rows("9000", signal))
    assert (said, refused) == (([], [reason]) if reason else (["1,200 fewer."], []))
    assert told(sentence("{value:count} came."), rows("9000", signal)) == (["9,000 came."], [])


def test_a_sentence_without_its_figure_is_refused() -> None:
    [reason] = told(sentence("{value:count} came."), rows(None, None))[1]
    assert reason == "not available, or left out to protect people: value"
    assert told(sentence("{value:count} came."), {**rows("9", None), "outcomes": []})[1] == [
        "not available: the query gives no figure"
    ]
    twice = {**rows("9", None), "outcomes": rows("9", None)["outcomes"] * 2}
    assert told(sentence("{value:count} came."), twice)[1] == ["the query gives several figures"]


def test_a_hedged_figure_is_not_told_as_if_it_were_exact() -> None:
    tables = rows("9000", "improvement")
    tables["outcomes"][0]["value_qualifier"] = "about"
    assert told(sentence("{value:count} came."), tables) == ([], ["the figure is hedged: about"])


def test_a_sentence_stands_only_in_the_reports_that_it_names() -> None:
    other = Asked("another", ASKED.quarter, ASKED.first_day, ASKED.last_day)
    speaker = Speaker([sentence("{value:count} came.")], rows("9", None))
    assert (speaker.say(other), speaker.refused) == ([], [])


@pytest.mark.parametrize("query", ["select 1 as value", "select value from mart.fct_outcome", "select * from nothing"])
def test_a_query_that_is_wrong_or_asks_for_something_else_than_open_data_stops_the_site(query: str) -> None:
    with pytest.raises(OperatorError, match="Sentence s: its query .* no site was made"):
        told(sentence("{value:count} came.", query=query), rows("9", None))


def test_the_sentences_of_the_project_can_be_asked() -> None:
    sentences = read_sentences(PROJECT / "web" / "sentences.yml")
    speaker = Speaker(sentences, {name: [] for name in public_tables()})
    for priority in {name for one in sentences for name in one.priorities}:
        assert speaker.say(Asked(priority, *list(vars(ASKED).values())[1:])) == []
    assert {one.key for one in speaker.refused} == {one.key for one in sentences}
    assert any(one.says_change for one in sentences)


def project_sentence(key: str, **figures: Any) -> tuple[list[str], list[str]]:
    """Ask a sentence of the project of one quarter of the commissioner's area."""
    [one] = [one for one in read_sentences(PROJECT / "web" / "sentences.yml") if one.key == key]
    tables = rows("90", "improvement")
    place = {"measure_code": "first_time_entrants", "area_code": "pcc_area", "value_qualifier": "exact"}
    tables["outcomes"][0] |= place | figures
    speaker = Speaker([one], tables)
    asked = Asked(one.priorities[0], ASKED.quarter, ASKED.first_day, ASKED.last_day)
    return [said.text for said in speaker.say(asked)], [refused.reason for refused in speaker.refused]


def test_fewer_is_not_said_of_more() -> None:
    words = "That is 12 fewer than the baseline for one quarter."
    assert project_sentence("fewer-first-time-entrants", change=Decimal(-12)) == ([words], [])
    for change, signal in ((12, "improvement"), (12, "concern"), (-12, "concern")):
        assert project_sentence("fewer-first-time-entrants", change=Decimal(change), signal=signal)[0] == []


def test_one_partners_figure_of_several_does_not_pass_for_the_whole() -> None:
    [one] = [one for one in read_sentences(PROJECT / "web" / "sentences.yml") if one.key == "victim-gateway-referrals"]
    tables: Rows = {name: [] for name in public_tables()}
    blank: dict[str, Any] = dict.fromkeys(column.name for column in public_tables()["measurements"].columns)
    of = {"measure_code": "victim_gateway_referrals", "breakdown_code": "all", "value_qualifier": "exact"}
    at = {"period_type": "financial_quarter", "period_key": "2016-17-Q2", "period_end": date(2016, 9, 30)}
    sent = [("pcc_area", "final", 80), ("pcc_area", "target", 99)]
    for area, status, value in sent:
        figure = {"area_code": area, "status": status, "value": Decimal(value)}
        tables["measurements"].append(blank | of | at | figure)
    asked = Asked(one.priorities[0], ASKED.quarter, ASKED.first_day, ASKED.last_day)
    assert [said.text for said in Speaker([one], tables).say(asked)] == [
        "80 referrals came to the Victim Gateway in 2016-17 Q2."
    ]
    tables["measurements"].append(tables["measurements"][0] | {"area_code": "elsewhere"})
    assert Speaker([one], tables).say(asked) == []


def test_a_sentence_with_a_misspelt_part_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sentences.yml"
    file.write_text("- {id: s, priorities: [p], text: t, query: q, say_change: true}\n")
    with pytest.raises(OperatorError, match="unknown: say_change"):
        read_sentences(file)
    file.write_text("- {id: s, priorities: [p], text: t, query: q, says_change: better}\n")
    with pytest.raises(OperatorError, match="says_change is 'better', expected one of improvement"):
        read_sentences(file)
