"""Waiting for returns in Airflow: the quarters that a contract wants, deadlines, and a wait without a worker.

A run of ``returns__expect_<form>`` begins when a quarter's figures can be known, so after the contract's lag of up to
two years, and ends when every partner's return is accepted. Its deadlines only wake: who is to be told of what is
worked out from the ledger (``quarterday.notifying.lateness``), in the triggerer, for which no worker need be free.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.exceptions import InvalidPartitionKeyError
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperator
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert
from airflow.timetables.trigger import CronPartitionTimetable
from airflow.triggers.base import BaseTrigger, TriggerEvent

from quarterday.calendar import FinancialQuarter
from quarterday.notifying.stages import STAGES, Terms, moment_of
from quarterday.partitions import TIMEZONE, split_key

if TYPE_CHECKING:
    from airflow.sdk import Context

    from quarterday.contracts import Contract

# The quarters of a year for which a contract of a cadence wants a return.
QUARTERS = {"financial_quarter": (1, 2, 3, 4), "financial_year": (4,), "season": (2,)}
LOOK_EVERY_SECONDS = 300.0

log = logging.getLogger(__name__)


class ExpectedQuarters(CronPartitionTimetable):
    """A run on the first day on which a quarter's figures can be known, with the key ``form|2017-18-Q3``."""

    def __init__(self, form: str, cadence: str = "financial_quarter", lag_quarters: int = 0) -> None:
        some = (FinancialQuarter(2000, number) for number in QUARTERS[cadence])
        months = sorted(quarter.shift(lag_quarters).next().start.month for quarter in some)
        super().__init__(f"0 0 1 {','.join(map(str, months))} *", timezone=TIMEZONE, key_format="form|quarter")
        self._form, self._cadence, self._lag_quarters = form, cadence, lag_quarters

    def serialize(self) -> dict[str, Any]:
        """Return what the timetable is made of."""
        return {"form": self._form, "cadence": self._cadence, "lag_quarters": self._lag_quarters}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ExpectedQuarters:
        """Return the timetable that :meth:`serialize` told of."""
        return cls(**data)

    def generate_run_id(self, **of_run: Any) -> str:
        """Return a run's id, in which Airflow allows no ``|``."""
        return str(super().generate_run_id(**of_run)).replace("|", "~")

    def _format_key(self, partition_date: pendulum.DateTime) -> str:
        day = partition_date.in_timezone(TIMEZONE).date() - timedelta(days=1)
        return f"{self._form}|{FinancialQuarter.of(day).shift(-self._lag_quarters)}"

    def _decode_partition_date(self, partition_key: str) -> datetime:
        form, quarter = split_key(partition_key)
        if form != self._form:
            raise InvalidPartitionKeyError(
                f"{partition_key!r} is not of this DAG: expected a key as {self._form}|{quarter}"
            )
        return first_day(FinancialQuarter.parse(quarter), self._lag_quarters)


class ReturnDue(BaseDeadlineReference):
    """The moment at which a stage is reached by the return of a scheduled run's quarter.

    Other runs, as those that somebody starts to wait again, have no deadline; nor has a stage that has passed when the
    run begins, so that looking back over history tells nobody of anything.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def __init__(
        self, stage: str = "late", working_days: int = 0, lag_quarters: int = 0, reminder: int = 0, escalation: int = 0
    ) -> None:
        self.terms: dict[str, Any] = {
            "stage": stage,
            "working_days": working_days,
            "lag_quarters": lag_quarters,
            "reminder": reminder,
            "escalation": escalation,
        }

    def serialize_reference(self) -> dict[str, Any]:
        """Return what the reference is made of."""
        return {"reference_type": self.reference_name, **self.terms}

    @classmethod
    def deserialize_reference(cls, reference_data: Mapping[str, Any]) -> ReturnDue:
        """Return the reference that :meth:`serialize_reference` told of."""
        known = ("stage", "working_days", "lag_quarters", "reminder", "escalation")
        return cls(**{name: reference_data[name] for name in known})

    def moment(self, partition_key: str) -> datetime:
        """Return when the stage is reached by the return of a key such as ``victim_gateway|2017-18-Q3``."""
        from quarterday.calendar import due_date

        quarter = FinancialQuarter.parse(split_key(partition_key)[1])
        due = due_date(quarter.shift(self.terms["lag_quarters"]).end, self.terms["working_days"])
        return moment_of(self.terms["stage"], due, Terms(self.terms["reminder"], self.terms["escalation"]))

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> datetime | None:
        from airflow.models import DagRun
        from sqlalchemy import select

        asked = select(DagRun.partition_key, DagRun.run_type).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        key, run_type = session.execute(asked).one()
        if key is None or str(run_type) != "scheduled":
            return None
        moment = self.moment(key)
        return moment if moment > datetime.now(UTC) else None


class ReturnsAccepted(BaseTrigger):
    """Fires when every partner's return of a form and quarter is accepted. It looks now and then, for years."""

    def __init__(self, form: str, quarter: str, look_every: float = LOOK_EVERY_SECONDS) -> None:
        super().__init__()
        self.form, self.quarter, self.look_every = form, quarter, look_every

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and what it is made of."""
        return (
            "quarterday.expecting.ReturnsAccepted",
            {"form": self.form, "quarter": self.quarter, "look_every": self.look_every},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until nothing is waited for; a database that is away is asked again at the next look."""
        while await asyncio.to_thread(self._waits):
            await asyncio.sleep(self.look_every)
        yield TriggerEvent(f"{self.form}|{self.quarter}")

    def _waits(self) -> bool:
        from psycopg2 import OperationalError

        from quarterday.notifying.lateness import still_waited_for
        from quarterday.settings import load_settings

        try:
            return bool(still_waited_for(self.form, self.quarter, load_settings()))
        except OperationalError:
            log.warning("The warehouse does not answer; looking again for %s|%s later.", self.form, self.quarter)
            return True


class AwaitReturns(BaseOperator):
    """Writes down what is due for the run's quarter and waits, without a worker, until all of it is accepted."""

    def execute(self, context: Context) -> str:
        """Wait where something is missing; returns the key."""
        from quarterday.notifying.lateness import expect, still_waited_for
        from quarterday.settings import load_settings

        form, quarter = split_key(context["dag_run"].partition_key)
        settings = load_settings()
        expect(form, quarter, settings)
        if still_waited_for(form, quarter, settings):
            self.defer(trigger=ReturnsAccepted(form, quarter), method_name="end")
        return f"{form}|{quarter}"

    def end(self, context: Context, event: str) -> str:
        """Return the key of what has been accepted."""
        return event


async def tell_of_lateness(**_: Any) -> None:
    """Tell whoever is to be told of any return that has reached a stage, and send it: what a missed deadline wakes."""
    await asyncio.to_thread(_tell_of_lateness)


def _tell_of_lateness() -> None:
    from quarterday.notifying.lateness import note_lateness
    from quarterday.notifying.sending import send_notices
    from quarterday.settings import load_settings

    settings = load_settings()
    note_lateness(settings)
    send_notices(settings)


def deadlines_of(contract: Contract) -> list[DeadlineAlert]:
    """Return the deadlines of a contract's returns: reminder, late, escalation."""
    terms = Terms.of(contract)
    return [
        DeadlineAlert(
            name=stage,
            reference=ReturnDue(
                stage, contract.due_working_days, contract.lag_quarters, terms.reminder, terms.escalation
            ),
            interval=timedelta(0),
            callback=AsyncCallback("quarterday.expecting.tell_of_lateness", kwargs={"stage": stage}),
        )
        for stage in STAGES
    ]


def first_day(quarter: FinancialQuarter, lag_quarters: int) -> datetime:
    """Return midnight, in London, of the first day on which a quarter's figures can be known."""
    day: date = quarter.shift(lag_quarters).next().start
    midnight: datetime = pendulum.datetime(day.year, day.month, day.day, tz=TIMEZONE)
    return midnight


class ExpectingPlugin(AirflowPlugin):
    """Registers timetable and deadlines with every Airflow component."""

    name = "quarterday_expecting"
    timetables = [ExpectedQuarters]
    deadline_references = [ReturnDue]
