"""What an attacker has in hand, as arithmetic: quantities, what holds between them, and what is said of them.

A quantity is a count that is never below nought. A relation holds whether or not anything is published: a total is its
parts. A statement is something published: a figure, or a rate that ties two figures together. A secret is a quantity
that nobody may narrow down to less than its interval.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Row:
    """A linear row: ``low <= sum(factor * quantity) <= high``; terms are (quantity, factor)."""

    terms: tuple[tuple[int, float], ...]
    low: float
    high: float


@dataclass(frozen=True)
class Statement:
    """Something published. ``loss`` is what leaving it out costs; a fixed one is out and can't be taken back."""

    rows: tuple[Row, ...]
    loss: float
    is_fixed: bool = False


@dataclass(frozen=True)
class Secret:
    """A quantity, and the interval of which an attacker must be able to rule out nothing."""

    quantity: int
    low: float
    high: float


@dataclass(frozen=True)
class Puzzle:
    """All that is known, may be said, and must be kept. ``hidden`` statements are left out whatever the rest is."""

    quantity_count: int
    relations: tuple[Row, ...]
    statements: tuple[Statement, ...]
    secrets: tuple[Secret, ...]
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Part:
    """A piece of a puzzle that shares no quantity with the rest; the arrays lead back to the whole's numbers."""

    puzzle: Puzzle
    statement_numbers: list[int]
    secret_numbers: list[int]


def incidence(rows: Iterable[Row], quantity_count: int) -> csr_array:
    """Return the matrix of some rows, rows by quantities."""
    entries = [(number, quantity, factor) for number, row in enumerate(rows) for quantity, factor in row.terms]
    places, quantities, factors = zip(*entries, strict=True) if entries else ((), (), ())
    shape = (1 + max(places, default=-1), quantity_count)
    return csr_array(coo_array((factors, (places, quantities)), shape=shape))


def parts_with_secrets(puzzle: Puzzle) -> list[Part]:
    """Split a puzzle where no relation and no statement ties it together; only pieces with a secret are returned."""
    rows = [*puzzle.relations, *(row for statement in puzzle.statements for row in statement.rows)]
    ends = [(row.terms[0][0], quantity) for row in rows for quantity, _ in row.terms[1:]]
    first, second = zip(*ends, strict=True) if ends else ((), ())
    size = puzzle.quantity_count
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    _, piece_of = connected_components(graph, directed=False)
    wanted = sorted({int(piece_of[secret.quantity]) for secret in puzzle.secrets})
    by_piece = {piece: _Gathering([], [], [], []) for piece in wanted}
    for quantity in range(size):
        if (gathering := by_piece.get(int(piece_of[quantity]))) is not None:
            gathering.quantities.append(quantity)
    for row in puzzle.relations:
        if (gathering := by_piece.get(int(piece_of[row.terms[0][0]]))) is not None:
            gathering.relations.append(row)
    for number, statement in enumerate(puzzle.statements):
        if (gathering := by_piece.get(int(piece_of[statement.rows[0].terms[0][0]]))) is not None:
            gathering.statements.append(number)
    for number, secret in enumerate(puzzle.secrets):
        by_piece[int(piece_of[secret.quantity])].secrets.append(number)
    return [_part(puzzle, by_piece[piece]) for piece in wanted]


@dataclass(frozen=True)
class _Gathering:
    quantities: list[int]
    relations: list[Row]
    statements: list[int]
    secrets: list[int]


def _part(puzzle: Puzzle, gathering: _Gathering) -> Part:
    place = {quantity: number for number, quantity in enumerate(gathering.quantities)}

    def moved(row: Row) -> Row:
        return Row(tuple((place[quantity], factor) for quantity, factor in row.terms), row.low, row.high)

    statements = tuple(
        Statement(tuple(map(moved, one.rows)), one.loss, one.is_fixed)
        for one in (puzzle.statements[number] for number in gathering.statements)
    )
    secrets = tuple(
        Secret(place[one.quantity], one.low, one.high)
        for one in (puzzle.secrets[number] for number in gathering.secrets)
    )
    hidden = frozenset(place for place, number in enumerate(gathering.statements) if number in puzzle.hidden)
    relations = tuple(map(moved, gathering.relations))
    return Part(
        Puzzle(len(gathering.quantities), relations, statements, secrets, hidden),
        gathering.statements,
        gathering.secrets,
    )
