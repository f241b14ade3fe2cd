"""Warehouses with a past: one quarter released the project's own way, and the quarters after it repeating what it left.

Millions of rows take hours through reader and checks. So the first quarter's rows are repeated in the server, with the
loads, months and release of each later quarter: in landing (with a partition of its own for a large load), in the
ledger, in the fact of crimes (with the table that a large release has) and in the fact of measurements.
``ledger.publish_release`` publishes each. Every quarter is restated once, in a release after its own. Derived facts are
those of today for each release: more than the older ones left, never less. At the end all is vacuumed and analysed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from benchmarks import bench
from quarterday import inbox, loading, past, releasing, warehouse
from quarterday.calendar import FinancialQuarter
from quarterday.server import server_address
from quarterday.settings import Settings
from quarterday.warehouse import connect

CRIMES, FORCE, FIRST = "street_crime", "staffordshire_police", FinancialQuarter.of(date(2010, 4, 1))
# Of a quarter's lines: a large file of crimes, two small ones, and an indicator return.
SHARES = {"2010-04": 0.6, "2010-05": 0.075, "2010-06": 0.075}
INDICATOR, SENDER, MEASURE = "youth_asb", "force_performance", "youth_asb_incidents"
# What stands once for each load, without its periods, which move.
OF_A_LOAD = ("verdict", "plain_load", "check_result", "load_event")
WAITING = "create table public.waiting (kind text, load_id bigint primary key)"


def make_first_quarter(settings: Settings, work: Path, lines: int) -> None:
    """Take in and release the quarter that all others repeat, unless it is there."""
    if _one(settings, "select count(*) from ledger.release where published_at is not null"):
        return
    warehouse.migrate(settings)
    releasing.deploy_marts(settings, force=True)
    crimes = {month: int(lines * share) for month, share in SHARES.items()}
    for month, count in crimes.items():
        _take_in(_crimes_of(month, count, work), settings)
    with _owner(settings) as cursor:
        cursor.execute("update ledger.load set issued_on = %s", (_issued(0, 0),))
        _indicator_return(lines - sum(crimes.values()), cursor)
    release_id = releasing.begin(settings)
    assert release_id is not None, "the first quarter was not admitted"
    releasing.build_facts(release_id, settings)
    releasing.check_facts(release_id, settings)
    releasing.publish(release_id, settings)


def database(name: str, settings: Settings) -> Settings:
    """Return settings of a database of the same server, copied from the first quarter's when it is not there."""
    address = urlsplit(server_address(settings))
    own = replace(settings, home=settings.home / name, server_url=address._replace(path=f"/{name}").geturl())
    connection = psycopg2.connect(address._replace(path="/postgres").geturl())
    with contextlib.closing(connection), connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("select count(*) from pg_database where datname = %s", (name,))
        if cursor.fetchone() == (0,):
            template = address.path.lstrip("/")
            for statement in (
                "create database {name} template {template}",
                "grant connect, temporary on database {name} to quarterday_loader, quarterday_builder",
            ):
                names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
                cursor.execute(sql.SQL(statement).format(**names))
    return own


def repeat_quarters(settings: Settings, count: int, kinds: Sequence[str], landed: bool = True) -> dict[str, list[int]]:
    """Fill a warehouse up to so many releases of a quarter, and land the quarters that shall wait.

    Args:
        count: Releases in all, the first among them; each quarter has two, the second of which restates it.
        kinds: Of ``new`` (the quarter after the last) and ``restated`` (the last once more).
        landed: Without, nothing is landed and nothing waits: for who only reads.

    Returns:
        For each kind the loads that wait, as if rejected: :func:`admit` lets them in, :func:`take_back` undoes it.
    """
    if not _one(settings, "select to_regclass('public.waiting') is not null"):
        with _owner(settings) as cursor:
            cursor.execute(
                "set session_replication_role = replica"
            )  # keys to the dimensions hold: their rows are copies
            for turn in range(1, count):
                _release_copies(*divmod(turn, 2), cursor, landed)
            last = (count - 1) // 2
            cursor.execute(WAITING)
            for kind, quarter, version in (("new", last + 1, 0), ("restated", last, 2)) if landed else ():
                loads = _copy_loads(quarter, version, cursor)
                cursor.execute("insert into public.waiting select %s, unnest(%s)", (kind, list(loads.values())))
                _judge("rejected", list(loads.values()), cursor)
        _tidy(settings, "analyze")
        with _owner(settings) as cursor:
            _derive(cursor)
        _tidy(settings)
    with _owner(settings) as cursor:
        cursor.execute("select kind, array_agg(load_id order by load_id) from public.waiting group by kind")
        return {kind: loads for kind, loads in cursor.fetchall() if kind in kinds}


def admit(settings: Settings, loads: Sequence[int]) -> None:
    """Let loads that wait be released."""
    with _owner(settings) as cursor:
        _judge("admitted", loads, cursor)


def take_back(settings: Settings, loads: Sequence[int]) -> None:
    """Undo the release of loads as if it had never been; they wait again."""
    with _owner(settings) as cursor:
        cursor.execute("select distinct release_id from ledger.release_load where load_id = any(%s)", (loads,))
        ((release_id,),) = cursor.fetchall()
        names = {"release": release_id, "loads": list(loads)}
        for table in ("fct_measurement", "fct_recorded_crime", "fct_recorded_crime_count", "dim_crime_place"):
            cursor.execute(f"delete from only core.{table} where load_id = any(%(loads)s)", names)
        for table in past.DERIVED:
            cursor.execute(f"delete from core.{table} where release_id = %(release)s", names)
        cursor.execute(f"drop table if exists core.fct_recorded_crime_release_{release_id}")
        cursor.execute(_TAKE_BACK, names)
        cursor.execute("select ledger.renew_current(%(loads)s::bigint[])", names)
        _judge("rejected", loads, cursor)
    _tidy(settings)


_TAKE_BACK = """
    delete from ledger.publication where release_id = %(release)s;
    update ledger.publication set known = tstzrange(lower(known), null)
    where upper(known) = (select published_at from ledger.release where release_id = %(release)s);
    delete from ledger.load_event where load_id = any(%(loads)s) and event = 'released';
    delete from ledger.dbt_run where release_id = %(release)s;
    delete from ledger.suite_run where release_id = %(release)s;
    delete from ledger.fact_check_result where release_id = %(release)s;
    delete from ledger.release_load where release_id = %(release)s;
    delete from ledger.correction_note where release_id = %(release)s;
    delete from ledger.assessment where against_release_id = %(release)s;
    delete from ledger.release where release_id = %(release)s;
"""


def _crimes_of(month: str, lines: int, work: Path) -> Path:
    """Return a csv of one force and month: lines of the shared file, each made theirs."""
    source, path = bench.make_file(work, lines), work / f"{lines}-history" / f"{month}-staffordshire-street.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with source.open(encoding="utf-8") as old, path.open("w", encoding="utf-8") as new:
        for number, line in enumerate(old):
            cells = line.split(",", 3)
            new.write(line if number == 0 else f"{cells[0]},{month},Staffordshire Police,{cells[3]}")
    return path


def _take_in(path: Path, settings: Settings) -> None:
    """Take a file from the inbox to its verdict."""
    target = settings.inbox / FORCE / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    os.utime(target, (time.time() - 60,) * 2)
    inbox.sweep(settings)
    assert loading.land_pending(CRIMES, str(FIRST), settings), f"{path} was not landed"
    verdicts = loading.judge_pending(CRIMES, str(FIRST), settings)
    assert set(verdicts.values()) == {"admitted"}, verdicts


def _indicator_return(count: int, cursor: Cursor) -> None:
    """Land and admit a return of so many figures: a hundred areas, of each the whole and its parts."""
    cursor.execute(
        """insert into ledger.load (file_sha256, file_name, file_bytes, archive_path, partner_code, form,
            reporting_quarter, issued_on)
        values (repeat('0', 64), 'return', 1, 'return', %s, %s, %s, %s) returning load_id""",
        (SENDER, INDICATOR, str(FIRST), _issued(0, 0)),
    )
    ((load_id,),) = cursor.fetchall()
    names = {"load": load_id, "count": count, "measure": MEASURE, "start": FIRST.start, "end": FIRST.end}
    cursor.execute(
        f"""insert into landing.{INDICATOR} (load_id, sheet, line_number, column_number, column_name, measure_code,
            breakdown_code, area_code, period_type, period_start, period_end, value)
        select %(load)s, 'Sheet1', line + 1, 3, 'Number', %(measure)s,
            case when line <= 100 then 'all' else 'n_' || line / 100 end, areas.codes[1 + line %% 100],
            'financial_quarter', %(start)s::text, %(end)s::text, (line * 7919 %% 1000)::text
        from generate_series(1, %(count)s) as line
        cross join (select array_agg(area_code order by area_code) as codes from core.dim_area) as areas;
        insert into ledger.load_period values (%(load)s, 'financial_quarter', %(start)s, %(end)s);
        insert into ledger.verdict (load_id, verdict, line_count, quarantined_line_count, issue_count)
        values (%(load)s, 'admitted', %(count)s, 0, 0);
        insert into ledger.load_event (load_id, event)
        select %(load)s, unnest(array['registered', 'landed', 'admitted'])""",
        names,
    )


def _release_copies(quarter: int, version: int, cursor: Cursor, landed: bool) -> None:
    """Leave what the release of a later quarter leaves, but for its derived facts."""
    loads = _copy_loads(quarter, version, cursor, landed)
    cursor.execute(
        """insert into ledger.release (run_id, code_version, as_of, checked_loads)
        select run_id, code_version, as_of, %s from ledger.release where release_id = 1 returning release_id""",
        (sorted(loads.values()),),
    )
    ((release_id,),) = cursor.fetchall()
    cursor.execute("insert into ledger.release_load select %s, unnest(%s)", (release_id, sorted(loads.values())))
    of_release = {"release_id": str(release_id)}
    _copy_rows("ledger.dbt_run", of_release, "release_id = 1", cursor)
    _copy_facts(loads, release_id, quarter, cursor)
    if version:  # it says what was said before, so no rule asks anything
        cursor.execute(
            """insert into ledger.assessment
                (load_id, against_release_id, digest, restated_count, rules, approvers, told)
            select load_id, newest.release_id, repeat('0', 64), 0, '{}', '{}', ''
            from unnest(%s) as load_id
            cross join (
                select release_id from ledger.release
                where published_at is not null order by published_at desc, release_id desc limit 1
            ) as newest""",
            (sorted(loads.values()),),
        )
    cursor.execute("select ledger.publish_release(%s)", (release_id,))


def _copy_loads(quarter: int, version: int, cursor: Cursor, landed: bool = True) -> dict[int, int]:
    """Land and admit the first quarter's returns once more, as a later quarter's; return the new load of each old."""
    cursor.execute("select load_id from ledger.release_load where release_id = 1 order by load_id")
    loads = {}
    for (old,) in cursor.fetchall():
        moved = {
            "file_sha256": "encode(sha256(random()::text::bytea), 'hex')",
            "reporting_quarter": f"'{FIRST.shift(quarter)}'",
            "issued_on": f"date '{_issued(quarter, version)}'",
        }
        _copy_rows("ledger.load", moved, f"load_id = {old}", cursor)
        cursor.execute("select max(load_id) from ledger.load")
        ((loads[old],),) = cursor.fetchall()
        _copy_load(old, loads[old], quarter, cursor)
        if landed:
            _copy_landed(old, loads[old], quarter, cursor)
    return loads


def _copy_load(old: int, new: int, quarter: int, cursor: Cursor) -> None:
    """Copy what stands of one load in the ledger."""
    load, of_old = {"load_id": str(new)}, f"load_id = {old}"
    for table in OF_A_LOAD:
        _copy_rows(
            f"ledger.{table}", load, of_old + (" and event <> 'released'" if table == "load_event" else ""), cursor
        )
    _copy_rows("ledger.load_period", load | _moved(quarter), of_old, cursor)


def _copy_landed(old: int, new: int, quarter: int, cursor: Cursor) -> None:
    """Copy the lines of one load in landing."""
    load, of_old = {"load_id": str(new)}, f"load_id = {old}"
    moved = _moved(quarter, "::date", "::text")
    _copy_rows(f"landing.{INDICATOR}", load | moved, of_old, cursor)
    crimes = load | {"month": f"to_char(to_date(month, 'YYYY-MM') + interval '{quarter * 3} months', 'YYYY-MM')"}
    cursor.execute("select to_regclass(%s)", (f"landing.{CRIMES}_load_{old}",))
    if cursor.fetchone() == (None,):
        _copy_rows(f"landing.{CRIMES}", crimes, of_old, cursor)
        return
    cursor.execute("select landing.open_load(%s, %s)", (CRIMES, new))
    _copy_rows(f"landing.{CRIMES}_load_{old}", crimes, of_old, cursor, f"landing.{CRIMES}_load_{new}")
    cursor.execute("select landing.close_load(%s, %s)", (CRIMES, new))


def _copy_facts(loads: Mapping[int, int], release_id: int, quarter: int, cursor: Cursor) -> None:
    """Copy the facts of the first release's loads, the crimes into a table of the release's own."""
    cases = " ".join(f"when {old} then {new}" for old, new in loads.items())
    load, of_first = {"load_id": f"case load_id {cases} end"}, f"load_id in ({', '.join(map(str, loads))})"
    quarter_key = {"period_key": f"'{FIRST.shift(quarter)}'"}
    moved = load | _moved(quarter) | quarter_key
    _copy_rows("core.fct_measurement", moved, of_first, cursor)
    own, first = (f"core.fct_recorded_crime_release_{number}" for number in (release_id, 1))
    cursor.execute(
        f"""create table {own} (
            like {first},
            constraint loads_of_release check (load_id = any(%s::bigint[])),
            constraint quarters_of_release check (period_key = '{FIRST.shift(quarter)}')
        );
        alter table {own} owner to quarterday_builder;
        alter table {own} inherit core.fct_recorded_crime;
        select ledger.describe_loads('{own}')""",
        (f"{{{','.join(map(str, loads.values()))}}}",),
    )
    _copy_rows(first, load | quarter_key, "true", cursor, own)
    cursor.execute(f"create index on {own} (load_id, area_code)")
    _copy_rows("core.dim_crime_place", load, of_first, cursor)
    _copy_rows("core.fct_recorded_crime_count", load, of_first, cursor)


def _derive(cursor: Cursor) -> None:
    """Write derived facts as of now for every release: more than the older ones left, never less."""
    cursor.execute(
        "insert into ledger.release (code_version, as_of) values ('none', current_date) returning release_id"
    )
    ((open_release,),) = cursor.fetchall()
    for table in past.DERIVED:
        _copy_rows(f"core.int_{table}", {}, "true", cursor, f"core.{table}")
        cursor.execute(f"delete from core.{table} where release_id <> %s", (open_release,))
    cursor.execute("select release_id from ledger.release where published_at is not null")
    for (release_id,) in cursor.fetchall():
        for table in past.DERIVED:
            _copy_rows(f"core.{table}", {"release_id": str(release_id)}, f"release_id = {open_release}", cursor)
    for table in past.DERIVED:
        cursor.execute(f"delete from core.{table} where release_id = %s", (open_release,))
        cursor.execute(f"analyze core.{table}")
    cursor.execute("delete from ledger.release where release_id = %s", (open_release,))
    cursor.execute("select ledger.renew_current('{}')")


def _copy_rows(source: str, changes: Mapping[str, str], where: str, cursor: Cursor, target: str | None = None) -> None:
    """Insert rows of a relation again, with some columns made otherwise."""
    cursor.execute(
        """select attname from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped and attidentity = '' order by attnum""",
        (target or source,),
    )
    columns = [name for (name,) in cursor.fetchall()]
    names, values = ", ".join(columns), ", ".join(changes.get(name, name) for name in columns)
    cursor.execute(f"insert into {target or source} ({names}) select {values} from {source} where {where}")


def _moved(quarter: int, before: str = "", after: str = "") -> dict[str, str]:
    """Return the dates of a period so many quarters later."""
    later = f"interval '{quarter * 3} months'"
    return {
        "period_start": f"(period_start{before} + {later})::date{after}",
        "period_end": f"(period_end{before} + 1 + {later} - interval '1 day')::date{after}",
    }


def _judge(verdict: str, loads: Sequence[int], cursor: Cursor) -> None:
    cursor.execute("update ledger.verdict set verdict = %s where load_id = any(%s)", (verdict, list(loads)))


def _issued(quarter: int, version: int) -> date:
    """Return the day on which a quarter's returns are issued: the day after its end; a later version, a day later."""
    return FIRST.shift(quarter + 1).start.replace(day=1 + version)


def _tidy(settings: Settings, options: str = "") -> None:
    """Do what automatic vacuum would have done."""
    with contextlib.closing(bench.owner(settings)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"vacuum ({options})" if options else "vacuum")


@contextmanager
def _owner(settings: Settings) -> Iterator[Cursor]:
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        yield cursor


def _one(settings: Settings, question: str) -> bool:
    """Return whether a question is answered with true, or a number above nought."""
    with _owner(settings) as cursor:
        cursor.execute(question)
        (answer,) = cursor.fetchone() or (False,)
        return bool(answer)
