"""Which returns are due, late or long late, by the ledger and in working days, and who is to be told of it.

Whoever is woken (by a deadline of Airflow's, a person, a test) asks for every return at once and not for one: what a
stop of the system kept from being told is told by the first that comes after it, and each cause once. Of a return that
has passed several stages meanwhile only the last is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from quarterday.calendar import FinancialQuarter
from quarterday.contracts import Contract, load_contract, load_terms
from quarterday.notifying.outbox import note
from quarterday.notifying.stages import ESCALATION, LONDON, Terms, stage_on
from quarterday.settings import Settings
from quarterday.warehouse import connect, due_on, expected_quarters

LONGEST_REMINDER = timedelta(days=60)
MISSING = """
select missing_return.form, missing_return.partner_code, missing_return.reporting_quarter, missing_return.due_on,
    missing_return.rejected_load_id
from ledger.missing_return
join ledger.notifying on missing_return.due_on >= (notifying.watched_since at time zone 'Europe/London')::date
where missing_return.due_on <= %s
order by missing_return.due_on, missing_return.form, missing_return.partner_code, missing_return.reporting_quarter
"""
# Every partner's return is admitted, whatever came of it afterwards but for being withdrawn.
STILL_WAITED_FOR = """
select expected_return.partner_code
from ledger.expected_return
where expected_return.form = %s and expected_return.reporting_quarter = %s and not exists (
    select 1
    from ledger.load_state
    where load_state.form = expected_return.form
        and load_state.partner_code = expected_return.partner_code
        and load_state.reporting_quarter = expected_return.reporting_quarter
        and load_state.verdict in ('admitted', 'admitted_with_quarantine')
        and load_state.state <> 'withdrawn'
)
order by expected_return.partner_code
"""


def note_lateness(settings: Settings, moment: datetime | None = None) -> list[str]:
    """Write a notice for each missing return that has reached a stage which nobody was told of; return their causes.

    Returns that were due before the warehouse began to watch are history, and silent.

    Args:
        settings: Whose warehouse.
        moment: The time it is; by default now.
    """
    moment = moment or datetime.now(UTC)
    today = moment.astimezone(LONDON).date()
    contracts = load_terms(settings.returns)
    written = []
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(MISSING, (today + LONGEST_REMINDER,))
        for form, partner, quarter, due, rejected in cursor.fetchall():
            stage = stage_on(moment, due, Terms.of(contracts[form])) if _is_owed(form, partner, contracts) else None
            if stage is None:
                continue
            cause = f"{form}|{partner}|{quarter} {stage}, due on {due}"
            details = {
                "form": form,
                "partner_code": partner,
                "reporting_quarter": quarter,
                "due_on": str(due),
                "on": str(today),
                "rejected_load_id": rejected,
            }
            if note(cause, stage, "office" if stage == ESCALATION else "partner", details, cursor):
                written.append(cause)
    return written


def expect(form: str, quarter: str, settings: Settings) -> date | None:
    """Write down what a form's contract makes due for a quarter; return the day, None where it makes nothing due.

    What is due is written down when the warehouse is brought up to the code; this is for quarters that begin later.
    """
    contract = load_contract(settings.returns / form, with_columns=False)
    wanted = FinancialQuarter.parse(quarter)
    if wanted not in expected_quarters(contract, wanted):
        return None
    due = due_on(wanted, contract)
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.executemany(
            """insert into ledger.expected_return (form, partner_code, reporting_quarter, due_on)
            values (%s, %s, %s, %s)
            on conflict (form, partner_code, reporting_quarter) do nothing""",
            [(form, partner, quarter, due) for partner in contract.partners],
        )
    return due


def still_waited_for(form: str, quarter: str, settings: Settings) -> list[str]:
    """Return the partners whose return for a quarter is expected and not accepted."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cursor.execute(STILL_WAITED_FOR, (form, quarter))
        return [partner for (partner,) in cursor.fetchall()]


def _is_owed(form: str, partner: str, contracts: Mapping[str, Contract]) -> bool:
    """Say whether a contract still names who was to send a return: a form or partner that has gone owes nothing."""
    return form in contracts and partner in contracts[form].partners
