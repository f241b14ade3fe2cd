"""Reads the board from the ledger: where the return of each form, partner and quarter stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from psycopg2.extensions import connection as Connection

from quarterday.calendar import FinancialQuarter
from quarterday.errors import OperatorError
from quarterday.operating.states import EMPTY, OF_CELLS, STATES, State

CELLS = """
select {columns}
from ledger.board_cell
where (%(form)s::text is null or form = %(form)s)
    and (%(partner)s::text is null or partner_code = %(partner)s)
    and (%(quarter)s::text is null or reporting_quarter = %(quarter)s)
    and (%(states)s::text[] is null or state = any(%(states)s))
    and (
        %(priority)s::text is null
        or form in (select form_priority.form from ledger.form_priority where priority_code = %(priority)s)
    )
order by form, partner_code, quarter_number
"""
# Returns that no form claims, or whose quarter nobody can tell, have no place in the table.
UNRECOGNISED = """
select load_id, partner_code, file_name, received_at, state
from ledger.load_standing
join ledger.load using (load_id, partner_code, received_at)
where load.form is null or load.reporting_quarter is null
order by load_id desc
limit %s
"""
# What failed of a return is told in its cell.
FAILURES = """
select dag_id, task_id, run_id, partition_key, message, failed_at
from ledger.open_failure
order by failed_at desc
limit %s
"""
MOST_SHOWN = 20


@dataclass(frozen=True)
class Asked:
    """What the board is asked for; None asks for all. ``quarter`` is a key such as ``2017-18-Q3``."""

    form: str | None = None
    partner: str | None = None
    priority: str | None = None
    quarter: str | None = None
    state: str | None = None

    @property
    def is_anything(self) -> bool:
        """Whether anything is left out."""
        return any(vars(self).values())


@dataclass(frozen=True)
class Cell:
    """One return of the board; the fields are those of ``ledger.board_cell``."""

    form: str
    partner_code: str
    reporting_quarter: str
    due_on: date | None
    available_on: date | None
    state: str
    restated_count: int
    load_id: int | None
    state_at: datetime | None
    is_released: bool
    set_aside_count: int
    version_count: int
    failed_dag_id: str | None
    failed_run_id: str | None

    @property
    def known(self) -> State:
        """The state in words."""
        return STATES[self.state]

    @property
    def shown(self) -> str:
        """The state as the board shows it, with its number or its day."""
        if self.state == "restated":
            return f"Restated ({self.restated_count})"
        if self.state == "not available until" and self.available_on:
            return f"Not available until {day_shown(self.available_on)}"
        return self.known.shown

    @property
    def besides(self) -> str | None:
        """What else is to be said of it in few words."""
        is_told = self.state in ("released", "restated")
        return "a version is released" if self.is_released and not is_told else None

    def as_json(self) -> dict[str, Any]:
        """Return the cell as plain values, as ``quarterday status --json`` gives it."""
        return asdict(self)


@dataclass(frozen=True)
class Unrecognised:
    """A file that no form claimed."""

    load_id: int
    partner_code: str
    file_name: str
    received_at: datetime
    state: str


@dataclass(frozen=True)
class Failure:
    """A task of ours that failed, after which nothing went on; times in UTC."""

    dag_id: str
    task_id: str
    run_id: str
    partition_key: str | None
    message: str | None
    failed_at: datetime


@dataclass(frozen=True)
class Board:
    """What an operator sees at a glance."""

    cells: tuple[Cell, ...]
    unrecognised: tuple[Unrecognised, ...]
    failures: tuple[Failure, ...]
    paused: frozenset[str]

    @property
    def counts(self) -> dict[str, int]:
        """How many cells are in each state, in the order of what wants doing."""
        counted = Counter(cell.state for cell in self.cells)
        return {name: counted[name] for name in OF_CELLS if counted[name]}


def read_board(asked: Asked, connection: Connection, with_empty: bool = True) -> Board:
    """Read the board.

    Args:
        asked: What to leave out.
        connection: Only read.
        with_empty: Also cells for which nothing is owed and nothing came, unless their state is asked for.

    Raises:
        OperatorError: A quarter or a state is asked for that there is not.
    """
    refuse_unknown(asked)
    states = [asked.state] if asked.state else None
    if states is None and not with_empty:
        states = [name for name in OF_CELLS if name not in EMPTY]
    with connection.cursor() as cursor:
        columns = ", ".join(field.name for field in fields(Cell))
        cursor.execute(CELLS.format(columns=columns), vars(asked) | {"states": states})
        cells = tuple(Cell(*row) for row in cursor.fetchall())
        cursor.execute(UNRECOGNISED, (MOST_SHOWN,))
        unrecognised = tuple(Unrecognised(*row) for row in cursor.fetchall())
        cursor.execute(FAILURES, (MOST_SHOWN,))
        failures = tuple(Failure(*row) for row in cursor.fetchall())
    return Board(cells, unrecognised, failures, paused_forms(connection))


def refuse_unknown(asked: Asked) -> None:
    """Refuse a quarter or a state that can't be.

    Raises:
        OperatorError: It names what is allowed.
    """
    if asked.state and asked.state not in OF_CELLS:
        raise OperatorError(f"There is no state '{asked.state}'. The states are: {', '.join(OF_CELLS)}.")
    if asked.quarter:
        try:
            is_key = str(FinancialQuarter.parse(asked.quarter)) == asked.quarter
        except ValueError:
            is_key = False
        if not is_key:
            raise OperatorError(f"'{asked.quarter}' is no financial quarter: expected a key such as 2017-18-Q3.")


def read_cell(form: str, partner_code: str, quarter: str, connection: Connection) -> Cell:
    """Return one cell.

    Raises:
        OperatorError: The board has none of this form, partner and quarter.
    """
    board = read_board(Asked(form=form, partner=partner_code, quarter=quarter), connection)
    if not board.cells:
        raise OperatorError(f"The board has no return of {form} by {partner_code} for {quarter}.")
    return board.cells[0]


def paused_forms(connection: Connection) -> frozenset[str]:
    """Return the forms whose arrivals wait until they are resumed."""
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('ledger.form_pause') is not null")
        if cursor.fetchone() != (True,):
            return frozenset()
        cursor.execute("select form from ledger.form_pause where resumed_at is null")
        return frozenset(form for (form,) in cursor.fetchall())


def names_of_partners(connection: Connection) -> dict[str, str]:
    """Return the partners' names by their codes."""
    with connection.cursor() as cursor:
        cursor.execute("select partner_code, partner_name from ledger.partner order by partner_name")
        return dict(cursor.fetchall())


def forms_of_board(connection: Connection) -> list[str]:
    """Return the forms that the board has a row for."""
    with connection.cursor() as cursor:
        cursor.execute("select form from ledger.commission union select form from ledger.load where form is not null")
        return sorted(form for (form,) in cursor.fetchall())


def priorities(connection: Connection) -> list[str]:
    """Return the priorities that a form serves, by their codes (``plan_2017.supporting_victims``)."""
    with connection.cursor() as cursor:
        cursor.execute("select distinct priority_code from ledger.form_priority order by 1")
        return [code for (code,) in cursor.fetchall()]


def quarter_shown(key: str) -> str:
    """Return a quarter's key as it is shown: ``2017-18 Q3``."""
    return f"{key[:7]} {key[8:]}"


def day_shown(day: date) -> str:
    """Return a day as it is shown: ``3 May 2018``."""
    return f"{day.day} {day:%B %Y}"


def of_quarters(cells: Sequence[Cell], quarters: Sequence[str]) -> dict[tuple[str, str], dict[str, Cell]]:
    """Return the cells of some quarters by form and partner, and then by quarter."""
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in cells:
        if cell.reporting_quarter in quarters:
            rows.setdefault((cell.form, cell.partner_code), {})[cell.reporting_quarter] = cell
    return rows
