"""The task that asks a named person about a held return: an ApprovalOperator whose question comes from the ledger.

What is asked, and of whom, is known only when the task starts. The answer goes into the ledger and wakes the release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from quarterday.orchestration import RETURN_LOADED
from quarterday.partitions import split_held_key

if TYPE_CHECKING:
    from airflow.sdk import Context

NO_REASON = "no reason was given"
DIGEST = "digest"


class SignOffOperator(ApprovalOperator):  # type: ignore[misc]  # the provider ships no types
    """Asks whom the rules name about the load of the run's key, and keeps the answer."""

    def __init__(self, **kwargs: Any) -> None:
        kept = "Kept in the ledger with the decision. The correction note, which goes out, has it too: name nobody."
        reason = Param("", type="string", title="Reason", description=kept)
        super().__init__(subject="Which restatement is to be published?", body="", params={"reason": reason}, **kwargs)

    def execute(self, context: Context) -> Any:
        """Show the changes to those who may decide, and wait without a worker; skip where nobody need be asked."""
        from quarterday.restating import signing_off
        from quarterday.settings import load_settings

        form, quarter, load_id = split_held_key(context["dag_run"].partition_key)
        asked = signing_off.ask_for(load_id, context["run_id"], load_settings())
        if asked is None:
            raise AirflowSkipException(f"Load {load_id} waits for no sign-off, or another run asks already.")
        self.subject = f"May load {load_id}, {form} {quarter}, restate what was published?"
        self.body = asked.told
        self.assigned_users = [{"id": user, "name": user} for user in asked.approvers]
        context["ti"].xcom_push(DIGEST, asked.digest)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Put the decision into the ledger, for the changes that were shown, and wake the quarter's release."""
        from quarterday.restating import signing_off
        from quarterday.settings import load_settings

        answer = super().execute_complete(context, event)
        load_id = split_held_key(context["dag_run"].partition_key)[2]
        key = signing_off.decide(
            load_id,
            "approved" if answer["chosen_options"] == [self.APPROVE] else "declined",
            answer["responded_by_user"]["id"],
            answer["params_input"].get("reason") or NO_REASON,
            load_settings(),
            context["ti"].xcom_pull(task_ids=self.task_id, key=DIGEST),
            context["run_id"],
        )
        context["outlet_events"][RETURN_LOADED].add_partitions(key)
        return answer
