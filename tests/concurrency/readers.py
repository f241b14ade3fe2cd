"""Processes that read the marts as business intelligence tools do, over and over, and tell what they saw."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Event
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from tests.concurrency.states import PARTS, Read

# Processes are forked: they have all that the test has and start at once.
FORK = multiprocessing.get_context("fork")
PAUSE_SECONDS = 1.0
READS_OF_A_CONNECTION = 40

# Every fact in one statement.
ALL_AT_ONCE = "select * from " + "\ncross join ".join(f"({text}) as {name}" for name, text in PARTS.items())
# The same figure by its fact, its outcome and its history, joined by their keys: it must find itself.
JOINED = """select
    max(outcome.release_id) as outcome_release,
    count(*)::integer as joined_quarters,
    min(outcome.value) as joined_outcome_stamp,
    min(figure.value) as joined_figure_stamp,
    max(version.value) as joined_history_stamp
from mart.fct_outcome as outcome
inner join mart.dim_period as period on outcome.period_key = period.period_key
inner join mart.fct_measurement as figure
    on outcome.measure_code = figure.measure_code
    and outcome.area_code = figure.area_code
    and outcome.period_key = figure.period_key
inner join history.fct_measurement as version
    on figure.load_id = version.load_id
    and figure.line_number = version.line_number
    and version.known_to is null
where outcome.measure_code = 'first_time_entrants' and period.financial_year = '2016-17'
    and period.period_type = 'financial_quarter'"""


@dataclass
class Told:
    """What one reader saw: each read once, when each statement was asked and how long it took, and every error."""

    seen: list[Read] = field(default_factory=list)
    read_count: int = 0
    steps_back: int = 0
    waits: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, read: Read) -> None:
        """Count a read; keep it where it differs from all before."""
        self.read_count += 1
        if read not in self.seen:
            self.seen.append(read)

    def ask(self, connection: Connection, statement: str) -> dict[str, Any]:
        """Return a statement's one row; note how long it took from being asked to being read."""
        began = time.monotonic()
        with connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
        self.waits.append((began, time.monotonic() - began))
        return dict(row or {})


def in_one_statement(connection: Connection, told: Told, _: random.Random) -> Read:
    """Ask every fact in one statement."""
    return told.ask(connection, ALL_AT_ONCE)


def by_joins(connection: Connection, told: Told, _: random.Random) -> Read:
    """Ask for one figure in three facts, joined by their keys."""
    return told.ask(connection, JOINED)


def in_one_transaction(connection: Connection, told: Told, chance: random.Random) -> Read:
    """Ask a fact at a time, in any order, with a little time between: one refresh of a dashboard."""
    read: dict[str, object] = {}
    for part in chance.sample(sorted(PARTS), len(PARTS)):
        read |= told.ask(connection, PARTS[part])
        time.sleep(chance.uniform(0, 0.02))
    return read


WAYS: Sequence[Callable[[Connection, Told, random.Random], Read]] = (in_one_statement, in_one_transaction, by_joins)


@dataclass
class Readers:
    """Readers at work. ``hurry`` makes them read without a pause."""

    hurry: Event
    told: list[Told] = field(default_factory=list)

    @property
    def read_count(self) -> int:
        """How often every fact was read."""
        return sum(each.read_count for each in self.told)

    @property
    def seen(self) -> list[Read]:
        """What was seen, each once per reader."""
        return [read for each in self.told for read in each.seen]

    @property
    def errors(self) -> list[str]:
        """Every error of every reader."""
        return [error for each in self.told for error in each.errors]

    def waits(self, until: float | None = None, since: float | None = None) -> list[float]:
        """Return the seconds of each statement, shortest first, asked before or since a moment."""
        every = (wait for each in self.told for wait in each.waits)
        return sorted(
            seconds
            for began, seconds in every
            if (until is None or began < until) and (since is None or began >= since)
        )


@contextmanager
def reading(url: str, count: int) -> Iterator[Readers]:
    """Keep so many readers reading, each a process with a connection of its own; at the end, gather what they saw.

    Args:
        url: The reader's.
        count: Of readers.
    """
    stop, hurry = FORK.Event(), FORK.Event()
    readers = Readers(hurry)
    pipes, processes = [], []
    for number in range(count):
        here, there = FORK.Pipe(duplex=False)
        process = FORK.Process(target=_read, args=(url, number, stop, hurry, there), daemon=True)
        process.start()
        there.close()
        pipes.append(here)
        processes.append(process)
    try:
        yield readers
    finally:
        stop.set()
        readers.told = [pipe.recv() for pipe in pipes]
        for process in processes:
            process.join()


def _read(url: str, number: int, stop: Event, hurry: Event, pipe: Pipe) -> None:
    told, chance = Told(), random.Random(number)
    while not stop.is_set():
        try:
            _read_by_one_connection(url, told, chance, stop, hurry)
        except Exception as error:  # every error counts, of whatever kind
            told.errors.append(f"reader {number}: {type(error).__name__}: {error}")
    pipe.send(told)


def _read_by_one_connection(url: str, told: Told, chance: random.Random, stop: Event, hurry: Event) -> None:
    connection = psycopg2.connect(url, application_name="dashboard")
    newest = 0
    try:
        for _ in range(READS_OF_A_CONNECTION):
            if stop.is_set():
                return
            with connection:  # a transaction as the server makes it when nobody says how
                read = chance.choice(WAYS)(connection, told, chance)
            told.note(read)
            release_id = _number(read, "outcome_release")
            told.steps_back += release_id < newest
            newest = release_id
            hurry.wait(PAUSE_SECONDS * chance.uniform(0.5, 1.5))
    finally:
        connection.close()


def _number(read: Mapping[str, object], name: str) -> int:
    value = read[name]
    return value if isinstance(value, int) else 0
