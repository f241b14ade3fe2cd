"""Which changes an operator asks for: those of the open release, of the next one, or of one load."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

from quarterday import releasing
from quarterday.errors import OperatorError
from quarterday.restating.changes import Changes, changes_of
from quarterday.settings import Settings
from quarterday.warehouse import connect

# What the next release would bring: also what has still to be looked at before it.
NEXT = (*releasing.CLEARED, "to assess")


def changes_asked_for(load_id: int | None, release_id: int | None, settings: Settings) -> tuple[str, Changes]:
    """Return of what, in words, and what it would change.

    Args:
        load_id: One load alone; by default all of a release.
        release_id: The open release; by default that or, where none is open, all that is pending.
        settings: Whose warehouse.

    Raises:
        OperatorError: Both are given, the load would change nothing any more, or the release is not the open one.
    """
    if load_id is not None and release_id is not None:
        raise OperatorError("Give a load or --release, not both.")
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        if load_id is not None:
            _refuse_released(load_id, cursor)
            of_what, found, loads = f"Load {load_id} alone", 0, [load_id]
        else:
            found = releasing.open_release_id(cursor) or 0
            _refuse_unless_open(release_id, found)
            loads = releasing.loads_of(cursor, found) if found else releasing.pending_loads(cursor, NEXT)
            of_what = f"Release {found}, which is open" if found else "The next release"
    return of_what, changes_of(loads, settings, found)


def note_of_published(release_id: int, settings: Settings) -> str | None:
    """Return the correction note of a published release; None where the release is not published.

    Raises:
        OperatorError: It is published and restated nothing.
    """
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(
            """select correction_note.markdown
            from ledger.release left join ledger.correction_note using (release_id)
            where release_id = %s and published_at is not null""",
            (release_id,),
        )
        found = cursor.fetchone()
    if found and found[0] is None:
        raise OperatorError(f"Release {release_id} is published and restated nothing, so it has no correction note.")
    return str(found[0]) if found else None


def _refuse_released(load_id: int, cursor: Cursor) -> None:
    cursor.execute("select state, verdict from ledger.load_state where load_id = %s", (load_id,))
    state, verdict = cursor.fetchone() or (None, None)
    if state is None:
        raise OperatorError(f"There is no load {load_id}. A load's number is that of its receipt.")
    if verdict not in ("admitted", "admitted_with_quarantine") or state in ("released", "withdrawn"):
        raise OperatorError(f"Load {load_id} is {state}: only an admitted load that is not released changes anything.")


def _refuse_unless_open(asked: int | None, found: int) -> None:
    if asked is not None and asked != found:
        is_open = f"release {found} is" if found else "none is"
        raise OperatorError(f"Release {asked} is not open: {is_open}. 'quarterday status' lists the last releases.")
