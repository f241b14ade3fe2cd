"""From a registered file to a verdict: land its lines, check them, write what was found and the partner's receipt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from psycopg2.extensions import connection as Connection

from quarterday import generating, receipts
from quarterday.archiving import ArchivedFile
from quarterday.checking.checks import checks_of
from quarterday.checking.correcting import new_corrections
from quarterday.checking.judging import Verdict, judge_findings, judge_load
from quarterday.contracts import Form, load_forms
from quarterday.errors import OperatorError, ReturnRejected
from quarterday.identifying import Identity, identify
from quarterday.landing import land_return
from quarterday.ledger import hold_load, hold_release, insert_load, is_judged, note_event, register_again
from quarterday.recording.watching import about, tell_landed, tell_verdict
from quarterday.settings import Settings
from quarterday.warehouse import connect

# An admitted load that no release has published, whatever came of the question for its sign-off.
UNRELEASED = ("admitted", "held", "approved", "declined")


@dataclass(frozen=True)
class Pending:
    """A registered return without a verdict."""

    load_id: int
    archive_path: str
    partner_code: str


def land_pending(form: str, quarter: str, settings: Settings, run_id: str | None = None) -> list[int]:
    """Land every return of a form and quarter that has no verdict; return the ids of those landed.

    Each return is its own transaction. One that can't be read as its form is rejected here, with its receipt.
    """
    forms = load_forms(settings.returns)
    landed = []
    with connect(settings, "loader") as connection:
        for pending in pending_returns(form, quarter, connection):
            with about(load_id=pending.load_id):
                if _land(pending, forms, connection, settings, run_id):
                    landed.append(pending.load_id)
    return landed


def judge_pending(form: str, quarter: str, settings: Settings, run_id: str | None = None) -> dict[str, str]:
    """Judge every landed return of a form and quarter; return the verdict per load id.

    Where a form's checks look at other returns, those that were registered before it are taken in first, whichever
    quarter they are of: a verdict must not depend on which task was quicker.

    Raises:
        CheckCouldNotRun: A check failed to run. Nothing was judged; it is our fault and the task fails.
    """
    forms = load_forms(settings.returns)
    verdicts = {}
    with connect(settings, "loader") as connection:
        for pending in pending_returns(form, quarter, connection, state="landed"):
            _judge_what_is_looked_at(pending, form, forms, connection, settings, run_id)
            verdicts[str(pending.load_id)] = _judge(pending, forms, connection, settings, run_id).verdict
        _write_receipts(form, quarter, connection, settings)
    return verdicts


def pending_returns(form: str, quarter: str, connection: Connection, state: str | None = None) -> list[Pending]:
    """Return the unjudged returns of a form and quarter in order of arrival.

    Args:
        form: The form's name.
        quarter: Such as ``2017-18-Q3``.
        connection: Any transaction.
        state: Only those in this state; by default registered and landed ones.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """select load.load_id, load.archive_path, load.partner_code
            from ledger.load_state
            join ledger.load using (load_id)
            where load_state.form = %s and load_state.reporting_quarter = %s and load_state.state = any(%s)
            order by load.load_id""",
            (form, quarter, [state] if state else ["registered", "landed"]),
        )
        return [Pending(*row) for row in cursor.fetchall()]


def withdraw_load(load_id: int, reason: str, settings: Settings) -> None:
    """Take an admitted load out of what is to be released; its lines and its verdict stay on record.

    Args:
        load_id: As the receipt and ``quarterday status`` name it.
        reason: Why, in words for whoever reads the ledger later.
        settings: Whose warehouse.

    Raises:
        OperatorError: There is no such load, it is not admitted, or a release has published it already.
    """
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        # A release that is being published now either has the load or comes after its withdrawal.
        hold_release(connection)
        hold_load(load_id, connection)
        cursor.execute("select state, file_name from ledger.load_state where load_id = %s", (load_id,))
        state, file_name = cursor.fetchone() or ("unknown", "")
        if state not in UNRELEASED:
            raise OperatorError(
                f"Load {load_id} {file_name} is {state}: only an admitted load that is not released can be withdrawn."
            )
        note_event(load_id, "withdrawn", reason, connection)


def correct_load(load_id: int, settings: Settings) -> int:
    """Register an admitted load's file once more, to be read with corrections that came after its verdict.

    The load stays as it was judged. The new one has its day of issue, so from the next release it speaks in its
    place, and the history keeps both. The next sweep of the inbox wakes it.

    Returns:
        The new load's id.

    Raises:
        OperatorError: There is no such load, it was not admitted, it has been read again already, or no correction
            concerns it that it was not judged with.
    """
    forms = load_forms(settings.returns)
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        hold_load(load_id, connection)
        cursor.execute("select state, form from ledger.load_state where load_id = %s", (load_id,))
        state, form = cursor.fetchone() or ("unknown", "")
        if state not in (*UNRELEASED, "released"):
            raise OperatorError(f"Load {load_id} is {state}: only an admitted return is read again with corrections.")
        cursor.execute("select load_id from ledger.load where corrects_load_id = %s", (load_id,))
        if newer := cursor.fetchone():
            raise OperatorError(f"Load {load_id} has been read again already, as load {newer[0]}.")
        ids = new_corrections(load_id, forms[form], connection)
        if not ids:
            raise OperatorError(f"No correction in returns/{form}/corrections.yml concerns load {load_id} and is new.")
        corrected = register_again(load_id, connection)
        note_event(corrected, "registered", f"load {load_id} again, to be read with {', '.join(ids)}", connection)
    return corrected


def check_file(path: Path, partner_code: str, settings: Settings) -> tuple[Verdict, str]:
    """Judge a file without loading it; return the verdict and the receipt as text. The database is left unchanged.

    A form that is new, or not as the warehouse has it, is set up for the check alone, by its owner.
    """
    forms = load_forms(settings.returns)
    form = forms.get(_form_named(path, partner_code, forms) or "")
    with connect(settings, "loader") as connection:
        is_ready = form is None or generating.is_deployed(form, connection)
        connection.rollback()
    with connect(settings, "loader" if is_ready else "owner") as connection:
        try:
            if form and not is_ready:
                generating.deploy(connection, {form.name: form})
            load_id, verdict = _try_out(path, partner_code, forms, connection, settings)
            return verdict, receipts.as_text(load_id, connection)
        finally:
            connection.rollback()


def _form_named(path: Path, partner_code: str, forms: dict[str, Form]) -> str | None:
    try:
        return identify(path, partner_code, forms).form
    except ReturnRejected:
        return None


def _land(
    pending: Pending, forms: dict[str, Form], connection: Connection, settings: Settings, run_id: str | None
) -> bool:
    # A run that was thought dead may still be writing: of two, one waits, and finds what the other has done.
    hold_load(pending.load_id, connection)
    if is_judged(pending.load_id, connection):
        connection.rollback()
        return False
    path = settings.archive / pending.archive_path
    try:
        identity = identify(path, pending.partner_code, forms)
        lines = land_return(path, forms[identity.form], identity, pending.load_id, connection)
    except ReturnRejected as rejection:
        connection.rollback()
        verdict = judge_findings(pending.load_id, rejection.findings, connection, run_id)
        connection.commit()
        tell_verdict(verdict.load_id, verdict.verdict, verdict.issue_count)
        receipts.write_receipt(pending.load_id, connection, settings.receipts)
        return False
    note_event(pending.load_id, "landed", f"{lines} lines", connection, run_id)
    connection.commit()
    tell_landed(pending.load_id, lines)
    return True


def _judge(
    pending: Pending, forms: dict[str, Form], connection: Connection, settings: Settings, run_id: str | None
) -> Verdict:
    identity = identify(settings.archive / pending.archive_path, pending.partner_code, forms)
    form = forms[identity.form]
    with about(load_id=pending.load_id):
        # Another run may have judged it meanwhile, as a return that its own looks at: its verdict is told once.
        hold_load(pending.load_id, connection)
        is_new = not is_judged(pending.load_id, connection)
        verdict = judge_load(pending.load_id, form, connection, settings.expectations, identity, run_id)
        connection.commit()
        if is_new:
            tell_verdict(verdict.load_id, verdict.verdict, verdict.issue_count)
    return verdict


def _judge_what_is_looked_at(
    pending: Pending,
    form: str,
    forms: dict[str, Form],
    connection: Connection,
    settings: Settings,
    run_id: str | None,
) -> None:
    looked_at = sorted(forms_looked_at(form, forms, settings.expectations))
    if not looked_at:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """select load_state.state, load.load_id, load.archive_path, load.partner_code
            from ledger.load_state
            join ledger.load using (load_id)
            where load_state.form = any(%s) and load_state.state in ('registered', 'landed') and load.load_id < %s
            order by load.load_id""",
            (looked_at, pending.load_id),
        )
        earlier = [(state, Pending(*row)) for state, *row in cursor.fetchall()]
    for state, one in earlier:
        if state == "landed" or _land(one, forms, connection, settings, run_id):
            _judge(one, forms, connection, settings, run_id)


def forms_looked_at(form: str, forms: dict[str, Form], expectations_folder: Path) -> set[str]:
    """Return the forms of which other returns decide on a return: those its form's checks read, and theirs in turn."""
    found: set[str] = set()
    to_ask = [form]
    while to_ask:
        asked = {name for check in checks_of(forms[to_ask.pop()], expectations_folder) for name in check.looks_at}
        to_ask += sorted((asked - found) & forms.keys())
        found |= asked
    return found


def _write_receipts(form: str, quarter: str, connection: Connection, settings: Settings) -> None:
    """Write the receipt of every judged return that has none: also of one whose task was cut off before it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """select load_id from ledger.load_state
            where form = %s and reporting_quarter = %s and verdict is not null order by load_id""",
            (form, quarter),
        )
        judged = [load_id for (load_id,) in cursor.fetchall()]
    for load_id in judged:
        if not any(settings.receipts.glob(f"receipt-{load_id}-*.html")):
            receipts.write_receipt(load_id, connection, settings.receipts)


def _try_out(
    path: Path, partner_code: str, forms: dict[str, Form], connection: Connection, settings: Settings
) -> tuple[int, Verdict]:
    try:
        identity = identify(path, partner_code, forms)
    except ReturnRejected as rejection:
        load_id = _scratch_load(path, partner_code, None, connection)
        return load_id, judge_findings(load_id, rejection.findings, connection)
    load_id = _scratch_load(path, partner_code, identity, connection)
    form = forms[identity.form]
    try:
        land_return(path, form, identity, load_id, connection)
    except ReturnRejected as rejection:
        with connection.cursor() as cursor:
            cursor.execute("rollback to savepoint registered")
        return load_id, judge_findings(load_id, rejection.findings, connection)
    sha256 = _sha256(path) if form.corrections else None
    return load_id, judge_load(load_id, form, connection, settings.expectations, identity, file_sha256=sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _scratch_load(path: Path, partner_code: str, identity: Identity | None, connection: Connection) -> int:
    """Register a load that the caller rolls back; its hash is drawn at random, so a known file can be checked too."""
    scratch = ArchivedFile(token_hex(32), path.stat().st_size, "")
    load_id = insert_load(scratch, path.name, partner_code, identity, connection)
    with connection.cursor() as cursor:
        cursor.execute("savepoint registered")
    return load_id
