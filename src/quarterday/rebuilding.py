"""Makes the whole warehouse again, in an empty database, from the archive and the ledger.

The ledger is restored as it was, with its numbers and times. Every archived file is landed again under its own load.
The facts of all loads are built at once; the facts that are worked out for each release are worked out again release by
release, from the ledger as it stood when that release was built. What the ledger says is not judged anew but held
against what is found: files by their hashes, lines by their number, facts by the checks on facts, and at the end every
mart and the history by their checksums.

A rebuild that was cut off goes on where it was: the schema ``rebuilding`` of the new database says how far it came.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday import releasing, server, warehouse
from quarterday.archiving import safe_name
from quarterday.checking import facts
from quarterday.checksums import differences, read_checksums
from quarterday.contracts import load_forms
from quarterday.dbt import run_dbt
from quarterday.errors import OperatorError, QuarterdayError, ReturnRejected
from quarterday.exporting import LedgerExport, export_ledger, open_export, sequence_of
from quarterday.identifying import identify
from quarterday.landing import land_return
from quarterday.past import DERIVED, definitions, moved
from quarterday.settings import Settings, server_address
from quarterday.verifying import SHOWN, Kept, problems_of
from quarterday.warehouse import connect

Tell = Callable[[str], None]

REBUILD_LOCK = "quarterday.rebuild"
# Below the rebuild's home: the running warehouse's ledger, taken when the rebuild began.
OWN_EXPORT = "ledger.zip"
SCHEMA = "rebuilding"
# A release that brings in every load ever released, while the facts of all are built. Real ones are counted from 1.
ALL_LOADS = 0
# Derived facts, and the views that show them, are made when no release is open, and so stay empty at first.
OF_A_RELEASE = tuple(f"int_{name}+" for name in DERIVED)
# What the ledger's columns said when the release at hand was built, in sql/rebuild/as_built.sql.
IF_BEFORE = "case when release.release_id <> release_at_hand.release_id then release.published_at end"
KNOWN_THEN = """tstzrange(
    lower(publication.known),
    case when upper(publication.known) < release_at_hand.published_at then upper(publication.known) end
)"""
CURRENT_THEN = f"upper_inf({KNOWN_THEN}) and upper_inf(publication.issued)"
BUILD_REST = ("run", "--select", *OF_A_RELEASE, *releasing.LEAN)
BUILD_FACTS = (
    "build",
    "--exclude-resource-type",
    "unit_test",
    "test",
    "--exclude",
    *OF_A_RELEASE,
    *releasing.LEAN,
)


class RebuildDiffers(QuarterdayError):
    """What was rebuilt is not what was there; the message says what, and where to look."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild made: loads landed, releases worked out again, relations found to be the same."""

    database: str
    loads: int
    releases: int
    relations: int
    unlike: tuple[str, ...] = ()


def rebuild(into: str, settings: Settings, ledger: Path | None = None, tell: Tell = lambda step: None) -> Rebuilt:
    """Make the whole warehouse again in an empty database, or go on with a rebuild that was cut off.

    Args:
        into: A database's URL, or the name of one on the warehouse's server; made if it is missing.
        settings: Of the warehouse whose archive it is.
        ledger: An export of the ledger; without one, the running warehouse's is taken as it is now.
        tell: Is told each step.

    Returns:
        What was made; ``unlike`` names relations that are not as the export says.

    Raises:
        OperatorError: The database is not empty, another rebuild writes to it, or the ledger can't be read.
            Nothing was changed.
        RebuildDiffers: An archived file is missing or changed (nothing was written), or a load is not read as the
            ledger says; what was written stays, and the same call goes on.
        FactsDoNotAgree: A check on the facts failed.
    """
    url = _url(into, settings)
    name = urlsplit(url).path.lstrip("/")
    target = replace(settings, home=settings.home / "rebuild" / safe_name(name), server_url=url)
    _refuse_full(target, settings)
    server.make_database(url)
    with _only_one(target):
        tell("reading the ledger")
        export = _ledger(target, settings, ledger)
        tell("holding the archive against the ledger")
        check_archive(export, settings.archive)
        _mark(target, export)
        made = _make(target, export, tell)
    if not made.unlike:
        shutil.rmtree(target.home / "dbt", ignore_errors=True)
        if ledger is None:
            (target.home / OWN_EXPORT).unlink(missing_ok=True)
    return made


def check_archive(export: LedgerExport, archive: Path) -> None:
    """Check that the archive has every file of the ledger, byte for byte.

    Raises:
        RebuildDiffers: It has not; the first are named.
    """
    rows = ((row["load_id"], row["file_name"], row["archive_path"], row["file_sha256"]) for row in export.rows("load"))
    wrong = problems_of(archive, map(Kept._make, rows))
    if wrong:
        more = [f"  and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise RebuildDiffers(
            "\n".join(
                [f"The archive {archive} is not what the ledger says. Nothing was written."]
                + [f"  {problem}" for problem in wrong[:SHOWN]]
                + more
                + ["Put the files back from a copy of the archive, and rebuild again."]
            )
        )


def _url(into: str, settings: Settings) -> str:
    if "://" in into:
        return into
    return urlsplit(server_address(settings))._replace(path=f"/{into}").geturl()


def _refuse_full(target: Settings, settings: Settings) -> None:
    """Refuse a database with anything in it but a rebuild that was cut off; one that isn't there is empty."""
    try:
        with server.connect(target.server_url or "") as connection, connection.cursor() as cursor:
            found, own = _contents(cursor), _identity(cursor)
    except OperatorError as error:
        if "does not exist" in str(error):
            return
        raise
    if not found:
        return
    is_live = own == _live_identity(settings)
    what = "is the running warehouse" if is_live else f"is not empty: it has {', '.join(found[:3])}"
    raise OperatorError(
        f"The database '{own[1]}' {what}. Nothing was changed: a warehouse is rebuilt into an empty database only. "
        "Name one that isn't there yet; it is made."
    )


def _contents(cursor: Cursor) -> list[str]:
    """Return what stands in a database, unless all of it is an unfinished rebuild's."""
    cursor.execute("select to_regnamespace(%s) is not null", (SCHEMA,))
    (is_unfinished,) = cursor.fetchone() or (False,)
    if is_unfinished:
        return []
    cursor.execute(
        """select namespace.nspname || '.' || relation.relname
        from pg_catalog.pg_class as relation
        join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
        where namespace.nspname !~ '^pg_' and namespace.nspname <> 'information_schema'
            and not exists (
                select 1 from pg_catalog.pg_depend where objid = relation.oid and deptype = 'e'
            )
        union all
        select 'the schema ' || nspname
        from pg_catalog.pg_namespace
        where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
            and not exists (
                select 1 from pg_catalog.pg_depend where objid = pg_namespace.oid and deptype = 'e'
            )
        order by 1"""
    )
    return [name for (name,) in cursor.fetchall()]


def _identity(cursor: Cursor) -> tuple[int, str]:
    cursor.execute("select (select system_identifier from pg_control_system()), current_database()")
    identifier, name = cursor.fetchone() or (0, "")
    return int(identifier), str(name)


def _live_identity(settings: Settings) -> tuple[int, str] | None:
    try:
        with server.connect(server_address(settings)) as connection, connection.cursor() as cursor:
            return _identity(cursor)
    except OperatorError:
        return None


@contextmanager
def _only_one(target: Settings) -> Iterator[None]:
    """Hold a database for this rebuild; PostgreSQL lets it go if this process dies."""
    with server.connect(target.server_url or "") as connection, connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtext(%s))", (REBUILD_LOCK,))
        if (cursor.fetchone() or (False,)) != (True,):
            raise OperatorError("Another rebuild writes to this database now. Wait for it, or name another database.")
        yield


def _ledger(target: Settings, settings: Settings, given: Path | None) -> LedgerExport:
    """Return the ledger to rebuild from: the given one, that of the rebuild that was cut off, or today's."""
    begun = _begun(target)
    if begun is None:
        if given is None:
            return export_ledger(target.home / OWN_EXPORT, settings)
        return open_export(given.absolute())
    export = open_export(given.absolute() if given else Path(begun["path"]))
    if export.sha256 != begun["sha256"]:
        raise OperatorError(
            f"This database holds a rebuild, cut off, from another ledger ({begun['path']}) than {export.path}. "
            "Nothing was changed. Go on with that one, or name another database."
        )
    return export


def _begun(target: Settings) -> dict[str, Any] | None:
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", (f"{SCHEMA}.step",))
        if (cursor.fetchone() or (False,)) != (True,):
            return None
        cursor.execute(f"select detail from {SCHEMA}.step where step = 'begun'")
        (detail,) = cursor.fetchone() or (None,)
        return dict(detail) if detail else None


def _mark(target: Settings, export: LedgerExport) -> None:
    """Make the schema that tells how far a rebuild has come: the first thing that is written."""
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("set local client_min_messages = warning")
        cursor.execute(f"create schema if not exists {SCHEMA}")
        cursor.execute(f"create table if not exists {SCHEMA}.step (step text primary key, detail jsonb)")
        cursor.execute(
            f"insert into {SCHEMA}.step values ('begun', %s) on conflict do nothing",
            (json.dumps({"path": str(export.path), "sha256": export.sha256}),),
        )


def _make(target: Settings, export: LedgerExport, tell: Tell) -> Rebuilt:
    _restore_ledger(target, export, tell)
    loads = _land_all(target, tell)
    _build_facts(target, tell)
    releases = _work_out_releases(target, tell)
    tell("holding the marts and the history against the ledger's checksums")
    unlike = _compare(target, export)
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("set local client_min_messages = warning")
        cursor.execute(f"drop schema {SCHEMA} cascade")
    name = urlsplit(target.server_url or "").path.lstrip("/")
    return Rebuilt(name, loads, releases, len(export.checksums), tuple(unlike))


@contextmanager
def _step(name: str, target: Settings, role: str = "owner") -> Iterator[Cursor | None]:
    """Give a cursor whose transaction ends with the note that a step is done; None if it was done before."""
    with connect(target, role) as connection, connection.cursor() as cursor:
        if _is_done(name, cursor):
            yield None
            return
        yield cursor
        cursor.execute(f"insert into {SCHEMA}.step (step) values (%s)", (name,))


def _was_done(name: str, target: Settings) -> bool:
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        return _is_done(name, cursor)


def _is_done(name: str, cursor: Cursor) -> bool:
    cursor.execute(f"select 1 from {SCHEMA}.step where step = %s", (name,))
    return cursor.fetchone() is not None


def _restore_ledger(target: Settings, export: LedgerExport, tell: Tell) -> None:
    if not _was_done("ledger", target):
        tell("making schemas and tables")
        warehouse.migrate(target)
        tell("restoring the ledger")
        with _step("ledger", target) as cursor:
            if cursor:
                _restore(export, cursor)
    if not _was_done("views", target):
        warehouse.migrate(target)  # typed views depend on the corrections that the ledger tells of
        with _step("views", target):
            pass


def _restore(export: LedgerExport, cursor: Cursor) -> None:
    """Fill every table of the ledger with what the export has of it, numbers and times included."""
    order = _in_order_of_references(cursor)
    if unknown := sorted(set(export.tables) - set(order)):
        raise OperatorError(
            f"{export.path} has tables of the ledger that this code doesn't know: {', '.join(unknown)}. It was written "
            f"by the code {export.code_version}; rebuild with that. Nothing was restored."
        )
    tables = sql.SQL(", ").join(sql.Identifier("ledger", name) for name in order)
    cursor.execute(sql.SQL("truncate {}").format(tables))
    for name in order:
        if name in export.tables:
            _restore_table(name, export, cursor)
    # Its facts are built and checked anew before it can be published.
    cursor.execute("update ledger.release set checked_loads = null where published_at is null")
    cursor.execute(sql.SQL("analyze {}").format(tables))
    cursor.execute(f"grant usage, create on schema {SCHEMA} to quarterday_builder")
    cursor.execute(f"grant usage on schema {SCHEMA} to quarterday_loader")
    cursor.execute(f"grant select, insert on {SCHEMA}.step to quarterday_loader, quarterday_builder")


def _restore_table(name: str, export: LedgerExport, cursor: Cursor) -> None:
    table = sql.Identifier("ledger", name)
    # What a trigger would do has been done, and is in the export.
    cursor.execute(sql.SQL("alter table {} disable trigger user").format(table))
    rows = export.copy_into(name, cursor)
    cursor.execute(sql.SQL("alter table {} enable trigger user").format(table))
    if rows != export.tables[name].rows:
        raise RebuildDiffers(f"ledger.{name}: {export.tables[name].rows} rows were exported, {rows} restored.")
    for column, last in export.tables[name].numbers.items():
        sequence = sequence_of(name, column, cursor)
        if sequence and last:
            cursor.execute("select setval(%s, %s)", (sequence, last))


def _in_order_of_references(cursor: Cursor) -> list[str]:
    """Return the tables of the ledger, each after those that it refers to."""
    cursor.execute(
        """select relation.relname, array_remove(array_agg(distinct referred.relname::text), null)
        from pg_catalog.pg_class as relation
        left join pg_catalog.pg_constraint as reference
            on reference.conrelid = relation.oid and reference.contype = 'f' and reference.confrelid <> relation.oid
        left join pg_catalog.pg_class as referred on referred.oid = reference.confrelid
        where relation.relnamespace = 'ledger'::regnamespace and relation.relkind in ('r', 'p')
            and not relation.relispartition
        group by relation.relname"""
    )
    return list(TopologicalSorter({name: set(referred) for name, referred in cursor.fetchall()}).static_order())


def _land_all(target: Settings, tell: Tell) -> int:
    """Land every load again that had been landed, each in its own transaction; return how many there are."""
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """select load.load_id, load.archive_path, load.partner_code, landed.detail
            from ledger.load
            join lateral (
                select detail from ledger.load_event
                where load_event.load_id = load.load_id and event = 'landed' order by load_event_id desc limit 1
            ) as landed on true
            order by load.load_id"""
        )
        loads = cursor.fetchall()
    forms = load_forms(target.returns)
    with connect(target, "loader") as connection, connection.cursor() as cursor:
        for number, (load_id, path, partner_code, told) in enumerate(loads, start=1):
            tell(f"landing load {load_id} ({number} of {len(loads)})")
            if _is_done(f"load {load_id}", cursor):
                continue
            found = _land(load_id, target.archive / path, partner_code, forms, connection)
            if found != told:
                raise RebuildDiffers(
                    f"Load {load_id} {path}: the ledger says that {told} were landed, and now there are {found}. The "
                    "code reads the file otherwise than it did: rebuild with the code of the time, or find the change."
                )
            cursor.execute(f"insert into {SCHEMA}.step (step) values (%s)", (f"load {load_id}",))
            connection.commit()
    return len(loads)


def _land(load_id: int, path: Path, partner_code: str, forms: dict[str, Any], connection: Connection) -> str:
    """Land a load; return what its event said when it was landed first."""
    try:
        identity = identify(path, partner_code, forms)
        return f"{land_return(path, forms[identity.form], identity, load_id, connection)} lines"
    except ReturnRejected as rejection:
        raise RebuildDiffers(
            f"Load {load_id} was read when it came, and now it is not. The code has changed: rebuild with the code "
            f"of the time, or find the change.\n{rejection}"
        ) from rejection


def _build_facts(target: Settings, tell: Tell) -> None:
    """Build the facts of every load that was ever released, as those of one release, and check them."""
    if _was_done("facts", target):
        return
    tell("building the facts of all loads")
    with _one_release_of_all(target):
        run_dbt(BUILD_FACTS, target)
        tell("checking the facts of all loads")
        with connect(target, "builder") as connection:
            facts.check_facts(ALL_LOADS, connection, target.expectations)
    tell("making the marts")
    run_dbt(BUILD_REST, target)
    with _step("facts", target):
        pass


@contextmanager
def _one_release_of_all(target: Settings) -> Iterator[None]:
    """Have one release open that holds all loads ever released; the one that was open, if any, waits meanwhile."""
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        _end_release_of_all(cursor)
        cursor.execute(
            f"""insert into {SCHEMA}.step (step, detail)
            select 'open release', to_jsonb(release_id) from ledger.release where published_at is null
            on conflict do nothing"""
        )
        cursor.execute("update ledger.release set published_at = 'infinity' where published_at is null")
        cursor.execute(
            """insert into ledger.release (release_id, code_version, reason, as_of)
            overriding system value
            select %s, '', 'rebuild', coalesce(max(as_of), current_date) from ledger.release""",
            (ALL_LOADS,),
        )
        cursor.execute(
            """insert into ledger.release_load (release_id, load_id)
            select distinct %s, release_load.load_id from ledger.release_load
            join ledger.release using (release_id) where published_at < 'infinity'""",
            (ALL_LOADS,),
        )
    yield
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        _end_release_of_all(cursor)


def _end_release_of_all(cursor: Cursor) -> None:
    for table in ("dbt_run", "release_load", "release"):
        cursor.execute(f"delete from ledger.{table} where release_id = %s", (ALL_LOADS,))
    cursor.execute("update ledger.release set published_at = null where published_at = 'infinity'")


def _work_out_releases(target: Settings, tell: Tell) -> int:
    """Work out the derived facts of each published release again, in their order; return how many there are."""
    _analyze(target)
    with connect(target, "builder") as connection, connection.cursor() as cursor:
        _make_views_as_built(cursor)
        cursor.execute(
            """select release_id, coalesce(reckoned_at, started_at), published_at from ledger.release
            where published_at is not null order by published_at, release_id"""
        )
        releases = cursor.fetchall()
    for number, release in enumerate(releases, start=1):
        tell(f"working out release {release[0]} ({number} of {len(releases)})")
        with _step(f"release {release[0]}", target, "builder") as done:
            if done:
                _work_out(release, done)
    with connect(target, "builder") as connection, connection.cursor() as cursor:
        cursor.execute("select ledger.renew_current('{}')")  # what the newest release says, for readers
    return len(releases)


def _analyze(target: Settings) -> None:
    for role, schema in (("owner", "ledger"), ("builder", "core")):
        with connect(target, role) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select tablename from pg_catalog.pg_tables where schemaname = %s and tableowner = current_user",
                (schema,),
            )
            for (name,) in cursor.fetchall():
                cursor.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, name)))


def _make_views_as_built(cursor: Cursor) -> None:
    """Make the views of the derived facts again, over the ledger as it stood when one release was built."""
    cursor.execute(f"drop table if exists {SCHEMA}.release_at_hand, {SCHEMA}.planned cascade")
    cursor.execute("set local search_path = ''")
    text = (resources.files("quarterday") / "sql" / "rebuild" / "as_built.sql").read_text(encoding="utf-8")
    cursor.execute(
        sql.SQL(text).format(
            release_columns=_columns("release", {"published_at": IF_BEFORE}, cursor),
            publication_columns=_columns("publication", {"known": KNOWN_THEN, "is_current": CURRENT_THEN}, cursor),
        )
    )
    places = {("ledger", name): SCHEMA for name in ("release", "release_load", "publication", "expected_return")}
    places[("ledger", "plan_publication")] = SCHEMA
    for name, select in definitions(cursor, "core").items():
        if name.removeprefix("int_") in DERIVED:
            cursor.execute(
                sql.SQL("create view {} as ").format(sql.Identifier(SCHEMA, name)).as_string(cursor)
                + moved(select, places)
            )


def _columns(table: str, instead: dict[str, str], cursor: Cursor) -> sql.SQL:
    """Return a select list of all columns of a table of the ledger, some of them worked out."""
    cursor.execute(
        """select attname from pg_catalog.pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum""",
        (f"ledger.{table}",),
    )
    names = [name for (name,) in cursor.fetchall()]
    return sql.SQL(", ".join(f"{instead.get(name, f'{table}.{name}')} as {name}" for name in names))


def _work_out(release: tuple[Any, ...], cursor: Cursor) -> None:
    """Fill the derived facts of one release, from what it published."""
    cursor.execute("set local jit = off")
    cursor.execute(f"delete from {SCHEMA}.release_at_hand")
    cursor.execute(f"insert into {SCHEMA}.release_at_hand values (%s, %s, %s)", release)
    cursor.execute(f"truncate {SCHEMA}.planned")
    cursor.execute(f"insert into {SCHEMA}.planned select * from {SCHEMA}.published")
    cursor.execute(f"analyze {SCHEMA}.planned")
    for name in _derived_in_order(cursor):
        columns = sql.SQL(", ").join(map(sql.Identifier, _columns_of_view(f"int_{name}", cursor)))
        cursor.execute(sql.SQL("delete from core.{} where release_id = %s").format(sql.Identifier(name)), (release[0],))
        cursor.execute(
            sql.SQL("insert into core.{} ({columns}) select {columns} from {}").format(
                sql.Identifier(name), sql.Identifier(SCHEMA, f"int_{name}"), columns=columns
            )
        )


def _derived_in_order(cursor: Cursor) -> list[str]:
    """Return the derived facts, each after those that its view reads."""
    views = definitions(cursor, "core")
    return list(
        TopologicalSorter(
            {
                name: {other for other in DERIVED if other != name and f"core.{other} " in f"{views[f'int_{name}']} "}
                for name in DERIVED
            }
        ).static_order()
    )


def _columns_of_view(name: str, cursor: Cursor) -> list[str]:
    cursor.execute(sql.SQL("select * from {} limit 0").format(sql.Identifier(SCHEMA, name)))
    return [column.name for column in cursor.description or ()]


def _compare(target: Settings, export: LedgerExport) -> list[str]:
    with connect(target, "owner") as connection, connection.cursor() as cursor:
        return differences(export.checksums, read_checksums(cursor, day=export.day))
