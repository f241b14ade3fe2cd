"""What can be worked out of a set of published statements: the least and the most that a quantity can be.

What a programme finds is also a world that fits what is published: it shows of every secret that it sets to an end of
its interval that it can be so, and goes on showing it whatever else is left out. So most questions need no programme.

Where a secret can be narrowed down, the linear programme's multipliers are the attacker's proof: the statements that
carry one are those that the proof rests on, and unless one of them is left out the proof stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

from quarterday.disclosing.puzzle import Flags, Numbers, Puzzle, Secret, incidence

TOLERANCE = 1e-6
# A multiplier below this is the solver's noise.
NOISE = 1e-7
_ALWAYS = -1


class SolverFailed(RuntimeError):
    """The solver gave no answer to a programme that has one: a fault of ours or its, never a finding."""


@dataclass(frozen=True)
class _Known:
    """Which quantities a set of statements gives outright, and which rows tie the others."""

    is_known: Flags
    values: Numbers
    rows: Flags
    piece_of: np.ndarray[tuple[int], np.dtype[np.int32]]


class Attack:
    """An attacker who holds a puzzle's relations and is shown some of its statements."""

    def __init__(self, puzzle: Puzzle) -> None:
        self.puzzle = puzzle
        self._secrets = puzzle.secrets
        # Statements that tie several quantities together: left out, a world is taken to deny them if it touches them.
        self._tied = [
            (number, {quantity for row in one.rows for quantity, _ in row.terms})
            for number, one in enumerate(puzzle.statements)
            if not one.is_fixed and any(len(row.terms) > 1 for row in one.rows)
        ]
        rows, owners = list(puzzle.relations), [_ALWAYS] * len(puzzle.relations)
        self._given: dict[int, list[tuple[int, float]]] = {}
        for number, statement in enumerate(puzzle.statements):
            owner = _ALWAYS if statement.is_fixed else number
            for row in statement.rows:
                if len(row.terms) == 1 and row.low == row.high:
                    quantity, factor = row.terms[0]
                    self._given.setdefault(quantity, []).append((number, row.low / factor))
                else:
                    rows.append(row)
                    owners.append(owner if not statement.is_fixed else -2 - number)
        self._matrix = incidence(rows, puzzle.quantity_count)
        self._low = np.array([row.low for row in rows])
        self._high = np.array([row.high for row in rows])
        self._owners = np.array(owners, dtype=np.int64)
        self._last: tuple[frozenset[int], _Known] | None = None
        # Of a quantity and an end: the statements that a world denies in which it is that far.
        self._worlds: dict[tuple[int, bool], list[frozenset[int]]] = {}

    def look_out_for(self, secrets: Sequence[Secret]) -> None:
        """Remember worlds for these secrets from now on, instead of the puzzle's own intervals."""
        self._secrets = tuple(secrets)
        self._worlds.clear()

    def proof_against(self, secret: Secret, hidden: frozenset[int] | set[int]) -> frozenset[int] | None:
        """Return the statements that prove a secret to be less than its interval; None where nothing does.

        A fixed statement can't be left out, so it is in no proof: an empty one is out of anybody's hands.
        """
        known = self._known(hidden)
        for is_most in (False, True):
            if any(denied <= hidden for denied in self._worlds.get((secret.quantity, is_most), ())):
                continue
            proof = self._proof(secret, is_most, known)
            if proof is not None:
                return proof
        return None

    def reach(self, quantity: int, hidden: frozenset[int] | set[int]) -> tuple[float, float]:
        """Return the least and the most that a quantity can be; the most may be infinite."""
        known = self._known(hidden)
        ends = [self._end(quantity, is_most, np.inf, known)[0] for is_most in (False, True)]
        return ends[0], ends[1]

    def _known(self, hidden: frozenset[int] | set[int]) -> _Known:
        """Return what is known; asked again of the same set, as of one secret after another, it is at hand."""
        if self._last is None or self._last[0] != hidden:
            self._last = frozenset(hidden), self._work_out(hidden)
        return self._last[1]

    def _work_out(self, hidden: frozenset[int] | set[int]) -> _Known:
        size = self.puzzle.quantity_count
        is_known, values = np.zeros(size, dtype=bool), np.zeros(size)
        for quantity, givers in self._given.items():
            shown = [value for number, value in givers if number not in hidden]
            if shown:
                is_known[quantity], values[quantity] = True, shown[0]
        numbers = np.where(self._owners < -1, -2 - self._owners, self._owners)
        rows = ~np.isin(numbers, list(hidden)) if hidden else np.ones(len(numbers), dtype=bool)
        rows |= numbers == _ALWAYS
        return _Known(is_known, values, rows, self._pieces(is_known, rows))

    def _pieces(self, is_known: Flags, rows: Flags) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """Say which piece each unknown quantity is in, when what is known ties nothing together any more."""
        entries = coo_array(self._matrix)
        keep = rows[entries.row] & ~is_known[entries.col]
        size, count = self.puzzle.quantity_count, self._matrix.shape[0]
        graph = coo_array(
            (np.ones(int(keep.sum())), (entries.col[keep], size + entries.row[keep])),
            shape=(size + count, size + count),
        )
        return np.asarray(connected_components(graph, directed=False)[1])

    def _proof(self, secret: Secret, is_most: bool, known: _Known) -> frozenset[int] | None:
        wanted = secret.high if is_most else secret.low
        if known.is_known[secret.quantity]:
            value = known.values[secret.quantity]
            if (value >= wanted - TOLERANCE) if is_most else (value <= wanted + TOLERANCE):
                return None
            return self._givers(secret.quantity)
        if not is_most and wanted <= 0 and not self._low_can_bind(secret.quantity, known):
            return None
        end, proof = self._end(secret.quantity, is_most, wanted, known)
        slack = TOLERANCE * max(1.0, abs(wanted))
        if (end >= wanted - slack) if is_most else (end <= wanted + slack):
            return None
        return proof

    def _low_can_bind(self, quantity: int, known: _Known) -> bool:
        """Say whether any row holds a quantity at all."""
        column = self._matrix[:, [quantity]].tocoo()
        return bool(known.rows[column.row].any())

    def _givers(self, quantity: int) -> frozenset[int]:
        """Return the statements that give a quantity outright and may be left out; none where a fixed one gives it."""
        numbers = [number for number, _ in self._given[quantity]]
        if any(self.puzzle.statements[number].is_fixed for number in numbers):
            return frozenset()
        return frozenset(numbers)

    def _end(self, quantity: int, is_most: bool, enough: float, known: _Known) -> tuple[float, frozenset[int]]:
        """Return how far a quantity can go, up to what is enough, and the statements that keep it from more."""
        if known.is_known[quantity]:
            return float(known.values[quantity]), self._givers(quantity)
        size = self.puzzle.quantity_count
        here = known.piece_of == known.piece_of[quantity]
        unknown = np.flatnonzero(here[:size] & ~known.is_known)
        rows = np.flatnonzero(here[size:] & known.rows)
        matrix = self._matrix[rows]
        offset = matrix @ np.where(known.is_known, known.values, 0.0)
        solved = _solve(
            matrix[:, unknown],
            self._low[rows] - offset,
            self._high[rows] - offset,
            int(np.searchsorted(unknown, quantity)),
            is_most,
            enough,
        )
        if solved is None:
            return (np.inf if is_most else -np.inf), frozenset()
        values, multipliers = solved
        self._remember(unknown, values)
        return float(values[np.searchsorted(unknown, quantity)]), self._support(matrix, rows, multipliers, known)

    def _remember(self, unknown: np.ndarray[tuple[int], np.dtype[np.int64]], values: Numbers) -> None:
        """Keep what a world shows: which secrets are at an end of their interval in it, and what it denies."""
        world = dict(zip(unknown.tolist(), values.tolist(), strict=True))
        denied = frozenset(self._denied(world))
        for secret in self._secrets:
            if secret.quantity in world:
                value, slack = world[secret.quantity], TOLERANCE * max(1.0, secret.high)
                if value <= secret.low + slack:
                    self._worlds.setdefault((secret.quantity, False), []).append(denied)
                if value >= secret.high - slack:
                    self._worlds.setdefault((secret.quantity, True), []).append(denied)

    def _denied(self, world: dict[int, float]) -> Iterator[int]:
        """Yield the statements that are not so in a world; what is outside it is as it truly is."""
        for quantity, value in world.items():
            for number, true in self._given.get(quantity, ()):
                if abs(value - true) > TOLERANCE:
                    yield number
        hidden = self._last[0] if self._last else frozenset()
        for number, tied in self._tied:
            if number in hidden and tied & world.keys():
                yield number

    def _support(
        self, matrix: csr_array, rows: np.ndarray[tuple[int], np.dtype[np.int64]], multipliers: Numbers, known: _Known
    ) -> frozenset[int]:
        owners = self._owners[rows[np.abs(multipliers) > NOISE]]
        found = {int(owner) for owner in owners if owner >= 0}
        leaning = np.abs(matrix.T @ multipliers) > NOISE
        for quantity in np.flatnonzero(leaning & known.is_known):
            found |= self._givers(int(quantity))
        return frozenset(found)


def _solve(
    matrix: csr_array, low: Numbers, high: Numbers, place: int, is_most: bool, enough: float
) -> tuple[Numbers, Numbers] | None:
    """Return the quantities where one is at its end, and each row's multiplier; None where it has no end."""
    size = matrix.shape[1]
    aim = np.zeros(size)
    aim[place] = -1.0 if is_most else 1.0
    bounds = np.column_stack([np.zeros(size), np.full(size, np.inf)])
    if is_most:
        bounds[place, 1] = enough
    is_equal = np.abs(high - low) <= 1e-12
    upper, lower = np.flatnonzero(~is_equal & np.isfinite(high)), np.flatnonzero(~is_equal & np.isfinite(low))
    solved = linprog(
        aim,
        A_ub=vstack([matrix[upper], -matrix[lower]]) if len(upper) + len(lower) else None,
        b_ub=np.concatenate([high[upper], -low[lower]]) if len(upper) + len(lower) else None,
        A_eq=matrix[np.flatnonzero(is_equal)] if is_equal.any() else None,
        b_eq=low[is_equal] if is_equal.any() else None,
        bounds=bounds,
        method="highs",
    )
    if solved.status == 3:
        return None
    if solved.status != 0:
        raise SolverFailed(f"the attack on a quantity of {size} in {matrix.shape[0]} rows: {solved.message}")
    multipliers = np.zeros(matrix.shape[0])
    if is_equal.any():
        multipliers[is_equal] = solved.eqlin.marginals
    if len(upper) + len(lower):
        multipliers[upper] += solved.ineqlin.marginals[: len(upper)]
        multipliers[lower] -= solved.ineqlin.marginals[len(upper) :]
    return np.asarray(solved.x), multipliers
