"""From admitted returns to what readers see: open a release, build it with dbt, check it, publish it at one stroke.

A release that was cut off is taken up again: there is at most one that is open, and building it twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from quarterday.checking import facts
from quarterday.dbt import DbtFailed, NodeResult, run_dbt
from quarterday.ledger import hold_release
from quarterday.recording.suite_runs import record_facts
from quarterday.recording.watching import about_release, tell_release
from quarterday.reference import PARTNERS_FILE
from quarterday.restating import noting, signing_off
from quarterday.settings import Settings
from quarterday.versioning import code_version
from quarterday.warehouse import connect

ARRIVING = "10 minutes"
ATTEMPTS = 3
LOCK_TIMEOUT = "5s"
CLEARED = ("free", "approved")
# Nobody reads dbt's own records of a release (ledger.dbt_run keeps each node's result), and what it writes is in one
# schema: writing the manifest twice and asking for every relation took longer than any model.
LEAN = ("--no-write-json", "--cache-selected-only", "--log-level-file", "info")
RELEASE_BUILD = ("build", "--select", "tag:release", "--exclude-resource-type", "unit_test", *LEAN)
DEPLOY = ("build", "--exclude-resource-type", "unit_test")
# Below the dbt project: a folder for each form whose lines alone some facts are made of.
OF_FORM = Path("models", "core", "facts", "of_form")


def begin(settings: Settings, run_id: str | None = None, wait_for_arriving: bool = False) -> int | None:
    """Open a release for what is admitted and not released; see :func:`open_release`.

    What restates is first held against what readers see now; what needs a named person's approval is left out and held.
    """
    release_id = None
    # While another release is published in between, what it changed has to be looked at again.
    for _ in range(ATTEMPTS):
        signing_off.assess_pending(settings)
        with connect(settings, "builder") as connection:
            release_id = open_release(connection, run_id, wait_for_arriving)
        if not signing_off.waiting_loads("to assess", settings):
            break
    return release_id


def open_release(connection: Connection, run_id: str | None = None, wait_for_arriving: bool = False) -> int | None:
    """Open a release of every admitted load that no published release has, or take up the one that is open.

    Loads that wait for a named person's approval, or have not been assessed, stay out of it.

    Args:
        connection: The builder's; one transaction, committed by the caller.
        run_id: What asked for the release.
        wait_for_arriving: Answer None while a return registered in the last ten minutes has no verdict and nothing
            older waits: its own verdict will ask for the release, which then brings in both.

    Returns:
        The release's id, or None when there is nothing to release now.
    """
    with connection.cursor() as cursor:
        hold_release(connection)
        release_id = open_release_id(cursor)
        if release_id is not None and withdraws(cursor, release_id):
            reckon_for_today(cursor, release_id)  # no return joins a release that takes another back
            return release_id
        pending = pending_loads(cursor)
        if not pending:
            _empty(cursor, release_id)
            return None
        if wait_for_arriving and _may_wait(cursor, pending):
            return None
        release_id = release_id or _new_release(cursor, run_id)
        reckon_for_today(cursor, release_id)
        _empty(cursor, release_id)
        execute_values(
            cursor,
            "insert into ledger.release_load (release_id, load_id) values %s",
            [(release_id, load_id) for load_id in pending],
        )
    return release_id


@about_release
def build_facts(release_id: int, settings: Settings) -> int:
    """Build a release's facts into ``core`` and test them, unseen; returns the number of fact rows written.

    dbt builds the release that is open, and there is at most one. What each node did is kept in ``ledger.dbt_run``.
    A published release is left as it is.

    Raises:
        DbtFailed: A model or a test failed. Nothing was published.
    """
    if is_published(release_id, settings):
        return 0
    results = _build_what_it_holds(release_id, settings)
    return sum(result.row_count or 0 for result in results if result.node_id.startswith("model.quarterday.fct_"))


@about_release
def check_facts(release_id: int, settings: Settings) -> int:
    """Check with Great Expectations that a release's facts are what was admitted; returns the number of checks passed.

    The loads that were checked are noted; the release can be published only while it holds exactly these. One that
    restates something gets its draft correction note.

    Raises:
        FactsDoNotAgree: A check failed. Nothing was published.
        CheckCouldNotRun: A check could not be run.
    """
    if is_published(release_id, settings):
        return 0
    note = noting.draft_note(release_id, settings)
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        loads = loads_of(cursor, release_id)
        examined = facts.examine_facts(release_id, connection, settings.expectations)
        record_facts(release_id, examined.checks, examined.ran, cursor)
        if not examined.failed:
            cursor.execute(
                "update ledger.release set checked_loads = %s where release_id = %s and published_at is null",
                (loads, release_id),
            )
            if cursor.rowcount == 0:
                return 0  # published meanwhile, by another that had it in hand
            noting.keep_note(release_id, note, cursor)
    examined.refuse_failed()
    if note is not None:
        noting.write_note(note, settings)
    return len(examined.checks)


@about_release
def publish(release_id: int, settings: Settings) -> int:
    """Publish a release in one short transaction; returns the number of publication rows written, 0 the second time.

    Raises:
        psycopg2.errors.LockNotAvailable: Another publication held on for longer than five seconds; try again.
        psycopg2.errors.ObjectNotInPrerequisiteState: A load joined or left after the facts were checked, or one lacks
            an approval that it needs; begin and build again.
    """
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute("select ledger.publish_release(%s)", (release_id,))
        (written,) = cursor.fetchone() or (0,)
        if written:
            tell_release(release_id, cursor)
        return int(written)


def deploy_marts(settings: Settings, force: bool = False) -> bool:
    """Bring reference data, empty facts, ``mart`` and ``history`` up to the code; returns whether anything was to do.

    Run when the code changes, never by a load or a release: views are replaced here and nowhere else.

    Raises:
        DbtFailed: A seed, model or test failed; the next call tries again.
    """
    checksum = project_checksum(settings)
    note = settings.home / "dbt" / "deployed"
    if not force and note.exists() and note.read_text() == f"{_database_id(settings)} {checksum}":
        return False
    run_dbt(DEPLOY, settings)
    note.write_text(f"{_database_id(settings)} {checksum}")
    return True


def write_docs(settings: Settings) -> Path:
    """Write the data dictionary and lineage of the deployed project as one page that needs nothing beside it.

    Returns:
        Where the page is, below the home.

    Raises:
        DbtFailed: The project could not be read or the warehouse could not be asked.
    """
    run_dbt(("docs", "generate", "--static"), settings)
    return settings.home / "dbt" / "target" / "static_index.html"


def project_checksum(settings: Settings) -> str:
    """Return a SHA-256 over every file of the dbt project that says what it builds, and the list of partners."""
    digest = hashlib.sha256()
    for path in (*_project_files(settings.dbt_project), settings.returns / PARTNERS_FILE):
        digest.update(str(path.relative_to(settings.project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_published(release_id: int, settings: Settings) -> bool:
    """Return whether readers see the release."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute("select published_at is not null from ledger.release where release_id = %s", (release_id,))
        row = cursor.fetchone()
        return bool(row and row[0])


def _build_what_it_holds(release_id: int, settings: Settings) -> list[NodeResult]:
    """Build a release; once more where a return joined it or left it meanwhile, which would be in some facts alone."""
    while True:
        held = _loads_now(release_id, settings)
        try:
            results = run_dbt(words_of_build(_forms_of(release_id, settings), settings.dbt_project), settings)
        except DbtFailed as error:
            _note_run(release_id, error.results, settings)
            raise
        _note_run(release_id, results, settings)
        if _loads_now(release_id, settings) == held:
            return results


def words_of_build(forms: Collection[str], project: Path) -> tuple[str, ...]:
    """Return dbt's words that build a release of returns of these forms.

    Facts that are made of one form's lines alone stand in a folder of its name, and a release that brings none of it
    leaves them out: there is nothing to build, and asking each of them took longer than most facts. What a warehouse
    has published before such a fact was there, the fact is given when the code is deployed.
    """
    absent = (folder for folder in sorted((project / OF_FORM).iterdir()) if folder.name not in forms)
    left_out = [f"path:{OF_FORM / folder.name}" for folder in absent]
    return (*RELEASE_BUILD, "--exclude", *left_out) if left_out else RELEASE_BUILD


def _forms_of(release_id: int, settings: Settings) -> set[str]:
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select distinct form from ledger.release_load join ledger.load using (load_id) where release_id = %s",
            (release_id,),
        )
        return {form for (form,) in cursor.fetchall()}


def _loads_now(release_id: int, settings: Settings) -> list[int]:
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        return loads_of(cursor, release_id)


def loads_of(cursor: Cursor, release_id: int) -> list[int]:
    """Return the loads that a release brings in, oldest first."""
    cursor.execute("select load_id from ledger.release_load where release_id = %s order by load_id", (release_id,))
    return [load_id for (load_id,) in cursor.fetchall()]


def open_release_id(cursor: Cursor) -> int | None:
    """Return the release that is open; None where there is none."""
    cursor.execute("select release_id from ledger.release where published_at is null")
    row = cursor.fetchone()
    return row[0] if row else None


def withdraws(cursor: Cursor, release_id: int) -> int | None:
    """Return which release an open one takes back; None for a release of returns."""
    cursor.execute("select withdraws from ledger.release where release_id = %s", (release_id,))
    (withdraws,) = cursor.fetchone() or (None,)
    return None if withdraws is None else int(withdraws)


def _new_release(cursor: Cursor, run_id: str | None) -> int:
    cursor.execute(
        "insert into ledger.release (run_id, code_version) values (%s, %s) returning release_id",
        (run_id, code_version()),
    )
    (release_id,) = cursor.fetchone() or (0,)
    return int(release_id)


def reckon_for_today(cursor: Cursor, release_id: int) -> None:
    """Make an open release reckon what is due and late for today, by the clock in London."""
    # Facts that were checked for another day are not what would be published now.
    cursor.execute(
        """update ledger.release
        set as_of = today.today, checked_loads = case when as_of = today.today then checked_loads end
        from (select (clock_timestamp() at time zone 'Europe/London')::date as today) as today
        where release_id = %s""",
        (release_id,),
    )


def _empty(cursor: Cursor, release_id: int | None) -> None:
    if release_id is not None:
        cursor.execute("delete from ledger.release_load where release_id = %s", (release_id,))


def pending_loads(cursor: Cursor, clearances: Sequence[str] = CLEARED) -> list[int]:
    """Return the admitted loads that were neither released nor withdrawn, oldest first.

    Args:
        cursor: Only read.
        clearances: Only those of these, as ``ledger.clearance`` has them; by default those that may be published.
    """
    cursor.execute(
        """with pending as materialized (
        select verdict.load_id
        from ledger.verdict
        where verdict.verdict in ('admitted', 'admitted_with_quarantine')
            and not exists (
                select 1
                from ledger.release_load
                join ledger.release using (release_id)
                where release_load.load_id = verdict.load_id and release.published_at is not null
            )
            and not exists (
                select 1 from ledger.load_event
                where load_event.load_id = verdict.load_id and load_event.event = 'withdrawn'
            )
        )
        select load_id from pending where ledger.clearance(load_id) = any(%s) order by load_id""",
        (list(clearances),),
    )
    return [load_id for (load_id,) in cursor.fetchall()]


def _may_wait(cursor: Cursor, pending: list[int]) -> bool:
    cursor.execute(
        f"""select
            exists (
                select 1 from ledger.load_state
                where state in ('registered', 'landed') and form is not null
                    and received_at > clock_timestamp() - interval '{ARRIVING}'
            )
            and not exists (
                select 1 from ledger.verdict
                where load_id = any(%s) and judged_at < clock_timestamp() - interval '{ARRIVING}'
            )""",
        (pending,),
    )
    (may_wait,) = cursor.fetchone() or (False,)
    return bool(may_wait)


def _note_run(release_id: int, results: list[NodeResult], settings: Settings) -> None:
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute("delete from ledger.dbt_run where release_id = %s", (release_id,))
        if results:
            execute_values(
                cursor,
                "insert into ledger.dbt_run (release_id, node_id, status, seconds, row_count, message) values %s",
                [
                    (release_id, result.node_id, result.status, result.seconds, result.row_count, result.message)
                    for result in results
                ],
            )


def _project_files(folder: Path) -> list[Path]:
    kinds = {".sql", ".yml", ".csv"}
    built = {"target", "logs"}
    files = (path for path in folder.rglob("*") if path.suffix in kinds)
    return sorted(path for path in files if path.relative_to(folder).parts[0] not in built)


def _database_id(settings: Settings) -> str:
    """Return what tells one warehouse from another, so that a fresh database is deployed to even from an old home."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(
            """select (select oid from pg_database where datname = current_database())::text
            || ' ' || coalesce(to_regclass('mart.fct_return')::oid::text, 'none')
            || ' ' || coalesce(to_regclass('core.int_fct_measurement')::oid::text, 'none')"""
        )
        (database_id,) = cursor.fetchone() or ("",)
        return str(database_id)
