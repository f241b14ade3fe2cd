"""Who signs off what: loads that restate are assessed, held where a rule asks for it, approved or declined by name.

Nothing here waits. A held load is left out of releases, which go on without it; whoever may decide does so in Airflow
(``returns__sign_off``) or by ``quarterday sign-off``, and the decision holds for exactly the changes that were shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from quarterday.errors import OperatorError
from quarterday.ledger import hold_load, note_event
from quarterday.receipts import write_receipt
from quarterday.restating.changes import Changes, changes_of
from quarterday.restating.noting import markdown_cell
from quarterday.restating.rules import ANY, Restatement, Rule, approvers_of, load_rules, rules_that_ask
from quarterday.restating.wordings import Names, after, before, by_how_much, period_shown, read_names
from quarterday.settings import Settings
from quarterday.warehouse import connect

MOST_ROWS = 100
# Admitted, neither released nor withdrawn, and its clearance.
WAITING = """
select load_state.load_id, load_state.form, load_state.reporting_quarter
from ledger.load_state
where load_state.verdict in ('admitted', 'admitted_with_quarantine')
    and load_state.state not in ('released', 'withdrawn')
    and ledger.clearance(load_state.load_id) = %s
order by load_state.load_id
"""
NEWEST = """
select assessment_id, digest, rules, approvers, told, restated_count
from ledger.assessment where load_id = %s order by assessment_id desc limit 1
"""
PRIORITIES = """
select bridge.measure_code, outcome.priority_code
from mart.bridge_measure_outcome as bridge join mart.dim_outcome as outcome using (outcome_code)
"""


@dataclass(frozen=True)
class Assessment:
    """What a load would change, and who has to decide; ``told`` is Markdown."""

    load_id: int
    digest: str
    rules: tuple[str, ...]
    approvers: tuple[str, ...]
    told: str
    restated_count: int


def assess_pending(settings: Settings) -> list[int]:
    """Compare each pending load that restates with what readers see now; hold those that need an approval.

    Returns:
        The loads that were assessed.

    Raises:
        RulesAreWrong: The file of rules can't be used. Nothing that restates is released until it is mended.
    """
    loads = waiting_loads("to assess", settings)
    if loads:
        rules = load_rules(settings.sign_off_rules)
        for load_id, form, _ in loads:
            assess_load(load_id, form, rules, settings)
    return [load_id for load_id, *_ in loads]


def assess_load(load_id: int, form: str, rules: Sequence[Rule], settings: Settings) -> Assessment:
    """Compare one load with what readers see now, and put the outcome into the ledger.

    A load of which no rule could ask anything is not compared; its assessment is empty.
    """
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        against = _newest_release(cursor)
        accepted = _accepted(load_id, cursor)
    changes = Changes((load_id,), (), ())
    if accepted or any(rule.form in (ANY, form) for rule in rules):
        changes = changes_of([load_id], settings, derived=False)
    if changes.restatements or accepted:  # outcomes and ratings move only with figures
        changes = changes_of([load_id], settings)
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        hold_load(load_id, connection)
        lines = sum(count for _, count, _ in accepted)
        asking = rules_that_ask(rules, Restatement(form, changes, _priorities(cursor), lines))
        told = _told(changes, accepted, asking, read_names(cursor))
        found = Assessment(
            load_id,
            _digest(changes, accepted),
            tuple(rule.rule_id for rule in asking),
            approvers_of(asking),
            told,
            len(changes.restatements),
        )
        _keep(found, against, cursor)
        cursor.execute("select ledger.clearance(%s)", (load_id,))
        (clearance,) = cursor.fetchone() or ("",)
        cursor.execute("select state from ledger.load_state where load_id = %s", (load_id,))
        (state,) = cursor.fetchone() or ("",)
        if clearance == "to sign off" and state in ("admitted", "approved", "declined"):
            ask = "asks" if len(found.rules) == 1 else "ask"
            why = f"{', '.join(found.rules)} {ask} for the approval of {' or '.join(found.approvers)}"
            note_event(load_id, "held", why, connection)
    return found


def waiting_loads(clearance: str, settings: Settings) -> list[tuple[int, str, str]]:
    """Return load, form and quarter of pending loads of a clearance, as ``ledger.clearance`` has it."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(WAITING, (clearance,))
        return cursor.fetchall()


def keys_to_ask(settings: Settings) -> list[str]:
    """Return a key (``form|quarter|load``) for each load that waits for a sign-off that nobody was asked for yet."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(WAITING, ("to sign off",))
        waiting = cursor.fetchall()
        cursor.execute("select load_id, digest from ledger.sign_off_request")
        asked = set(cursor.fetchall())
        digests = {load_id: assessment_of(load_id, cursor).digest for load_id, *_ in waiting}
    return [
        f"{form}|{quarter}|{load_id}" for load_id, form, quarter in waiting if (load_id, digests[load_id]) not in asked
    ]


def ask_for(load_id: int, run_id: str, settings: Settings) -> Assessment | None:
    """Return what to ask about a load; None where nobody need be asked, or another run asks already."""
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        hold_load(load_id, connection)
        cursor.execute("select ledger.clearance(%s)", (load_id,))
        if cursor.fetchone() != ("to sign off",):
            return None
        found = assessment_of(load_id, cursor)
        cursor.execute(
            """insert into ledger.sign_off_request (load_id, digest, run_id) values (%s, %s, %s)
            on conflict do nothing""",
            (load_id, found.digest, run_id),
        )
        cursor.execute(
            "select run_id from ledger.sign_off_request where load_id = %s and digest = %s", (load_id, found.digest)
        )
        return found if cursor.fetchone() == (run_id,) else None


def decide(
    load_id: int,
    decision: str,
    decided_by: str,
    reason: str,
    settings: Settings,
    digest: str | None = None,
    run_id: str | None = None,
) -> str:
    """Put a named person's decision on a held load into the ledger; return the load's partition key.

    Args:
        load_id: A load that waits for a sign-off.
        decision: ``approved`` or ``declined``.
        decided_by: The person's user name.
        reason: Why, in words for whoever reads the ledger later.
        settings: Whose warehouse.
        digest: The changes that were shown; by default those of the newest assessment. Of others the decision is kept,
            and the load is asked about again.
        run_id: The run that asked, if any.

    Raises:
        OperatorError: The load does not wait for a sign-off, the person may not decide, or there is no reason.
    """
    if not reason.strip():
        raise OperatorError("Give a reason: it stays in the ledger with the decision. Nothing was decided.")
    with connect(settings, "builder") as connection, connection.cursor() as cursor:
        hold_load(load_id, connection)
        key = _require_waiting(load_id, digest, cursor)
        found = assessment_of(load_id, cursor)
        if decided_by not in found.approvers:
            raise OperatorError(
                f"'{decided_by}' may not sign off load {load_id}: {', '.join(found.rules)} name"
                f" {' or '.join(found.approvers)}. Nothing was decided."
            )
        cursor.execute(
            """insert into ledger.sign_off (load_id, digest, decision, decided_by, reason, rules, run_id)
            values (%s, %s, %s, %s, %s, %s, %s)""",
            (load_id, digest or found.digest, decision, decided_by, reason.strip(), list(found.rules), run_id),
        )
        if decision == "declined":  # lines are set aside as before
            cursor.execute(
                """update ledger.accepted_check set lapsed_at = clock_timestamp()
                where load_id = %s and lapsed_at is null""",
                (load_id,),
            )
        if digest in (None, found.digest):
            note_event(load_id, decision, f"by {decided_by}: {reason.strip()}", connection, run_id)
        has_exceptions = _has_exceptions(load_id, cursor)
        connection.commit()
        if has_exceptions:  # the partner's receipt says what became of the lines
            write_receipt(load_id, connection, settings.receipts)
    return key


def assessment_of(load_id: int, cursor: Cursor) -> Assessment:
    """Return a load's newest assessment.

    Raises:
        OperatorError: It has none.
    """
    cursor.execute(NEWEST, (load_id,))
    row = cursor.fetchone()
    if row is None:
        raise OperatorError(f"Load {load_id} was never held against what readers see, so there is nothing to sign off.")
    _, digest, rules, approvers, told, count = row
    return Assessment(load_id, digest, tuple(rules), tuple(approvers), told, count)


def _require_waiting(load_id: int, digest: str | None, cursor: Cursor) -> str:
    cursor.execute(
        """select state, form || '|' || reporting_quarter, ledger.clearance(load_id)
        from ledger.load_state where load_id = %s""",
        (load_id,),
    )
    state, key, clearance = cursor.fetchone() or ("unknown", "", "")
    if state in ("unknown", "rejected", "released", "withdrawn"):
        raise OperatorError(f"Load {load_id} is {state}: there is nothing to sign off.")
    # What was shown before another release was published may be decided on: it counts if the changes stay the same.
    if clearance == "to assess" and digest is None:
        raise OperatorError(
            f"Load {load_id} has not been held against what readers see now: run quarter__release in Airflow first."
        )
    if clearance == "free":
        raise OperatorError(f"Load {load_id} needs nobody's approval: no rule asks for one.")
    return str(key)


def _newest_release(cursor: Cursor) -> int | None:
    cursor.execute(
        """select release_id from ledger.release where published_at is not null
        order by published_at desc, release_id desc limit 1"""
    )
    row = cursor.fetchone()
    return row[0] if row else None


def _accepted(load_id: int, cursor: Cursor) -> list[tuple[str, int, str]]:
    cursor.execute(
        """select check_id, line_count, reason from ledger.accepted_check
        where load_id = %s and lapsed_at is null order by check_id""",
        (load_id,),
    )
    return cursor.fetchall()


def _has_exceptions(load_id: int, cursor: Cursor) -> bool:
    cursor.execute("select 1 from ledger.accepted_check where load_id = %s limit 1", (load_id,))
    return cursor.fetchone() is not None


def _priorities(cursor: Cursor) -> dict[str, frozenset[str]]:
    cursor.execute(PRIORITIES)
    found: dict[str, set[str]] = {}
    for measure, priority in cursor.fetchall():
        found.setdefault(measure, set()).add(priority)
    return {measure: frozenset(served) for measure, served in found.items()}


def _digest(changes: Changes, accepted: Sequence[tuple[str, int, str]]) -> str:
    parts = [changes.digest, *(f"{check_id} {count}" for check_id, count, _ in accepted)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _keep(found: Assessment, against: int | None, cursor: Cursor) -> None:
    cursor.execute(
        """insert into ledger.assessment (load_id, against_release_id, digest, restated_count, rules, approvers, told)
        values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            found.load_id,
            against,
            found.digest,
            found.restated_count,
            list(found.rules),
            list(found.approvers),
            found.told,
        ),
    )


def _told(changes: Changes, accepted: Sequence[tuple[str, int, str]], rules: Sequence[Rule], names: Names) -> str:
    """Return what is asked, as Markdown: why somebody has to decide, what would change, and what reports printed."""
    parts = [f"- {rule.rule_id}: {rule.reason}" for rule in rules]
    parts += _table(("set-aside lines to take in", "lines", "why"), accepted)
    parts += _table(
        ("what", "where", "period", "of it", "now", "would be", "change"),
        [
            (
                names.subject(change),
                names.of("area", change.area_code) or names.of("partner", change.partner_code),
                period_shown(change.period_key),
                names.item(change),
                before(change),
                after(change),
                by_how_much(change),
            )
            for change in changes.restatements
        ],
    )
    parts += _table(
        ("printed in", "what", "printed", "computed now", "would be"),
        [(one.report, one.label, one.printed_text, one.old_text, one.new_text) for one in changes.printed],
    )
    return "\n".join(parts)


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows[:MOST_ROWS]]
    return lines if len(rows) <= MOST_ROWS else [*lines, "", f"And {len(rows) - MOST_ROWS:,} more."]


def _cell(value: object) -> str:
    return markdown_cell("" if value is None else value)
