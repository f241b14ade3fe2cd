"""Takes set-aside lines into the figures by exception, once a named person approves of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.errors import OperatorError
from quarterday.ledger import hold_load, note_event, register_again
from quarterday.loading import UNRELEASED
from quarterday.restating.rules import ANY, load_rules
from quarterday.settings import Settings
from quarterday.warehouse import connect


@dataclass(frozen=True)
class Accepted:
    """Which load brings the lines in, how many there are, and whether it is the same return read again."""

    load_id: int
    line_count: int
    is_read_again: bool


def accept_lines(load_id: int, check_ids: Sequence[str], reason: str, accepted_by: str, settings: Settings) -> Accepted:
    """Ask for the lines that failed some checks to be taken in by exception.

    A load that is not released brings them in itself. One that is released stays as it was published: its file is
    registered once more, as for a correction, and the load that is read again takes its place. A rule of
    ``returns/sign_off_rules.csv`` says who has to approve. A line that failed another check, too, stays set aside.

    Args:
        load_id: As the receipt names it.
        check_ids: Checks whose lines are to be taken in, such as ``VGW-004``.
        reason: Why, in words for whoever reads the ledger later.
        accepted_by: Who asks for it.
        settings: Whose warehouse.

    Raises:
        OperatorError: There is no such load, nothing of it was set aside for a check, it was asked for already, no
            rule says who may approve, or reason or name is missing. Nothing was changed.
    """
    if not reason.strip() or not accepted_by.strip():
        raise OperatorError("Give --by and --reason: both stay in the ledger. Nothing was accepted.")
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        hold_load(load_id, connection)
        state = _require_set_aside(load_id, settings, cursor)
        lines = {check_id: _lines_of(load_id, check_id, cursor) for check_id in dict.fromkeys(check_ids)}
        target = load_id if state in UNRELEASED else _read_again(load_id, list(lines), connection)
        for check_id, count in lines.items():
            cursor.execute(
                """insert into ledger.accepted_check (load_id, check_id, line_count, reason, accepted_by)
                values (%s, %s, %s, %s, %s) on conflict do nothing""",
                (target, check_id, count, reason.strip(), accepted_by.strip()),
            )
            if not cursor.rowcount:
                raise OperatorError(f"The lines of load {target} that failed {check_id} were asked for already.")
    return Accepted(target, sum(lines.values()), target != load_id)


def _require_set_aside(load_id: int, settings: Settings, cursor: Cursor) -> str:
    cursor.execute("select state, form, verdict from ledger.load_state where load_id = %s", (load_id,))
    state, form, verdict = cursor.fetchone() or ("unknown", "", None)
    if verdict != "admitted_with_quarantine" or state not in (*UNRELEASED, "released"):
        said = (verdict or state).replace("_", " ")
        raise OperatorError(f"Load {load_id} is {said}: only lines that were set aside are accepted by exception.")
    rules = load_rules(settings.sign_off_rules)
    if not any(rule.asks_about == "accepted_lines" and rule.form in (ANY, form) for rule in rules):
        raise OperatorError(
            f"No rule in {settings.sign_off_rules.name} says who approves of accepted lines of {form}, and somebody has"
            " to. Add one: docs/how-to/restate-and-sign-off.md"
        )
    return str(state)


def _lines_of(load_id: int, check_id: str, cursor: Cursor) -> int:
    cursor.execute(
        """select count(distinct (sheet, line_number)) from ledger.line_issue
        where load_id = %s and check_id = %s and action = 'quarantine_line'""",
        (load_id, check_id),
    )
    (count,) = cursor.fetchone() or (0,)
    if count:
        return int(count)
    cursor.execute(
        """select string_agg(distinct check_id, ', ' order by check_id) from ledger.line_issue
        where load_id = %s and action = 'quarantine_line'""",
        (load_id,),
    )
    (others,) = cursor.fetchone() or (None,)
    raise OperatorError(f"No line of load {load_id} was set aside for {check_id}; lines were for {others or 'none'}.")


def _read_again(load_id: int, check_ids: Sequence[str], connection: Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select load_id from ledger.load where corrects_load_id = %s", (load_id,))
        if newer := cursor.fetchone():
            raise OperatorError(f"Load {load_id} has been read again already, as load {newer[0]}: name that one.")
    again = register_again(load_id, connection)
    detail = f"load {load_id} again, with lines accepted that failed {', '.join(check_ids)}"
    note_event(again, "registered", detail, connection)
    return again
