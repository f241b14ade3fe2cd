"""What those who watch are told as it happens: log lines that name load or release, and a few metrics over StatsD.

Neither is ever in the work's way: without ``QUARTERDAY_STATSD`` nothing is sent, and StatsD goes by UDP, which waits
for nobody.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from quarterday.errors import OperatorError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

P = ParamSpec("P")
Result = TypeVar("Result")
log = logging.getLogger("quarterday")
STATSD_PREFIX = "quarterday"


@contextmanager
def about(**ids: int) -> Iterator[None]:
    """Have every log line of the block carry these ids, such as ``load_id=12``."""
    from structlog.contextvars import bound_contextvars

    with bound_contextvars(**ids):
        yield


def about_release(work: Callable[Concatenate[int, P], Result]) -> Callable[Concatenate[int, P], Result]:
    """Have every log line of a function carry the release that is its first argument."""

    @functools.wraps(work)
    def named(release_id: int, /, *words: P.args, **named: P.kwargs) -> Result:
        with about(release_id=release_id):
            return work(release_id, *words, **named)

    return named


def tell_landed(load_id: int, lines: int) -> None:
    """Tell that a return's lines were landed."""
    log.info("load %s: %s lines landed", load_id, lines)


def tell_verdict(load_id: int, verdict: str, issues: int) -> None:
    """Tell of a verdict, and count it as ``quarterday.loads.<verdict>``."""
    log.info("load %s: %s, %s issues", load_id, verdict, issues)
    if client := _statsd():
        client.incr(f"loads.{verdict}")


def tell_release(release_id: int, cursor: Cursor) -> None:
    """Tell of a release that is being published in this transaction.

    Sends ``quarterday.release.seconds`` (from its opening), ``quarterday.release.loads`` and
    ``quarterday.release.lag_seconds`` (since the oldest of its returns came in).
    """
    cursor.execute(
        """select
            extract(epoch from clock_timestamp() - release.started_at)::double precision,
            extract(epoch from clock_timestamp() - min(load.received_at))::double precision,
            count(load.load_id)
        from ledger.release
        left join ledger.release_load using (release_id)
        left join ledger.load using (load_id)
        where release.release_id = %s
        group by release.release_id""",
        (release_id,),
    )
    seconds, lag, loads = cursor.fetchone() or (0.0, None, 0)
    log.info("release %s: published, %s returns, %.1f s after it was opened", release_id, loads, seconds)
    if client := _statsd():
        client.timing("release.seconds", seconds * 1000)
        client.gauge("release.loads", loads)
        if lag is not None:
            client.gauge("release.lag_seconds", lag)


def statsd_address() -> tuple[str, int] | None:
    """Return host and port of ``QUARTERDAY_STATSD``; None where it isn't set.

    Raises:
        OperatorError: It is not ``host:port``.
    """
    named = os.environ.get("QUARTERDAY_STATSD", "")
    if not named:
        return None
    host, _, port = named.rpartition(":")
    if not host or not port.isdecimal():
        raise OperatorError(f"QUARTERDAY_STATSD is {named!r}: expected a host and a port, such as 127.0.0.1:8125.")
    return host, int(port)


def _statsd() -> Any:
    address = statsd_address()
    if address is None:
        return None
    from statsd import StatsClient

    try:
        return StatsClient(*address, prefix=STATSD_PREFIX)
    except OSError as error:  # a name that can't be resolved
        log.warning("metrics can't be sent to %s: %s", ":".join(map(str, address)), error)
        return None
