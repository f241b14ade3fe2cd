"""The tables that the demo ends with, on the demo's own returns."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rich.console import Console

from quarterday.headlines import FIRST_TIME_ENTRANTS, HEADLINES
from quarterday.settings import Settings
from quarterday.showing import as_table, fetch

AREA = "Staffordshire (PCC area)"


def test_first_time_entrants_are_told_from_baseline_to_rating_and_nothing_is_left_unsaid(demo: Settings) -> None:
    columns, rows = fetch(FIRST_TIME_ENTRANTS, demo, "reader")
    assert columns == ["area", "period", "computed", "printed", "differs", "RAG", "state"]
    assert [row[1:] for row in rows if row[0] == AREA] == [
        ("Baseline 2015-16", Decimal(263), "263", Decimal(0), None, "available"),
        ("2016-17 annual", Decimal(303), "305", Decimal(-2), "R", "available"),
        ("2017-18 annual", None, "n/a", None, "G", "no total yet: Q4 late (30 Apr 2018)"),
        ("RAG declared", None, "G", None, "G", "available"),
    ]
    assert all(row[6] for row in rows)


@pytest.mark.parametrize("width", [80, 120])
def test_no_word_of_the_first_time_entrants_is_broken_by_a_terminals_width(demo: Settings, width: int) -> None:
    title, statement = HEADLINES[0]
    console = Console(width=width, color_system=None)
    with console.capture() as shown:
        console.print(as_table(title, *fetch(statement, demo, "reader")))
    words = set(shown.get().split())
    assert {"computed", "differs", "available", "2018)", "Apr", "(PCC", "Stoke-on-Trent", "Baseline"} <= words
