"""Upkeep looks after what has changed, and after the tables above it that PostgreSQL leaves alone."""

from __future__ import annotations

from quarterday.maintaining import maintain
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.marts_support import _register, rows

CRIMES = "street_crime"


def test_changed_tables_and_the_one_above_are_analysed_once(settings: Settings) -> None:
    maintain(settings)
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        load_id = _register(cursor, CRIMES, "staffordshire_police", "2018-19-Q3", "2018-12-01")
        cursor.execute(
            f"insert into landing.{CRIMES} (load_id, line_number, month) select %s, line, '2018-10' "
            "from generate_series(2, 300) as line",
            (load_id,),
        )
    named = ["ledger.load", "ledger.load_event", f"landing.{CRIMES}_small_loads", f"landing.{CRIMES}"]
    assert sorted(maintain(settings)) == sorted(named)
    seen = rows(settings, "select distinct tablename from pg_stats where attname = 'month'", role="owner")
    assert sorted(seen) == [(CRIMES,), (f"{CRIMES}_small_loads",)]
    assert maintain(settings) == []
