"""Which figures of a release are left out of what is public, given all that earlier releases have made public."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from quarterday.disclosing.figures import RATE, Figure, SaidRate, Snapshot, World, figures_of, step_of
from quarterday.disclosing.protecting import Pattern, protect
from quarterday.disclosing.puzzle import Puzzle, Row, Secret, Statement
from quarterday.disclosing.relating import Found, Sum, find_sums

SMALL_COUNT, RATE_OF_SMALL_COUNT, PROTECTS, MEAN = "small_count", "rate_of_small_count", "protects", "mean_of_rates"
# Half a digit of rounding, and a little for numbers that floating point can't hold.
_ROUNDING = 0.5 * (1 + 1e-9)


@dataclass(frozen=True)
class Suppression:
    """A figure that is left out, and why."""

    figure: Figure
    rule: str
    threshold: int | None


@dataclass(frozen=True)
class Published:
    """A release as it was made public: what it says, without what was left out."""

    snapshot: Snapshot
    hidden: frozenset[str]


@dataclass(frozen=True)
class Decision:
    """What is left out of a release.

    Attributes:
        suppressions: By the figure's key.
        loss: What is lost beyond the small counts themselves: the sum of one and the log of each figure.
        given_away: Small counts that follow from earlier releases alone, whatever is left out now.
        is_least: No less would do.
    """

    suppressions: dict[str, Suppression]
    loss: float
    given_away: tuple[str, ...]
    is_least: bool


def decide(now: Snapshot, earlier: Sequence[Published], world: World, seconds: float = 120.0) -> Decision:
    """Return which figures of a release are left out.

    Args:
        now: What the release says.
        earlier: The releases that are public already.
        world: Areas, measures and thresholds.
        seconds: For each group of figures that hang together, after which a good choice is taken instead of the best.

    Raises:
        SolverFailed: The solver gave no answer. Nothing may be published then.
    """
    found = find_sums(now, world)
    must = must_be_left_out(now, world)
    work = _Work(now, found, earlier, world, must)
    pattern = protect(work.puzzle(), seconds)
    chosen = dict(must)
    for number in sorted(pattern.hidden):
        figure = work.removable[number]
        chosen.setdefault(figure.key, Suppression(figure, PROTECTS, None))
    for mean in _means_of_hidden(now, chosen):
        chosen.setdefault(mean.key, Suppression(mean, MEAN, None))
    given_away = tuple(sorted(work.secrets[number].key for number in pattern.given_away))
    return Decision(chosen, _loss(pattern), given_away, pattern.is_least)


def _loss(pattern: Pattern) -> float:
    return round(pattern.loss, 6)


def is_small(figure: Figure, world: World) -> bool:
    """Say whether a figure counts people, some, and fewer than its threshold."""
    threshold = world.threshold(figure.slot)
    return threshold is not None and figure.slot.role != RATE and 0 < figure.value < threshold


def must_be_left_out(now: Snapshot, world: World) -> dict[str, Suppression]:
    """Return small counts by key, and the rates of them: of so few, a rate is one of a handful of fractions."""
    small = {
        figure.key: Suppression(figure, SMALL_COUNT, world.threshold(figure.slot))
        for figure in figures_of(now.counts)
        if is_small(figure, world)
    }
    for rate in now.rates:
        parts = [part for part in (rate.numerator, rate.denominator) if part is not None]
        if any(is_small(part, world) for part in parts):
            small[rate.figure.key] = Suppression(rate.figure, RATE_OF_SMALL_COUNT, world.threshold(rate.figure.slot))
    return small


def _means_of_hidden(now: Snapshot, chosen: dict[str, Suppression]) -> list[Figure]:
    slots = {one.figure.slot for one in chosen.values()}
    return [mean for mean, parts in now.means.items() if slots & set(parts)]


@dataclass
class _Work:
    """Numbers the figures of all releases and writes the puzzle."""

    now: Snapshot
    found: Found
    earlier: Sequence[Published]
    world: World
    must: dict[str, Suppression]
    numbers: dict[Figure, int] = field(default_factory=dict)
    removable: list[Figure] = field(default_factory=list)
    secrets: list[Figure] = field(default_factory=list)

    def puzzle(self) -> Puzzle:
        """Return the puzzle; ``removable`` are its first statements and ``secrets`` its secrets, in order."""
        releases = [(release.snapshot, find_sums(release.snapshot, self.world)) for release in self.earlier]
        sums = set().union(self.found.sums, *(found.sums for _, found in releases))
        relations = tuple(self._relation(one) for one in sorted(sums, key=_order))
        fixed = self._fixed()
        statements = self._of_now({figure.key for figure, _ in fixed})
        hidden = frozenset(number for number, figure in enumerate(self.removable) if figure.key in self.must)
        secrets = self._secrets(releases)
        everything = (*statements, *(statement for _, statement in fixed))
        return Puzzle(len(self.numbers), relations, everything, secrets, hidden)

    def _of_now(self, out_already: set[str]) -> list[Statement]:
        """Return what this release could say; what is out already costs nothing to say again, and gains nothing."""
        made: dict[Figure, Statement] = {}
        for figure in sorted(figures_of(self.now.counts)):
            made[figure] = Statement((self._exactly(figure),), 1 + math.log1p(abs(float(figure.value))))
        for rate in sorted(self.now.rates, key=lambda one: one.figure):
            if rows := self._rate_rows(rate):
                base = float(rate.denominator.value) if rate.denominator else 10.0
                made[rate.figure] = Statement(rows, 1 + math.log1p(base) / 2)
        wanted = {
            figure: one for figure, one in made.items() if figure.key not in out_already or figure.key in self.must
        }
        self.removable = list(wanted)
        return list(wanted.values())

    def _fixed(self) -> list[tuple[Figure, Statement]]:
        made: dict[Figure, Statement] = {}
        for release in self.earlier:
            for figure in sorted(figures_of(release.snapshot.counts)):
                if figure.key not in release.hidden:
                    made[figure] = Statement((self._exactly(figure),), 0.0, is_fixed=True)
            for rate in sorted(release.snapshot.rates, key=lambda one: one.figure):
                if rate.figure.key not in release.hidden and (rows := self._rate_rows(rate)):
                    made[rate.figure] = Statement(rows, 0.0, is_fixed=True)
        return list(made.items())

    def _secrets(self, releases: Iterable[tuple[Snapshot, Found]]) -> tuple[Secret, ...]:
        """Return every small count of any release, and what partners suppressed themselves."""
        implied = set(self.found.implied).union(*(found.implied for _, found in releases))
        told = {figure for figure in self.numbers if is_small(figure, self.world)}
        withheld = {figure for figure in implied if figure in self.numbers and self.world.threshold(figure.slot)}
        self.secrets = sorted(told | withheld)
        return tuple(
            Secret(self.numbers[figure], 0.0, float((self.world.threshold(figure.slot) or 1) - 1))
            for figure in self.secrets
        )

    def _number(self, figure: Figure) -> int:
        return self.numbers.setdefault(figure, len(self.numbers))

    def _exactly(self, figure: Figure) -> Row:
        return Row(((self._number(figure), 1.0),), float(figure.value), float(figure.value))

    def _relation(self, one: Sum) -> Row:
        terms = (*((self._number(part), 1.0) for part in one.parts), (self._number(one.whole), -1.0))
        return Row(terms, -one.slack, one.slack)

    def _rate_rows(self, rate: SaidRate) -> tuple[Row, ...]:
        """Return what a rate says of its two counts: their ratio, to the digit it is given to."""
        if rate.numerator is None or rate.denominator is None or rate.denominator.value <= 0:
            return ()
        true = rate.factor * float(rate.numerator.value) / float(rate.denominator.value)
        said = float(rate.figure.value)
        width = max(step_of(rate.figure.value) * _ROUNDING, abs(said - true) * (1 + 1e-9))
        ends = [(said - width) / rate.factor, (said + width) / rate.factor]
        above, below = self._number(rate.numerator), self._number(rate.denominator)
        return (
            Row(((above, 1.0), (below, -max(0.0, ends[0]))), 0.0, math.inf),
            Row(((above, 1.0), (below, -ends[1])), -math.inf, 0.0),
        )


def _order(one: Sum) -> tuple[Figure, tuple[Figure, ...], float]:
    return one.whole, one.parts, one.slack
