"""Chooses what to leave out so that no secret can be worked out and as little as possible is lost.

Attacker and defender in turn. The defender leaves out the cheapest set of statements that breaks every proof seen so
far; the attacker looks for a proof against it; a proof found is one more to break. Each round excludes the set it began
with, so it ends; and as every proof holds against any set that leaves all its statements in, the first set that stands
is the cheapest there is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array

from quarterday.disclosing.attacking import TOLERANCE, Attack, SolverFailed
from quarterday.disclosing.puzzle import Puzzle, Secret, parts_with_secrets

Proofs = list[frozenset[int]]


@dataclass(frozen=True)
class Pattern:
    """What is left out.

    Attributes:
        hidden: Statements left out, those that had to be in any case among them.
        loss: What leaving out the others costs.
        given_away: Secrets that fixed statements alone narrow down to less than their interval's width; nothing left
            out now can mend that, and the rest of it is kept.
        is_least: No cheaper set would do; False where time ran out and a good one was taken.
    """

    hidden: frozenset[int]
    loss: float
    given_away: frozenset[int] = frozenset()
    is_least: bool = True


def protect(puzzle: Puzzle, seconds: float = 120.0) -> Pattern:
    """Return what to leave out of a puzzle's statements.

    Args:
        puzzle: With its own numbers satisfying every relation and statement.
        seconds: After which a piece that isn't done is protected by a good set instead of the least.

    Raises:
        SolverFailed: The solver gave no answer. Nothing may be published then.
    """
    hidden, loss, given_away, is_least = set(puzzle.hidden), 0.0, set(), True
    for part in parts_with_secrets(puzzle):
        found = _Defence(part.puzzle, seconds).run()
        hidden |= {part.statement_numbers[number] for number in found.hidden}
        given_away |= {part.secret_numbers[number] for number in found.given_away}
        loss += found.loss
        is_least &= found.is_least
    return Pattern(frozenset(hidden), loss, frozenset(given_away), is_least)


def loss_of(puzzle: Puzzle, hidden: Iterable[int]) -> float:
    """Return what leaving out some statements costs beyond those that are left out in any case."""
    return sum(puzzle.statements[number].loss for number in hidden if number not in puzzle.hidden)


class _Defence:
    """The rounds of one piece."""

    def __init__(self, puzzle: Puzzle, seconds: float) -> None:
        self.puzzle = puzzle
        self.attack = Attack(puzzle)
        self.deadline = time.monotonic() + seconds
        self.proofs: Proofs = []
        self.given_away: set[int] = set()
        self.open_secrets = dict(enumerate(puzzle.secrets))
        if any(statement.is_fixed for statement in puzzle.statements):
            self.open_secrets = {number: self._attainable(number, one) for number, one in self.open_secrets.items()}
            self.attack.look_out_for(list(self.open_secrets.values()))

    def _attainable(self, number: int, secret: Secret) -> Secret:
        """Return a secret's interval as far as it can be kept: what fixed statements rule out already is lost.

        Where they rule out its low end, the interval keeps its width from there on.
        """
        everything = {place for place, one in enumerate(self.puzzle.statements) if not one.is_fixed}
        least, most = self.attack.reach(secret.quantity, everything)
        low = max(secret.low, least)
        high = low + secret.high - secret.low
        if most < high - TOLERANCE:
            self.given_away.add(number)
        return Secret(secret.quantity, low, min(high, most))

    def run(self) -> Pattern:
        """Return the cheapest set that stands."""
        best: frozenset[int] | None = None
        while time.monotonic() < self.deadline:
            least = self._cheapest()
            standing = self._mended(least)
            if standing == least:
                return self._pattern(least, is_least=True)
            if best is None or self._loss(standing) < self._loss(best):
                best = standing
            if self._loss(best) <= self._loss(least):
                return self._pattern(best, is_least=True)
        return self._pattern(self._thinned(best or self._mended(self.puzzle.hidden)), is_least=False)

    def _pattern(self, hidden: frozenset[int], is_least: bool) -> Pattern:
        return Pattern(hidden, self._loss(hidden), frozenset(self.given_away), is_least)

    def _loss(self, hidden: Iterable[int]) -> float:
        return loss_of(self.puzzle, hidden)

    def _cheapest(self) -> frozenset[int]:
        """Return the cheapest set that breaks every proof seen so far."""
        return self.puzzle.hidden | cheapest_hitting_set(
            self.proofs, [statement.loss for statement in self.puzzle.statements]
        )

    def _mended(self, hidden: frozenset[int]) -> frozenset[int]:
        """Leave out more until no proof is left, and remember each proof on the way; the same set where it stands."""
        grown = set(hidden)
        for number, secret in list(self.open_secrets.items()):
            while (proof := self.attack.proof_against(secret, grown)) is not None:
                if not proof:
                    self.given_away.add(number)
                    del self.open_secrets[number]
                    break
                self.proofs.append(proof)
                grown.add(min(proof, key=lambda one: (self.puzzle.statements[one].loss, one)))
        return frozenset(grown)

    def _thinned(self, hidden: frozenset[int]) -> frozenset[int]:
        """Put back what isn't needed, the dearest first."""
        kept = set(hidden)
        optional = sorted(hidden - self.puzzle.hidden, key=lambda one: -self.puzzle.statements[one].loss)
        for number in optional:
            kept.discard(number)
            if any(self.attack.proof_against(secret, kept) is not None for secret in self.open_secrets.values()):
                kept.add(number)
        return frozenset(kept)


def cheapest_hitting_set(proofs: Proofs, losses: list[float]) -> frozenset[int]:
    """Return the cheapest set of statements that has one of each proof.

    Raises:
        SolverFailed: The solver gave no answer.
    """
    places = sorted(set().union(*proofs)) if proofs else []
    if not places:
        return frozenset()
    place_of = {number: place for place, number in enumerate(places)}
    entries = [(row, place_of[number]) for row, proof in enumerate(_strongest(proofs)) for number in proof]
    rows, columns = zip(*entries, strict=True)
    matrix = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=(1 + max(rows), len(places))))
    solved = milp(
        np.array([losses[number] for number in places]),
        integrality=np.ones(len(places)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, lb=1),
        options={"mip_rel_gap": 0.0},
    )
    if solved.status != 0:
        raise SolverFailed(f"the cheapest of {len(places)} statements against {len(proofs)} proofs: {solved.message}")
    return frozenset(places[place] for place in np.flatnonzero(solved.x > 0.5))


def _strongest(proofs: Proofs) -> Proofs:
    """Return the proofs of which none holds another: breaking the smaller breaks the larger."""
    kept: Proofs = []
    for proof in sorted(set(proofs), key=lambda one: (len(one), sorted(one))):
        if not any(other <= proof for other in kept):
            kept.append(proof)
    return kept
