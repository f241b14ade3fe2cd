"""What data engineers set in motion by hand: run a form's quarters again, and pause a form without losing arrivals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quarterday import services
from quarterday.calendar import FinancialQuarter
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.warehouse import connect

if TYPE_CHECKING:
    from quarterday.airflow_client import AirflowClient

LOAD_DAG = "returns__load"
# What a further run can bring on: everything without a verdict, and what is admitted and no release has published.
UNDONE = ("registered", "landed", "admitted", "held", "approved")


@dataclass(frozen=True)
class Quarter:
    """The returns of a form and quarter: how many are in which state, and the run that was started, if any."""

    form: str
    quarter: str
    states: dict[str, int]
    run_id: str | None = None

    @property
    def key(self) -> str:
        """The partition key of the quarter's runs."""
        return f"{self.form}|{self.quarter}"

    @property
    def is_undone(self) -> bool:
        """Whether a run would bring anything on."""
        return bool(set(UNDONE) & self.states.keys())

    @property
    def outcome(self) -> str:
        """What a backfill does or has done about it."""
        if self.run_id:
            return self.run_id
        if self.is_undone:
            return "would run"
        return f"paused: quarterday resume {self.form}" if "paused" in self.states else "nothing to do"

    @property
    def told(self) -> str:
        """The states in words."""
        return ", ".join(f"{count} {state}" for state, count in self.states.items()) or "nothing received"


def backfill(form: str, first: str, last: str, settings: Settings, is_dry: bool = False) -> list[Quarter]:
    """Run again what is not released of a form, quarter by quarter, by the real DAG; return every quarter of the range.

    Args:
        form: The form's code.
        first: The first quarter, such as ``2015-16-Q1``.
        last: The last quarter; it belongs to the range.
        settings: Whose warehouse and Airflow.
        is_dry: Start nothing, only tell.

    Raises:
        OperatorError: There is no such form or quarter, the form is paused, or Airflow is not up.
    """
    beginning, end = _quarter(first), _quarter(last)
    if (beginning.start, end.start) != tuple(sorted((beginning.start, end.start))):
        raise OperatorError(f"{first} is after {last}: give the earlier quarter first.")
    _refuse_unknown(form, settings)
    quarters = [
        found for found in _quarters(form, settings) if beginning.start <= _quarter(found.quarter).start <= end.start
    ]
    undone = [quarter for quarter in quarters if quarter.is_undone]
    if is_dry or not undone:
        return quarters
    _refuse_paused(form, settings)
    asked = _airflow(settings)
    runs = {quarter.key: asked.trigger(LOAD_DAG, quarter.key) for quarter in undone}
    return [Quarter(one.form, one.quarter, one.states, runs.get(one.key)) for one in quarters]


def rerun(form: str, quarter: str, settings: Settings) -> Quarter:
    """Run one form and quarter again by the real DAG, whatever its state; returns with a verdict are left alone.

    Raises:
        OperatorError: There is no such form or quarter, nothing of it was received, it is paused, or Airflow is not up.
    """
    wanted = str(_quarter(quarter))
    _refuse_unknown(form, settings)
    found = next((one for one in _quarters(form, settings) if one.quarter == wanted), None)
    if found is None:
        raise OperatorError(f"No return of {form} for {wanted} was ever received: there is nothing to run.")
    _refuse_paused(form, settings)
    return Quarter(form, wanted, found.states, _airflow(settings).trigger(LOAD_DAG, found.key))


def pause(form: str, by: str, reason: str, settings: Settings) -> int:
    """Leave a form's returns unread until :func:`resume`; they are still registered and archived.

    What is being judged at this moment goes on, and what is admitted is released.

    Returns:
        How many returns wait already.

    Raises:
        OperatorError: There is no such form, no reason was given, or the form is paused already.
    """
    _refuse_unknown(form, settings)
    if not reason.strip() or not by.strip():
        raise OperatorError("Say who pauses the form, and why: whoever sees its returns wait will ask.")
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger.form_pause (form, paused_by, reason) values (%s, %s, %s) on conflict do nothing",
            (form, by, reason),
        )
        is_new = cursor.rowcount == 1
    if not is_new:
        _refuse_paused(form, settings)
    return sum(quarter.states.get("paused", 0) for quarter in _quarters(form, settings))


def resume(form: str, by: str, settings: Settings) -> list[str]:
    """End a form's pause; return the keys of the returns that waited. Wake them with :func:`wake`; sweeps do it, too.

    Raises:
        OperatorError: There is no such form, or it is not paused.
    """
    _refuse_unknown(form, settings)
    waiting = [quarter.key for quarter in _quarters(form, settings) if "paused" in quarter.states]
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(
            """update ledger.form_pause set resumed_at = clock_timestamp(), resumed_by = %s
            where form = %s and resumed_at is null""",
            (by, form),
        )
        if not cursor.rowcount:
            raise OperatorError(f"{form} is not paused.")
    return waiting


def wake(keys: Sequence[str], settings: Settings) -> bool:
    """Start the load of each key; False where Airflow is not up, so that a later sweep does it."""
    try:
        asked = _airflow(settings)
    except OperatorError:
        return False
    for key in keys:
        asked.trigger(LOAD_DAG, key)
    return True


def _quarters(form: str, settings: Settings) -> list[Quarter]:
    """Return the quarters of which returns were received, in order."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(
            """select reporting_quarter, state, count(*) from ledger.load_state
            where form = %s group by 1, 2 order by 1, 2""",
            (form,),
        )
        states: dict[str, dict[str, int]] = {}
        for quarter, state, count in cursor.fetchall():
            states.setdefault(quarter, {})[state] = count
    return [Quarter(form, quarter, found) for quarter, found in states.items()]


def _quarter(text: str) -> FinancialQuarter:
    try:
        return FinancialQuarter.parse(text)
    except ValueError:
        raise OperatorError(f"'{text}' is no financial quarter: give one such as 2017-18-Q3.") from None


def _refuse_unknown(form: str, settings: Settings) -> None:
    forms = sorted(path.parent.name for path in settings.returns.glob("*/contract.odcs.yaml"))
    if form not in forms:
        near = [name for name in forms if form.lower() in name or name.startswith(form[:3].lower())]
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise OperatorError(f"There is no form '{form}' in returns/.{hint}")


def _refuse_paused(form: str, settings: Settings) -> None:
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select paused_by, paused_at, reason from ledger.form_pause where form = %s and resumed_at is null", (form,)
        )
        row = cursor.fetchone()
    if row:
        by, at, reason = row
        raise OperatorError(
            f"{form} is paused by {by} since {at:%d %B %Y %H:%M}: {reason}. Nothing was started; "
            f"'quarterday resume {form}' lets its returns go on."
        )


def _airflow(settings: Settings) -> AirflowClient:
    asked = services.client(settings)
    asleep = asked.unhealthy_components()
    if asleep:
        raise OperatorError(f"Not running: {', '.join(asleep)}. Nothing was started. Run 'quarterday up' first.")
    return asked
