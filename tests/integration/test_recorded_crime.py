"""Crimes of a large release have a table of their own, however often it is built.

Readers see no difference, no later release reads it, and nobody who asks for another quarter. Crimes are counted once,
and the counts that readers ask are those published.
"""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from psycopg2.extras import Json

from quarterday import releasing
from quarterday.settings import Settings
from quarterday.warehouse import connect, migrate
from quarterday.withdrawing import withdraw_release
from tests.marts_support import (
    Figure,
    _admit,
    _register,
    admit_figures,
    deployed_template,
    quarters_of,
    release,
    rows,
    warehouse,
)

__all__ = ["deployed_template", "warehouse"]

MANY = 50_000
FIGURES = 2_000
OWN_TABLES = "select inhrelid::regclass::text from pg_inherits where inhparent = 'core.fct_recorded_crime'::regclass"
BY_QUARTER = """select partner_code, period_key, area_code, count(*), min(period_start), max(period_end)
from mart.fct_recorded_crime group by 1, 2, 3 order by 1, 2, 3"""


OTHER_SESSIONS = """select count(*) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()"""
ROWS_READ = """select schemaname || '.' || relname, seq_tup_read + coalesce(idx_tup_fetch, 0)
from pg_stat_user_tables where schemaname in ('core', 'landing')"""


def admit_crimes(settings: Settings, month: str, quarter: str, count: int, issued_on: str = "2018-12-01") -> int:
    """Admit a file of so many crimes in Stafford, a large one with a partition of its own."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        load_id = _register(cursor, "street_crime", "staffordshire_police", quarter, issued_on)
        if count >= MANY:
            cursor.execute("select landing.open_load('street_crime', %s)", (load_id,))
            cursor.execute("select landing.close_load('street_crime', %s)", (load_id,))
        cursor.execute(
            """insert into landing.street_crime (load_id, line_number, crime_id, month, reported_by, falls_within,
                longitude, latitude, location, lsoa_code, lsoa_name, crime_type, last_outcome)
            select %s, line + 1, encode(sha256(line::text::bytea), 'hex'), %s, %s, %s,
                '-2.1', '52.8', 'On or near High Street', 'E01029700', 'Stafford 001A', 'Burglary', 'Not known'
            from generate_series(1, %s) as line""",
            (load_id, month, *["Staffordshire Police"] * 2, count),
        )
        day = {"2018-10": "31", "2018-11": "30", "2018-12": "31"}[month]
        _admit(cursor, load_id, count, [("calendar_month", f"{month}-01", f"{month}-{day}")])
    return load_id


def admit_parts(settings: Settings, number: int, count: int) -> int:
    """Admit a return of a quarter's figure and so many parts of it."""
    period = quarters_of(2016)[number]
    figures = [Figure("youth_asb_incidents", "stafford", period, "7", breakdown=f"n_{part}") for part in range(count)]
    whole = Figure("youth_asb_incidents", "stafford", period, "9")
    quarter = f"2016-17-Q{number + 1}"
    return admit_figures(settings, "youth_asb", "force_performance", quarter, "2017-05-01", [whole, *figures])


def rows_read(settings: Settings) -> dict[str, int]:
    """Return how many rows of each table have been read so far. A session tells what it has read when it ends."""
    for _ in range(200):
        if rows(settings, OTHER_SESSIONS, role="owner") == [(0,)]:
            break
        time.sleep(0.05)
    return dict(rows(settings, ROWS_READ, role="owner"))


def prefer_indexes(settings: Settings) -> None:
    """Let the builder read its small tables as it would read large ones."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        name = connection.get_dsn_parameters()["dbname"]
        cursor.execute(f"alter role quarterday_builder in database {name} set enable_seqscan = off")


ALIKE = "partner_code, period_key, period_start, area_code, crime_type, last_outcome"
LINES_COUNTED = """select {columns}, count(*) from {schema}.fct_recorded_crime group by {columns} order by {columns}"""
COUNTS = """select {columns}, crime_count from {schema}.fct_recorded_crime_count order by {columns}"""


def lines_and_counts(settings: Settings, schema: str) -> list[list[tuple[object, ...]]]:
    """Return what the lines come to, counted here, and what is kept counted."""
    columns = ALIKE + (", known_from, known_to, issued_on, superseded_on" if schema == "history" else "")
    return [rows(settings, text.format(columns=columns, schema=schema)) for text in (LINES_COUNTED, COUNTS)]


def plan_of_quarter(settings: Settings, quarter: str, area: str | None = None) -> str:
    """Return what the planner would read for the crimes of a quarter, of one area of it where that is named."""
    of_area = f" and area_code = '{area}'" if area else ""
    question = f"explain select count(*) from mart.fct_recorded_crime where period_key = '{quarter}'{of_area}"
    return "\n".join(line for (line,) in rows(settings, question))


def found_by_index(plan: str) -> str:
    """Return what a plan asks of indexes."""
    return "\n".join(line for line in plan.splitlines() if "Index Cond" in line)


KEPT = "core.fct_recorded_crime_count_current"
DIFFERENT = f"""(table {KEPT} except all table core.int_fct_recorded_crime_count_current)
union all (table core.int_fct_recorded_crime_count_current except all table {KEPT})"""
CRIMES_BY_MONTH = """select to_char(period_start, 'YYYY-MM'), sum(crime_count)
from mart.fct_recorded_crime_count group by 1 order by 1"""


def told(settings: Settings) -> list[tuple[object, ...]]:
    return [(*row[:4], str(row[4]), str(row[5])) for row in rows(settings, BY_QUARTER)]


PLACE = {
    "longitude": "-2.1",
    "latitude": "52.8",
    "location": "On or near High Street",
    "lsoa_code": "E01029700",
    "lsoa_name": "Stafford 001A",
}
NO_PLACE = dict.fromkeys(PLACE) | {"location": "No Location"}
PLACES = """select area_code, longitude, latitude, location, lsoa_code, lsoa_name, count(*)
from {fact} where period_start = '{day}' group by 1, 2, 3, 4, 5, 6 order by 1"""
WITH_KEYS = """select to_char(period_start, 'YYYY-MM'), count(place_key), count(location)
from core.fct_recorded_crime join ledger.load_period using (load_id) group by 1 order by 1"""


def list_places(settings: Settings, load_id: int, places: list[dict[str, str | None]]) -> None:
    """Leave what judging leaves of a plain load that repeats its places."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("insert into ledger.plain_load values (%s, 'a test')", (load_id,))
        for place in places:
            cursor.execute("insert into landing.repeated_cells values (%s, %s)", (load_id, Json(place)))


def lose_the_place(settings: Settings, load_id: int) -> None:
    """Let the load's first line have no place."""
    blank = ", ".join(f"{name} = null" for name in PLACE if name != "location")
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            f"update landing.street_crime set {blank}, location = 'No Location' where load_id = %s and line_number = 2",
            (load_id,),
        )


@pytest.mark.long
def test_a_large_release_built_again_has_each_crime_once(
    warehouse: Settings,
) -> None:
    large = admit_crimes(warehouse, "2018-10", "2018-19-Q3", MANY)
    admit_parts(warehouse, 0, FIGURES)
    release_id = releasing.begin(warehouse)
    assert release_id is not None
    for _ in range(2):
        assert releasing.build_facts(release_id, warehouse) >= MANY
        assert rows(warehouse, OWN_TABLES, role="owner") == [(f"core.fct_recorded_crime_release_{release_id}",)]
        assert told(warehouse) == []
    releasing.check_facts(release_id, warehouse)
    releasing.publish(release_id, warehouse)
    shown = ("staffordshire_police", "2018-19-Q3", "stafford", MANY, "2018-10-01", "2018-10-31")
    assert told(warehouse) == [shown]
    # Who asks for another quarter is not led into it; who asks for its own, or for any, is.
    (own_table,) = rows(warehouse, OWN_TABLES, role="owner")[0]
    for condition, is_read in (("2018-19-Q2", False), ("2018-19-Q3", True)):
        assert (own_table.removeprefix("core.") in plan_of_quarter(warehouse, condition)) is is_read, condition
    # Its pages are read many at a time, by the index of loads, also once it has been analysed; the index finds an
    # area's lines, which a file has side by side.
    for statement in ("select 1", f"analyze {own_table}"):
        run(warehouse, statement)
        assert f"Bitmap Heap Scan on {own_table.removeprefix('core.')}" in plan_of_quarter(warehouse, "2018-19-Q3")
        of_area = found_by_index(plan_of_quarter(warehouse, "2018-19-Q3", "stafford"))
        assert "AND (area_code = 'stafford'::text))" in of_area
    # A small release goes into the fact itself, and readers see both. It reads nothing of the large one, and of the
    # measurements only its own and the wholes that outcomes are followed by.
    admit_crimes(warehouse, "2018-11", "2018-19-Q3", 3)
    admit_parts(warehouse, 1, 5)
    prefer_indexes(warehouse)
    before = rows_read(warehouse)
    release(warehouse)
    after = rows_read(warehouse)
    own = (f"core.fct_recorded_crime_release_{release_id}", f"landing.street_crime_load_{large}")
    assert {table: after[table] - before[table] for table in own} == dict.fromkeys(own, 0)
    for table in ("core.fct_measurement", "landing.youth_asb"):
        assert after[table] - before[table] < FIGURES / 4, (table, after[table] - before[table])
    assert told(warehouse) == [(*shown[:3], MANY + 3, "2018-10-01", "2018-11-30")]
    assert len(rows(warehouse, OWN_TABLES, role="owner")) == 1
    # The counts kept of them say the same. Where there were none yet, the next release counts what was published.
    counted, kept = lines_and_counts(warehouse, "mart")
    assert counted == kept != []
    with connect(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("delete from core.fct_recorded_crime_count")
    # A smaller file takes the place of the large one.
    admit_crimes(warehouse, "2018-10", "2018-19-Q3", 2, issued_on="2019-01-01")
    release(warehouse)
    assert told(warehouse) == [(*shown[:3], 5, "2018-10-01", "2018-11-30")]
    assert rows(warehouse, "select count(*) from history.fct_recorded_crime where known_to is null") == [(MANY + 5,)]
    for schema in ("mart", "history"):
        counted, kept = lines_and_counts(warehouse, schema)
        assert counted == kept != []


@pytest.mark.long
def test_a_fact_that_still_has_partner_and_period_of_its_own_takes_new_crimes(warehouse: Settings) -> None:
    with connect(warehouse, "owner") as connection, connection.cursor() as cursor:
        for column in ("partner_code text", "period_start date", "period_end date"):
            cursor.execute(f"alter table core.fct_recorded_crime add column {column} not null")
    migrate(warehouse)
    admit_crimes(warehouse, "2018-12", "2018-19-Q3", 4)
    release(warehouse)
    assert told(warehouse) == [("staffordshire_police", "2018-19-Q3", "stafford", 4, "2018-12-01", "2018-12-31")]


def test_readers_see_the_same_of_crimes_whether_their_places_have_keys_or_not(warehouse: Settings) -> None:
    keyed, wide, alike = (
        admit_crimes(warehouse, month, "2018-19-Q3", 4) for month in ("2018-10", "2018-11", "2018-12")
    )
    for load_id in (keyed, wide, alike):
        lose_the_place(warehouse, load_id)
    list_places(warehouse, keyed, [PLACE, NO_PLACE])
    # Of two combinations with one key nobody could tell which a line has.
    list_places(warehouse, alike, [PLACE, NO_PLACE, NO_PLACE | {"lsoa_code": ""}])
    release(warehouse)
    assert rows(warehouse, WITH_KEYS, role="owner") == [("2018-10", 4, 0), ("2018-11", 0, 4), ("2018-12", 0, 4)]
    numbers = (Decimal("-2.1"), Decimal("52.8"))
    expected = [
        ("stafford", *numbers, *list(PLACE.values())[2:], 3),
        (None, None, None, "No Location", None, None, 1),
    ]
    for fact in ("mart.fct_recorded_crime", "history.fct_recorded_crime"):
        for day in ("2018-10-01", "2018-11-01", "2018-12-01"):
            assert rows(warehouse, PLACES.format(fact=fact, day=day)) == expected, (fact, day)
    counted, kept = lines_and_counts(warehouse, "history")
    assert counted == kept != []
    wide = "select area_name, period_label, crime_count, month_count from mart.rpt_recorded_crime order by area_name"
    assert rows(warehouse, wide) == [("Stafford", "2018-19 Q3", 9, 3), (None, "2018-19 Q3", 3, 3)]


def test_counts_kept_as_published_follow_each_release(warehouse: Settings) -> None:
    admit_crimes(warehouse, "2018-10", "2018-19-Q3", 4)
    admit_crimes(warehouse, "2018-11", "2018-19-Q3", 3)
    release(warehouse)
    assert rows(warehouse, CRIMES_BY_MONTH) == [("2018-10", 4), ("2018-11", 3)]
    # Whoever began to read before a restatement goes on to see what there was.
    with connect(warehouse, "reader") as connection, connection.cursor() as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute(CRIMES_BY_MONTH)
        admit_crimes(warehouse, "2018-10", "2018-19-Q3", 9, issued_on="2019-01-01")
        restated = release(warehouse)
        reader.execute(CRIMES_BY_MONTH)
        assert reader.fetchall() == [("2018-10", 4), ("2018-11", 3)]
    assert rows(warehouse, CRIMES_BY_MONTH) == [("2018-10", 9), ("2018-11", 3)]
    assert rows(warehouse, DIFFERENT, role="owner") == []
    withdraw_release(restated, "The wrong file.", warehouse)
    assert rows(warehouse, CRIMES_BY_MONTH) == [("2018-10", 4), ("2018-11", 3)]
    assert rows(warehouse, DIFFERENT, role="owner") == []


def test_counts_that_differ_from_what_is_published_are_mended(
    warehouse: Settings,
) -> None:
    first, second = (admit_crimes(warehouse, month, "2018-19-Q3", 4) for month in ("2018-10", "2018-11"))
    release(warehouse)
    # As where counts are newer than what was published.
    run(warehouse, f"delete from {KEPT} where load_id = {first}")
    admit_crimes(warehouse, "2018-12", "2018-19-Q3", 2)
    release(warehouse)
    assert rows(warehouse, CRIMES_BY_MONTH) == [("2018-10", 4), ("2018-11", 4), ("2018-12", 2)]
    run(warehouse, f"delete from {KEPT} where load_id = {second}")
    run(warehouse, f"update {KEPT} set load_id = 77 where load_id = {first}")
    releasing.deploy_marts(warehouse, force=True)
    assert rows(warehouse, DIFFERENT, role="owner") == []


OLD = """
alter table core.fct_recorded_crime drop column period_key;
create table core.fct_recorded_crime_release_{release} (like core.fct_recorded_crime including constraints);
with large as (delete from only core.fct_recorded_crime where load_id in ({large}) returning *)
insert into core.fct_recorded_crime_release_{release} table large;
alter table core.fct_recorded_crime_release_{release} owner to quarterday_builder,
    add constraint loads_of_release check (load_id = any('{{{large}}}'::bigint[])), inherit core.fct_recorded_crime;
"""
WITHOUT_AREA = "update core.fct_recorded_crime set area_code = null where place_key is not null"
ALL_CRIMES = "select * from mart.fct_recorded_crime order by load_id, line_number"
SHAPE = """select attname, attnotnull from pg_attribute
where attrelid = 'core.fct_recorded_crime_release_{release}'::regclass and attnum > 0 order by attnum"""
INDEX = "(load_id, area_code)"
CHECKS = """select conname from pg_constraint
where conrelid = 'core.fct_recorded_crime_release_{release}'::regclass and contype = 'c' order by 1"""
INDEXES = """select indexdef from pg_indexes where tablename = 'fct_recorded_crime_release_{release}'"""
OF_LOADS = """select n_distinct, correlation from pg_stats
where tablename = 'fct_recorded_crime_release_{release}' and attname = 'load_id'"""


def test_crimes_that_were_released_without_their_quarter_and_area_get_them(warehouse: Settings) -> None:
    keyed, wide = (admit_crimes(warehouse, month, "2018-19-Q3", 4) for month in ("2018-10", "2018-11"))
    list_places(warehouse, keyed, [PLACE])
    first = release(warehouse)
    small = admit_crimes(warehouse, "2018-12", "2018-19-Q3", 3)
    list_places(warehouse, small, [PLACE])
    release(warehouse)
    before = rows(warehouse, ALL_CRIMES)
    run(warehouse, "drop view mart.fct_recorded_crime, history.fct_recorded_crime cascade")
    run(warehouse, OLD.format(release=first, large=f"{keyed}, {wide}") + WITHOUT_AREA)
    migrate(warehouse)
    releasing.deploy_marts(warehouse, force=True)
    assert rows(warehouse, ALL_CRIMES) == before
    shape = rows(warehouse, SHAPE.format(release=first), role="owner")
    assert shape[:4] == [("load_id", True), ("line_number", True), ("period_key", True), ("place_key", False)]
    assert rows(warehouse, CHECKS.format(release=first), role="owner") == [
        ("loads_of_release",),
        ("quarters_of_release",),
    ]
    assert f"fct_recorded_crime_release_{first}" not in plan_of_quarter(warehouse, "2018-19-Q2")
    assert rows(warehouse, OF_LOADS.format(release=first), role="owner") == [(1000, 0)]
    assert [text.partition("btree ")[2] for (text,) in rows(warehouse, INDEXES.format(release=first))] == [INDEX]
    run(warehouse, WITHOUT_AREA)
    migrate(warehouse)
    assert rows(warehouse, ALL_CRIMES) == before
    assert rows(warehouse, SHAPE.format(release=first), role="owner") == shape
    # The next time nothing is written again.
    made = f"select oid from pg_class where relname = 'fct_recorded_crime_release_{first}'"
    there = rows(warehouse, made, role="owner")
    migrate(warehouse)
    assert rows(warehouse, made, role="owner") == there
    # An index of loads alone is replaced by one that leads on to areas.
    own_table = f"core.fct_recorded_crime_release_{first}"
    run(warehouse, f"drop index {own_table}_load_id_area_code_idx; create index on {own_table} (load_id)")
    migrate(warehouse)
    assert [text.partition("btree ")[2] for (text,) in rows(warehouse, INDEXES.format(release=first))] == [INDEX]
    # Nor is what the planner is told, which a backup doesn't hold.
    run(warehouse, f"select pg_clear_attribute_stats('core', '{own_table.removeprefix('core.')}', 'load_id', false)")
    assert rows(warehouse, OF_LOADS.format(release=first), role="owner") == []
    migrate(warehouse)
    assert rows(warehouse, OF_LOADS.format(release=first), role="owner") == [(1000, 0)]
    # What comes after is released as ever.
    admit_crimes(warehouse, "2018-10", "2018-19-Q3", 2, issued_on="2019-01-01")
    release(warehouse)
    assert told(warehouse) == [("staffordshire_police", "2018-19-Q3", "stafford", 9, "2018-10-01", "2018-12-31")]


def run(settings: Settings, statements: str) -> None:
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statements)
