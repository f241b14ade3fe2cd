"""The 20 checks of the street-crime form through Great Expectations, against the same 20 written as one statement."""

from __future__ import annotations

import contextlib
from pathlib import Path

from psycopg2.extensions import connection as Connection

from benchmarks import bench, land
from quarterday import inbox, loading
from quarterday.checking.checks import checks_of
from quarterday.checking.judging import judge_load
from quarterday.contracts import load_forms
from quarterday.settings import Settings
from quarterday.warehouse import connect

# By hand, with the cheap predicates of one who knows what patterns cost.
NUMBER = "^-?[0-9]+([.][0-9]+)?$"
STATEMENT = """select
    count(*),
    (select coalesce(sum(times), 0) from (
        select count(*) as times from {lines} where crime_id is not null group by crime_id, month having count(*) > 1
    ) as twice),
    (select coalesce(sum(times), 0) from (
        select count(*) as times from {lines} where crime_id is not null group by crime_id having count(*) > 1
    ) as twice),
    count(*) filter (where length(crime_id) <> 64 or crime_id ~ '[^0-9a-f]'),
    count(*) filter (where month is null),
    count(*) filter (where month !~ '^[0-9]{{4}}-[0-9]{{2}}$'),
    count(*) filter (where not pg_input_is_valid(month || '-01', 'date')),
    count(*) filter (where reported_by is null),
    count(*) filter (where reported_by not in ('Staffordshire Police', 'West Mercia Police')),
    count(*) filter (where falls_within is null),
    count(*) filter (where longitude !~ '{number}'),
    count(*) filter (where case when longitude ~ '{number}' then longitude::numeric < -9 end),
    count(*) filter (where case when longitude ~ '{number}' then longitude::numeric > 2 end),
    count(*) filter (where latitude !~ '{number}'),
    count(*) filter (where case when latitude ~ '{number}' then latitude::numeric < 49 end),
    count(*) filter (where case when latitude ~ '{number}' then latitude::numeric > 61 end),
    count(*) filter (where lsoa_code !~ '^[EW][0-9]{{8}}$'),
    count(*) filter (where crime_type is null),
    count(*) filter (where crime_type not in (
        'Anti-social behaviour', 'Bicycle theft', 'Burglary', 'Criminal damage and arson', 'Drugs', 'Other crime',
        'Other theft', 'Possession of weapons', 'Public order', 'Robbery', 'Shoplifting', 'Theft from the person',
        'Vehicle crime', 'Violence and sexual offences')),
    count(*) filter (where crime_type = 'Anti-social behaviour') - count(*) filter (where crime_id is null)
from {lines}"""


def main() -> None:
    """Print the tables of `check`: a good file, and one with a fault in each thousandth line."""
    options = bench.arguments(__doc__ or "")
    with bench.warehouse_of(options.work) as settings:
        for title, faulty_every in (("a good file", 0), ("a fault in each thousandth line, listed", 1000)):
            path = bench.make_file(options.work, options.lines, faulty_every)
            with landed(path, settings) as (load_id, connection):
                ways = [through_gx(load_id, connection, settings)]
                rows = bench.compare(by_hand(load_id, connection), ways, options.pairs, settings)
            bench.show(f"Checking {options.lines:,} lines: {title}", rows)


@contextlib.contextmanager
def landed(path: Path, settings: Settings):  # type: ignore[no-untyped-def]
    """Land a file; give its load and a connection of the loader's, whose session both sides use."""
    land.put_back(path, settings)
    inbox.sweep(settings)
    (load_id,) = loading.land_pending(bench.FORM, land.QUARTER, settings)
    form = load_forms(settings.returns)[bench.FORM]
    count = len(checks_of(form, settings.expectations))
    assert count == 20, f"{count} checks"
    with connect(settings, "loader") as connection:
        yield load_id, connection
    land.forget(settings)


def by_hand(load_id: int, connection: Connection) -> bench.Way:
    """The reference: one statement on the landed text, with as much memory for sorting as ours has."""

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute("set local work_mem = '96MB'; set local jit = off")
            lines = f"(select * from landing.street_crime where load_id = {load_id}) as line"
            cursor.execute(STATEMENT.format(lines=lines, number=NUMBER))
            cursor.fetchone()

    return bench.Way("one statement", run, connection.rollback)


def through_gx(load_id: int, connection: Connection, settings: Settings) -> bench.Way:
    """Ours, down to the verdict and the lines to mend; taken back afterwards, so that it can be done again."""
    form = load_forms(settings.returns)[bench.FORM]
    return bench.Way(
        "through GX to the verdict",
        lambda: judge_load(load_id, form, connection, settings.expectations),
        connection.rollback,
    )


if __name__ == "__main__":
    main()
