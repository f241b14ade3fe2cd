"""Takes a published release back, by another release: what it had superseded speaks again."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday import releasing
from quarterday.errors import OperatorError
from quarterday.ledger import hold_release
from quarterday.settings import Settings
from quarterday.versioning import code_version
from quarterday.warehouse import connect


def withdraw_release(withdrawn_id: int, reason: str, settings: Settings, asked_by: str | None = None) -> int:
    """Take a published release back by another: what it had superseded speaks again, and history keeps both.

    The returns of the withdrawn release count as withdrawn. One that was cut off is finished by the same call.

    Args:
        withdrawn_id: The release to take back.
        reason: Why, in words for everybody: the release notes on the public site and the open data have them.
        settings: Whose warehouse.
        asked_by: Who asks for it; kept in the ledger and nowhere else.

    Returns:
        The id of the release that takes it back.

    Raises:
        OperatorError: There is no such release, it is not published, it is taken back already or takes one back
            itself, or another release is open. Nothing was changed.
        DbtFailed: The facts could not be built. The withdrawal is open: mend the cause and call it again.
    """
    release_id = open_withdrawal(withdrawn_id, reason, settings, asked_by)
    releasing.build_facts(release_id, settings)
    releasing.check_facts(release_id, settings)
    releasing.publish(release_id, settings)
    return release_id


def open_withdrawal(withdrawn_id: int, reason: str, settings: Settings, asked_by: str | None = None) -> int:
    """Open the release that takes another back, and return its id; the next run of ``quarter__release`` publishes it.

    Raises:
        OperatorError: As :func:`withdraw_release` does. Nothing was changed.
    """
    with connect(settings, "builder") as connection:
        return _open_withdrawal(connection, withdrawn_id, reason, asked_by)


def _open_withdrawal(connection: Connection, withdrawn_id: int, reason: str, asked_by: str | None) -> int:
    with connection.cursor() as cursor:
        hold_release(connection)
        open_id = releasing.open_release_id(cursor)
        if open_id is not None and releasing.withdraws(cursor, open_id) == withdrawn_id:
            releasing.reckon_for_today(cursor, open_id)
            return open_id
        _refuse_withdrawal(cursor, withdrawn_id, open_id)
        cursor.execute(
            """insert into ledger.release (code_version, reason, withdraws, asked_by) values (%s, %s, %s, %s)
            returning release_id""",
            (code_version(), reason, withdrawn_id, asked_by),
        )
        (release_id,) = cursor.fetchone() or (0,)
        releasing.reckon_for_today(cursor, int(release_id))
        return int(release_id)


def _refuse_withdrawal(cursor: Cursor, withdrawn_id: int, open_id: int | None) -> None:
    cursor.execute(
        """select withdrawn.published_at is not null, withdrawn.withdraws, withdrawal.release_id
        from ledger.release as withdrawn
        left join ledger.release as withdrawal on withdrawal.withdraws = withdrawn.release_id
        where withdrawn.release_id = %s""",
        (withdrawn_id,),
    )
    found: tuple[bool, int | None, int | None] | None = cursor.fetchone()
    if found is None:
        raise OperatorError(f"There is no release {withdrawn_id}; 'quarterday status' lists the last ones.")
    is_published, takes_back, withdrawn_by = found
    if withdrawn_by is not None:
        raise OperatorError(f"Release {withdrawn_id} was taken back already, by release {withdrawn_by}.")
    if takes_back is not None:
        raise OperatorError(
            f"Release {withdrawn_id} took release {takes_back} back and can't be taken back itself: "
            "ask the partners for new returns."
        )
    if not is_published:
        raise OperatorError(
            f"Release {withdrawn_id} is not published, so there is nothing to take back. "
            "A return in it is left out with 'quarterday withdraw-load'."
        )
    if open_id is not None:
        raise OperatorError(f"Release {open_id} is open. Let it be published first: run quarter__release in Airflow.")
