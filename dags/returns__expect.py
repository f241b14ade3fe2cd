"""Waits for the returns that the contracts make due, a DAG per form, and wakes who tells of those that are late."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from quarterday.calendar import FinancialQuarter
from quarterday.contracts import load_terms
from quarterday.expecting import QUARTERS, AwaitReturns, ExpectedQuarters, deadlines_of, first_day
from quarterday.orchestration import TASK_DEFAULTS, doc_md
from quarterday.settings import load_settings

for contract in load_terms(load_settings().returns).values():
    if contract.contract_start is None or contract.cadence not in QUARTERS:
        continue  # it makes nothing due
    ends = contract.contract_end and FinancialQuarter.of(contract.contract_end)
    with DAG(
        dag_id=f"returns__expect_{contract.form}",
        description=f"Wait for the returns of {contract.form}, and say when they are late",
        schedule=ExpectedQuarters(contract.form, contract.cadence, contract.lag_quarters),
        start_date=first_day(FinancialQuarter.of(contract.contract_start), contract.lag_quarters),
        end_date=ends and first_day(ends, contract.lag_quarters) + timedelta(days=1),
        catchup=False,
        max_active_runs=64,
        deadline=deadlines_of(contract),
        default_args=TASK_DEFAULTS,
        tags=["returns"],
        doc_md=doc_md(
            "returns__expect",
            f"One run per quarter for which the contract of {contract.form} wants a return. It waits, without a worker,"
            " until the return of every partner is accepted. Meanwhile its deadlines have the partner reminded, then"
            f" told, and at last the office: {contract.reminder_working_days} working days before the due day, the"
            f" first after it, and {contract.escalation_working_days} after it.",
            "The ledger could not be written when the run began. Clear the task. A return that is late fails nothing:"
            " the run goes on waiting.",
            "Yes. A run for a quarter whose returns are in ends at once; one that is started by hand alerts nobody.",
        ),
    ):
        AwaitReturns(task_id="await_returns")
