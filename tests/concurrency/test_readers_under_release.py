"""Sixteen readers and a hundred releases: every read sees exactly one release over all facts, and none fails or waits.

``make test`` runs it small; ``make test-long`` at full size. Every release is a real one: built by dbt, checked and
published. What is printed says how many reads and states were seen, and how long a statement waited.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday import releasing
from quarterday.loading import withdraw_load
from quarterday.settings import Settings, database_url
from quarterday.warehouse import connect
from quarterday.withdrawing import withdraw_release
from tests.concurrency.readers import ALL_AT_ONCE, JOINED, PAUSE_SECONDS, Readers, Told, reading
from tests.concurrency.states import PARTS, Read, Sender, States
from tests.marts_support import deployed_template, module_warehouse, release, warehouse

__all__ = ["deployed_template", "module_warehouse", "warehouse"]

LONGEST_WAIT_SECONDS = 1.0
# For so long the readers read with no release running, so that their wait without one is known.
QUIET_SECONDS = 2.0
# What kinds of releases follow each other, again and again, after a first one.
KINDS = ("same day", "withdrawn", "late", "loads withdrawn", "restated", "restated", "withdrawn")
# In `make test`.
SMALL = 2
GATE = 4711
FIRST_PARTS, LAST_PARTS = list(PARTS)[::2], list(PARTS)[1::2]


class Publisher:
    """Releases returns, one kind of release after another, and notes what a reader finds after each."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sender, self.states = settings, Sender(settings), States()
        # Releases of returns that nobody has taken back, with their stamp.
        self.standing: list[tuple[int, int]] = []
        self.kinds: list[str] = []

    @property
    def newest(self) -> int:
        """The newest release."""
        return max(self.states.by_release)

    def run(self, count: int) -> None:
        """Make so many releases."""
        for number in range(count):
            self.release(KINDS[number % len(KINDS)])

    def release(self, kind: str) -> None:
        """Make one release and note what it shows."""
        self.kinds.append(kind)
        if kind == "withdrawn":
            release_id = self._withdraw()
        else:
            self._send(kind)
            release_id = release(self.settings)
            self.standing.append((release_id, self.sender.sent))
        self.states.add(read_quietly(self.settings), self.sender.stamp, release_id)

    def _send(self, kind: str) -> None:
        newest = self.sender.newest_day()
        if kind == "late":
            self.sender.send(newest - timedelta(days=3 + len(self.kinds)))
        elif kind == "same day":
            self.sender.send(newest - timedelta(days=2))
        elif kind == "loads withdrawn":
            wrong = self.sender.send(newest)
            releasing.begin(self.settings)
            for load_id in wrong:
                withdraw_load(load_id, "the wrong workbook", self.settings)
            self.sender.take_back(self.sender.sent)
            self.sender.send(newest + timedelta(days=1))
        else:
            self.sender.send(newest)

    def _withdraw(self) -> int:
        withdrawn_id, stamp = self.standing.pop()
        self.sender.take_back(stamp)
        return withdraw_release(withdrawn_id, "last year's workbook", self.settings)


def read_quietly(settings: Settings) -> Read:
    """Return what a reader finds while nobody publishes."""
    with connect(settings, "reader") as connection:
        told = Told()
        return told.ask(connection, ALL_AT_ONCE) | told.ask(connection, JOINED)


@contextmanager
def hurried(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the readers read without a pause while a release is published."""
    publish = releasing.publish

    def publish_hurried(*given: Any) -> int:
        readers.hurry.set()
        try:
            time.sleep(0.05)
            written = publish(*given)
            time.sleep(0.05)
            return written
        finally:
            readers.hurry.clear()

    with monkeypatch.context() as hurrying:
        hurrying.setattr(releasing, "publish", publish_hurried)
        yield


def read_parts(connection: Connection, parts: Sequence[str]) -> Read:
    """Return what some facts show, a statement each, in the transaction that is open or begins now."""
    return {name: value for part in parts for name, value in Told().ask(connection, PARTS[part]).items()}


@contextmanager
def long_statement(settings: Settings) -> Iterator[AsyncResult[Read]]:
    """Keep a statement over every fact going until the block ends."""
    slow = f"with waited as materialized (select pg_advisory_xact_lock_shared({GATE})) " + ALL_AT_ONCE.replace(
        "select *", "select facts.* from waited cross join (select *", 1
    )

    def read() -> Read:
        with connect(settings, "reader") as connection:
            return Told().ask(connection, f"{slow}) as facts")

    with ThreadPool(1) as pool:
        with connect(settings, "owner") as connection, connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (GATE,))
            answer = pool.apply_async(read)
            wait_until(lambda: is_waiting(cursor), "the long statement has begun")
            yield answer
        answer.wait(30)


def is_waiting(cursor: Cursor) -> bool:
    """Say whether a statement waits at the gate."""
    cursor.execute("select exists (select 1 from pg_locks where locktype = 'advisory' and not granted)")
    (found,) = cursor.fetchone() or (False,)
    return bool(found)


def wait_until(has_happened: Callable[[], bool], what: str) -> None:
    """Wait for something, a minute at most."""
    deadline = time.monotonic() + 60
    while not has_happened():
        assert time.monotonic() < deadline, f"waited for a minute in vain: {what}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def publisher(module_warehouse: Settings) -> Publisher:
    """A warehouse with one release."""
    first = Publisher(module_warehouse)
    first.release("restated")
    return first


def told_of(waits: list[float]) -> str:
    """Say how long statements took."""
    half, most = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    return (
        f"{len(waits)} statements, half within {half:.3f} s, 99 in 100 within {most:.3f} s, longest {waits[-1]:.3f} s"
    )


def release_under_readers(
    publisher: Publisher, reader_count: int, release_count: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[Readers, float]:
    """Make releases under readers; print and return what they saw, and the longest wait of a statement."""
    began = ended = 0.0
    try:
        with reading(database_url(publisher.settings, "reader"), reader_count) as readers:
            time.sleep(QUIET_SECONDS)
            began = time.monotonic()
            with hurried(readers, monkeypatch):
                publisher.run(release_count)
            ended = time.monotonic()
            time.sleep(2 * PAUSE_SECONDS)  # each reads once more
    finally:  # also of a run that is cut off
        print(f"\n{tell(publisher, readers, began, ended or time.monotonic())}")
    return readers, readers.waits(since=began)[-1]


def tell(publisher: Publisher, readers: Readers, began: float, ended: float) -> str:
    """Say what readers saw, of how many releases, and how long their statements took."""
    seen = {read["outcome_release"] for read in readers.seen}
    kinds = Counter(publisher.kinds[1:])
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"{len(readers.told)} readers, {kinds.total()} releases in {ended - began:.0f} s (load average {load}): "
        f"{readers.read_count} reads, {len(seen)} of {len(publisher.states.by_release)} states seen, "
        f"{len(readers.errors)} errors, {len(publisher.states.not_one(readers.seen))} mixed states"
        f"\n  releases: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}"
        f"\n  no release running: {told_of(readers.waits(until=began))}"
        f"\n  releases running:   {told_of(readers.waits(since=began))}"
    )


def assert_one_release_at_a_time(publisher: Publisher, readers: Readers) -> None:
    """Every read saw one release over all facts, none failed, and no reader went back to an earlier release."""
    assert readers.errors == []
    assert publisher.states.not_one(readers.seen) == []
    assert sum(told.steps_back for told in readers.told) == 0
    assert all(publisher.newest in {read["outcome_release"] for read in told.seen} for told in readers.told)


def test_readers_see_one_release_at_a_time_while_releases_run(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers, _ = release_under_readers(publisher, 4, SMALL, monkeypatch)
    assert_one_release_at_a_time(publisher, readers)
    assert readers.read_count > 5 * SMALL


@pytest.mark.long
def test_sixteen_readers_see_one_release_at_a_time_while_a_hundred_run(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(warehouse)
    publisher.release("restated")
    readers, longest = release_under_readers(publisher, 16, 100, monkeypatch)
    assert_one_release_at_a_time(publisher, readers)
    assert {read["outcome_release"] for read in readers.seen} == set(publisher.states.by_release)
    assert longest < LONGEST_WAIT_SECONDS, "on a quiet machine; see the load average above"


def test_readers_keep_their_release_through_another_and_hold_nothing_up(publisher: Publisher) -> None:
    """A dashboard amid its transaction and one amid a long statement see the former release to their end.

    One that asks for a state of its own for every statement (read committed) sees two: such a read is told of.
    """
    settings, states = publisher.settings, publisher.states
    with (
        connect(settings, "reader") as in_transaction,
        connect(settings, "reader") as by_statement,
        long_statement(settings) as in_statement,
    ):
        by_statement.set_session(isolation_level="READ COMMITTED")
        begun = read_parts(in_transaction, FIRST_PARTS)
        begun_otherwise = read_parts(by_statement, FIRST_PARTS)
        former = publisher.newest
        publisher.release("restated")
        assert not in_statement.ready()
        ended = begun | read_parts(in_transaction, LAST_PARTS)
        mixed = begun_otherwise | read_parts(by_statement, LAST_PARTS)
    reads = [ended, in_statement.get()]
    assert [read["outcome_release"] for read in reads] == [former, former]
    assert states.not_one(reads) == []
    assert len(states.not_one([mixed])) == 1


def test_a_release_published_in_two_transactions_would_be_told_of(publisher: Publisher) -> None:
    """What readers would see between the two: what the newest published, and what is asked by release of the former."""
    connection = psycopg2.connect(database_url(publisher.settings, "owner"))
    try:
        with connection.cursor() as cursor:
            cursor.execute("update ledger.release set published_at = null where release_id = %s", (publisher.newest,))
            cursor.execute("set local role quarterday_reader")
        halfway = Told().ask(connection, ALL_AT_ONCE)
    finally:
        connection.close()
    (told,) = publisher.states.not_one([halfway])
    assert told.startswith("facts of several states")


@pytest.mark.parametrize(
    ("read", "told"),
    [
        ({"outcome_release": 2, "a_stamp": 7, "b_stamp": 7, "versions": 3}, []),
        ({"outcome_release": 2, "a_stamp": 7, "b_stamp": 8, "versions": 3}, ["facts of several states"]),
        ({"outcome_release": 2, "a_release": 1, "a_stamp": 7, "versions": 3}, ["facts of several states"]),
        ({"outcome_release": 2, "a_stamp": 7, "versions": 2}, ["release 2, but for (seen, published): {'versions'"]),
        ({"outcome_release": 2, "a_stamp": 6}, ["release 2, but for (seen, published): {'a_stamp'"]),
        ({"outcome_release": 3, "a_stamp": 7}, ["a release that was not published"]),
    ],
)
def test_a_read_of_no_one_state_is_told_of(read: Read, told: list[str]) -> None:
    published = {"outcome_release": 2, "a_release": 2, "a_stamp": 7, "b_stamp": 7, "versions": 3}
    found = States({2: published}).not_one([read])
    assert [words[: len(start)] for words, start in zip(found, told, strict=True)] == told
