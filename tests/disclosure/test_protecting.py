"""The choice of what to leave out: nothing can be worked out any more, nothing less would do, and it ends."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import pytest

from quarterday.disclosing.attacking import Attack
from quarterday.disclosing.protecting import Pattern, cheapest_hitting_set, loss_of, protect
from quarterday.disclosing.puzzle import Puzzle, Row, Secret, Statement

THRESHOLD = 5


def exactly(quantity: int, value: float, is_fixed: bool = False) -> Statement:
    """The statement that a quantity is so much."""
    return Statement((Row(((quantity, 1.0),), value, value),), 1 + math.log1p(value), is_fixed)


def total(whole: int, parts: Sequence[int]) -> Row:
    """The relation of a whole and its parts."""
    return Row((*((part, 1.0) for part in parts), (whole, -1.0)), 0, 0)


def puzzle_of(values: Sequence[float], relations: Sequence[Row], more: Sequence[Statement] = ()) -> Puzzle:
    """A puzzle in which every quantity is published, and small ones are secrets and left out themselves."""
    secrets = tuple(Secret(number, 0, THRESHOLD - 1) for number, value in enumerate(values) if 0 < value < THRESHOLD)
    statements = tuple(exactly(number, value) for number, value in enumerate(values))
    hidden = frozenset(secret.quantity for secret in secrets)
    return Puzzle(len(values), tuple(relations), statements + tuple(more), secrets, hidden)


def table(cells: Sequence[Sequence[int]]) -> Puzzle:
    """A table with its row and column totals."""
    height, width = len(cells), len(cells[0])
    rows = [[*row, sum(row)] for row in cells]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    number = {(i, j): i * (width + 1) + j for i in range(height + 1) for j in range(width + 1)}
    relations = [total(number[i, width], [number[i, j] for j in range(width)]) for i in range(height + 1)]
    relations += [total(number[height, j], [number[i, j] for i in range(height)]) for j in range(width + 1)]
    return puzzle_of([value for row in rows for value in row], relations)


def random_table(seed: int) -> Puzzle:
    """A table of two by three or three by three with at least one small count."""
    chance = random.Random(seed)
    while True:
        puzzle = table([[int(chance.expovariate(1 / 9)) for _ in range(3)] for _ in range(2 + seed % 2)])
        if puzzle.secrets:
            return puzzle


def stands(puzzle: Puzzle, hidden: frozenset[int]) -> bool:
    """Say whether every secret can still be anything in its interval, by the ends alone."""
    attack = Attack(puzzle)
    for secret in puzzle.secrets:
        least, most = attack.reach(secret.quantity, hidden)
        if least > secret.low + 1e-6 or most < secret.high - 1e-6:
            return False
    return True


def least_by_trying_all(puzzle: Puzzle) -> float:
    """Return what the cheapest of all sets that stand costs."""
    optional = [number for number in range(len(puzzle.statements)) if number not in puzzle.hidden]
    sets = sorted(
        (frozenset(chosen) for size in range(5) for chosen in itertools.combinations(optional, size)),
        key=lambda chosen: loss_of(puzzle, chosen),
    )
    return next(loss_of(puzzle, chosen) for chosen in sets if stands(puzzle, puzzle.hidden | chosen))


@pytest.mark.parametrize("seed", [4])
def test_the_least_is_lost_as_trying_all_sets_shows(seed: int) -> None:
    puzzle = random_table(seed)
    found = protect(puzzle)
    assert found.is_least
    assert stands(puzzle, found.hidden)
    assert found.loss == pytest.approx(least_by_trying_all(puzzle))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5, 45))
def test_the_least_is_lost_in_forty_tables_as_trying_all_sets_shows(seed: int) -> None:
    puzzle = random_table(seed)
    assert protect(puzzle).loss == pytest.approx(least_by_trying_all(puzzle))


def test_without_more_left_out_a_total_gives_the_small_count_away() -> None:
    puzzle = table([[3, 20, 30], [40, 50, 60]])
    assert Attack(puzzle).reach(0, puzzle.hidden) == (3, 3)
    assert not stands(puzzle, puzzle.hidden)
    assert stands(puzzle, protect(puzzle).hidden)


def test_a_table_without_small_counts_is_published_whole() -> None:
    assert protect(table([[30, 20], [40, 50]])) == Pattern(frozenset(), 0.0)


def test_a_rate_that_gives_a_count_away_is_left_out_or_its_base_is() -> None:
    rate = Statement((Row(((0, 1.0), (1, -0.0405)), -math.inf, 0), Row(((0, 1.0), (1, -0.0395)), 0, math.inf)), 1.0)
    puzzle = puzzle_of([4, 100], [], [rate])
    assert not stands(puzzle, puzzle.hidden)
    found = protect(puzzle)
    assert found.hidden == {0, 2}
    assert stands(puzzle, found.hidden)


def test_what_is_out_already_is_not_left_out_but_reckoned_with() -> None:
    whole = [3.0, 20.0, 23.0]
    puzzle = puzzle_of(whole, [total(2, [0, 1])], [exactly(2, 23.0, is_fixed=True)])
    found = protect(puzzle)
    assert found.hidden == {0, 1}
    assert stands(puzzle, found.hidden)


def test_what_earlier_files_give_away_is_told_and_the_rest_is_still_protected() -> None:
    values = [3.0, 20.0, 23.0, 2.0, 9.0, 11.0]
    out = [exactly(1, 20.0, is_fixed=True), exactly(2, 23.0, is_fixed=True)]
    puzzle = puzzle_of(values, [total(2, [0, 1]), total(5, [3, 4])], out)
    found = protect(puzzle)
    assert found.given_away == {0}
    assert {0, 3} < found.hidden
    assert Attack(puzzle).reach(3, found.hidden)[1] >= THRESHOLD - 1


def test_out_of_time_a_good_set_is_taken_that_stands_and_holds_nothing_needless() -> None:
    puzzle = table([[3, 20, 30], [40, 50, 60], [2, 9, 70]])
    found = protect(puzzle, seconds=0)
    assert not found.is_least
    assert stands(puzzle, found.hidden)
    assert all(not stands(puzzle, found.hidden - {number}) for number in found.hidden - puzzle.hidden)


def test_the_cheapest_set_breaks_every_proof() -> None:
    proofs = [frozenset({0, 1}), frozenset({1, 2}), frozenset({2, 3}), frozenset({0, 1, 2})]
    assert cheapest_hitting_set(proofs, [1.0, 3.0, 1.0, 3.0]) == {0, 2}
