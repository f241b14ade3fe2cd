"""What the ledger has begun and not ended. The events that drive it only wake, and can be lost; this is what they wake.

The sweep of the inbox asks for it every quarter of an hour, ``ledger__reconcile`` once a day and when somebody likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection

# When nothing has happened to any return for so long, those that are not done have lost their wake-up. While others
# move they wait for their turn, and waking them again would only lengthen the queue, unless they wait for too long.
STANDSTILL = "1 minute"
LONGEST_WAIT = "15 minutes"
# Grain: one row per load that has no verdict, is admitted and not released, or waits for a sign-off that nobody was
# asked for: the event that asks was lost.
UNFINISHED = """
select load_id, form || '|' || reporting_quarter as key, state, state_at
from ledger.load_state
where reporting_quarter is not null
    and (
        state in ('registered', 'landed', 'admitted', 'approved')
        or state = 'held'
        and not exists (
            select 1 from ledger.sign_off_request
            where sign_off_request.load_id = load_state.load_id
                and sign_off_request.asked_at >= load_state.state_at
        )
    )
"""


@dataclass(frozen=True)
class Unfinished:
    """A load with work to do; ``key`` is ``form|quarter``."""

    load_id: int
    key: str
    state: str

    @property
    def is_to_load(self) -> bool:
        """Say whether it has no verdict."""
        return self.state in ("registered", "landed")


def unfinished_keys(connection: Connection, registered: Sequence[int] = ()) -> list[str]:
    """Return the sorted keys of returns that have no verdict, or are admitted and not released.

    A return that waits for a sign-off is left alone once somebody was asked.

    Args:
        connection: Any transaction.
        registered: Loads to name at once; any other only when all have stood still for a while, or it has for long.
            Of those that are admitted one is enough: a release takes in all of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""with unfinished as ({UNFINISHED}),
            waiting as (
                select distinct on (wakes_with) key
                from unfinished
                cross join lateral (
                    select case when state in ('registered', 'landed') then load_id else 0 end as wakes_with
                ) as woken
                where state_at < clock_timestamp() - interval '{LONGEST_WAIT}'
                    or not exists (
                        select 1 from ledger.load_event
                        where happened_at > clock_timestamp() - interval '{STANDSTILL}'
                    )
                order by wakes_with, load_id
            )
            select key from unfinished where load_id = any(%s)
            union
            select key from waiting
            order by 1""",
            (list(registered),),
        )
        return [key for (key,) in cursor.fetchall()]


def standing_still(connection: Connection) -> list[Unfinished]:
    """Return every unfinished load to which nothing has happened for a while, oldest first; some wait their turn."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""with unfinished as ({UNFINISHED})
            select load_id, key, state from unfinished
            where state_at < clock_timestamp() - interval '{STANDSTILL}' order by load_id"""
        )
        return [Unfinished(*row) for row in cursor.fetchall()]
