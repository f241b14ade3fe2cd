"""Sends what partners and the office are to be told, and tries again what could not be sent."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from quarterday.orchestration import TASK_DEFAULTS, doc_md
from quarterday.settings import notify_variables

with DAG(
    dag_id="notices__send",
    description="Send the notices in the outbox",
    # Without a channel there is nothing that could be sent, so nothing runs.
    schedule="*/5 * * * *" if notify_variables() else None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    # Of its own failure it can't tell by the way that has failed.
    default_args={**TASK_DEFAULTS, "on_failure_callback": None},
    tags=["notices"],
    doc_md=doc_md(
        "notices__send",
        "Every five minutes, where a mail server, Slack or a webhook is set: puts what is new in `ledger.notice` into"
        " words and sends it, to whom `returns/notices.csv` says. Many to the same people at once become one message.",
        "A channel did not take a message; the error says which and why. Nothing is lost: the message stays in the"
        " outbox and is tried again, at first after two minutes and at last every hour.",
        "Yes, at any time. What has been taken is not sent again.",
    ),
):

    @task
    def send_notices() -> int:
        """Send what is unsent; returns the number of messages that were taken."""
        from quarterday.notifying import sending
        from quarterday.settings import load_settings

        sent = sending.send_notices(load_settings())
        sending.raise_failures(sent)
        if not sent.messages:
            raise AirflowSkipException("Nothing to send, or no channel to send it by.")
        return sent.messages

    send_notices()
