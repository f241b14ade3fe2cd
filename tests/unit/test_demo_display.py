"""What the demo shows while it runs: a line per return that fits the terminal, and no more than is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from quarterday.demo import DemoReturn, _Display, read_demo, step_marks

DEMO = Path(__file__).parents[2] / "demo"
FINISHED = {"registered": 10.0, "landed": 111.4, "admitted": 212.8, "released": 314.1}


@pytest.fixture
def sent() -> DemoReturn:
    return DemoReturn(
        Path("space.csv"), "space_partnership", "space_programme", "2017-18-Q2", "admitted", 1, "", {}, True
    )


def marks(each: DemoReturn) -> list[str]:
    return [mark.plain for mark in step_marks(each)]


@pytest.mark.parametrize("width", [80, 120])
def test_the_whole_demo_fits_a_terminal(width: int) -> None:
    returns = read_demo(DEMO)
    for each in returns:
        each.is_sent, each.events = True, dict(FINISHED)
    height = len(returns) + 5
    console = Console(width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as shown:
        console.print(_Display(console, returns).screen())
    lines = shown.get().splitlines()
    assert len(lines) == len(returns) + 2 <= height
    assert max(len(line) for line in lines) <= width
    assert lines[0].split() == ["return", "received", "landed", "checked", "released"]
    assert all(line.rstrip().endswith("✓  ✓ 101.4 s  ✓ 101.4 s  ✓ 101.3 s") for line in lines[1:-1])
    assert all(each.path.name[:25] in line for each, line in zip(returns, lines[1:], strict=False))
    steps = ", ".join(f"{len(returns)} {step}" for step in ("received", "landed", "checked", "released"))
    assert lines[-1].rstrip().endswith(f"{steps}, 0 rejected")


def test_what_is_unfinished_is_shown_first_when_the_terminal_is_low() -> None:
    returns = read_demo(DEMO)
    for each in returns[:-3]:
        each.is_sent, each.events = True, dict(FINISHED)
    console = Console(width=80, height=12, force_terminal=True, color_system=None)
    with console.capture() as shown:
        console.print(_Display(console, returns).screen())
    assert returns[-1].path.name in shown.get()
    assert len(shown.get().splitlines()) <= 12


def test_each_step_shows_its_seconds_and_the_next_is_under_way(sent: DemoReturn) -> None:
    sent.events = {"registered": 10.0, "landed": 11.5}
    assert marks(sent) == ["✓", "✓ 1.5 s", "…", ""]


def test_nothing_follows_a_rejection(sent: DemoReturn) -> None:
    sent.events = {"registered": 10.0, "landed": 11.5, "rejected": 13.0}
    assert marks(sent) == ["✓", "✓ 1.5 s", "✗ 1.5 s", ""]


def test_a_copy_shows_nothing_before_it_is_sent_and_known_after(sent: DemoReturn) -> None:
    sent.events, sent.is_sent = dict(FINISHED), False
    assert marks(sent) == ["", "", "", ""]
    sent.is_sent, sent.was_there_before = True, True
    assert marks(sent) == ["known", "✓", "✓", "✓"]
