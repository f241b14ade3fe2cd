"""Puts a file into the inbox as a partner's upload would, and waits for what becomes of it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

from quarterday import services
from quarterday.errors import OperatorError
from quarterday.inbox import SETTLE_SECONDS
from quarterday.settings import Settings

PARTNER_CODE = re.compile(r"[a-z][a-z0-9_]*")
VERDICT_SECONDS = 300.0

Tell = Callable[[str], None]


def put_into_inbox(file: Path, partner_code: str, settings: Settings, order: int = 0) -> str:
    """Copy a file into a partner's inbox folder in one step; return the SHA-256 of its bytes.

    The copy is whole before it gets its name, so it is dated back and need not settle first. The same bytes that wait
    under the name already are left as they are.

    Args:
        order: Files put in together are taken in by this number.

    Raises:
        OperatorError: The partner's code is not one, or another file of this name waits; that one is left as it is.
    """
    if not PARTNER_CODE.fullmatch(partner_code):
        raise OperatorError(f"'{partner_code}' is no partner's code; one looks like citizens_advice.")
    folder = settings.inbox / partner_code
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as draft:
        try:
            with file.open("rb") as opened:
                shutil.copyfileobj(opened, draft)
            os.fchmod(draft.fileno(), 0o640)
            draft.flush()
            moment = time.time() - SETTLE_SECONDS - 60 + order / 1000
            os.utime(draft.name, (moment, moment))
            _give_name(Path(draft.name), folder / file.name)
        finally:
            Path(draft.name).unlink()
    return sha256_of(file)


def _give_name(draft: Path, target: Path) -> None:
    try:
        os.link(draft, target)
    except FileExistsError:
        try:
            is_same = sha256_of(target) == sha256_of(draft)
        except FileNotFoundError:
            _give_name(draft, target)  # a sweep has taken it meanwhile: the name is free
            return
        if not is_same:
            raise OperatorError(
                f"Another file waits in the inbox as {target.parent.name}/{target.name}; it was left there and "
                "yours was not put in. Try again when it has been taken, or give yours another name."
            ) from None


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, by which the ledger knows it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def deliver(file: Path, partner_code: str, settings: Settings, tell: Tell) -> tuple[str, str]:
    """Put a file into the inbox, wake the sweep and wait for the verdict; return verdict and receipt.

    Raises:
        OperatorError: Airflow is not up, or there is no verdict in time.
    """
    asked = services.client(settings)
    asleep = asked.unhealthy_components()
    if asleep:
        raise OperatorError(f"Not running: {', '.join(asleep)}. Run 'quarterday up' first.")
    tell("putting the file into the inbox")
    sha256 = put_into_inbox(file, partner_code, settings)
    run_id = asked.trigger("inbox__sweep")
    tell("waiting for the verdict")
    return _wait_for_verdict(sha256, f"{partner_code}/{file.name}", run_id, settings)


def _wait_for_verdict(sha256: str, inbox_path: str, run_id: str, settings: Settings) -> tuple[str, str]:
    from quarterday import receipts
    from quarterday.warehouse import connect

    deadline = time.monotonic() + VERDICT_SECONDS
    while time.monotonic() < deadline:
        with connect(settings, "loader") as connection, connection.cursor() as cursor:
            cursor.execute(
                """select load_state.load_id, verdict from ledger.load_state join ledger.arrival using (load_id)
                where file_sha256 = %s and inbox_path = %s order by arrival_id desc limit 1""",
                (sha256, inbox_path),
            )
            row = cursor.fetchone()
            if row and row[1]:
                return str(row[1]), receipts.as_text(row[0], connection)
        time.sleep(0.5)
    raise OperatorError(
        f"No verdict on {inbox_path} after {VERDICT_SECONDS:.0f} s (sweep {run_id}). "
        f"See returns__load at {services.airflow_url(settings)}; the file is safe and will be taken up again."
    )
