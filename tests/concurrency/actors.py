"""Processes that do something at once, each stopped at a chosen point until it is let go."""

from __future__ import annotations

import importlib
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.synchronize import Barrier, Event
from typing import Any

# Forked, they have what the test has changed, and need not import anything again. But dbt was seen to hang in two forks
# of a process in which it had run: what runs dbt begins afresh.
FORK = multiprocessing.get_context("fork")
FRESH = multiprocessing.get_context("spawn")
Context = ForkContext | SpawnContext
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Outcome:
    """What became of an actor: what it returned, or the error as its name and words."""

    value: Any = None
    error: str | None = None


@dataclass
class Actor:
    """A process that calls a function. Named a point (``module:function``), it stops before it gets there."""

    act: Callable[[], Any]
    stops_before: str | None = None
    barrier: Barrier | None = None
    context: Context = FORK

    def start(self) -> Actor:
        """Start; with a point, wait until it is reached."""
        self.has_stopped, self.may_go_on = self.context.Event(), self.context.Event()
        self.pipe, there = self.context.Pipe(duplex=False)
        part = _Part(self.act, self.stops_before, self.barrier, self.has_stopped, self.may_go_on)
        self.process = self.context.Process(target=part.play, args=(there,), daemon=True)
        self.process.start()
        there.close()
        if self.stops_before:
            self._wait_until_stopped()
        return self

    def _wait_until_stopped(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.has_stopped.wait(0.1):
            ended = self.pipe.poll()
            assert not ended, f"never came to {self.stops_before}: {self.pipe.recv()}"
            assert time.monotonic() < deadline, f"never came to {self.stops_before}"

    def is_at_work(self) -> bool:
        """Say whether it has not ended: it is stopped, or waits for another."""
        return not self.pipe.poll(0.5)

    def end(self) -> Outcome:
        """Let it go on, wait for its end and return what became of it."""
        self.may_go_on.set()
        assert self.pipe.poll(PATIENCE_SECONDS), "no end in sight"
        outcome: Outcome = self.pipe.recv()
        self.process.join()
        return outcome


@dataclass(frozen=True)
class _Part:
    """What an actor does in its process."""

    act: Callable[[], Any]
    stops_before: str | None
    barrier: Barrier | None
    has_stopped: Event
    may_go_on: Event

    def play(self, pipe: Pipe) -> None:
        """Act, and tell what became of it."""
        try:
            if self.stops_before:
                self._stop_before(*self.stops_before.split(":"))
            if self.barrier:
                self.barrier.wait(PATIENCE_SECONDS)
            outcome = Outcome(self.act())
        except BaseException as error:
            outcome = Outcome(error=f"{type(error).__name__}: {error}")
        pipe.send(outcome)

    def _stop_before(self, module: str, name: str) -> None:
        """Make the first call of a function wait; only this process has it so."""
        place = importlib.import_module(module)
        function = getattr(place, name)

        def stopped(*given: Any, **named: Any) -> Any:
            setattr(place, name, function)
            self.has_stopped.set()
            assert self.may_go_on.wait(PATIENCE_SECONDS)
            return function(*given, **named)

        setattr(place, name, stopped)


def at_once(*acts: Callable[[], Any], context: Context = FORK) -> list[Outcome]:
    """Call functions at the same moment, each in a process of its own; return what became of each."""
    barrier = context.Barrier(len(acts))
    actors = [Actor(act, barrier=barrier, context=context).start() for act in acts]
    return [actor.end() for actor in actors]
