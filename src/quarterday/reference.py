"""What the folder ``returns/`` says of its forms: who the partners are, what they owe from when to when, and which
priority a form serves.

It is written to the ledger when the warehouse is brought up to the code; dbt and the board read it there.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from quarterday.contracts import Form
from quarterday.errors import OperatorError

PARTNERS_FILE = "partners.csv"
COLUMNS = ("partner_code", "partner_name", "partner_type")


def read_partners(returns_folder: Path) -> dict[str, tuple[str, str, str]]:
    """Return (code, name, kind of body) of every partner, by its code.

    Raises:
        OperatorError: The file is missing, has other columns, or names a partner twice or by halves.
    """
    path = returns_folder / PARTNERS_FILE
    if not path.exists():
        raise OperatorError(f"{path}: missing. It names every partner: {','.join(COLUMNS)}.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise OperatorError(f"{path}: expected the columns {','.join(COLUMNS)}, found {reader.fieldnames}.")
        partners: dict[str, tuple[str, str, str]] = {}
        for row in reader:
            code, name, kind = (row[column] for column in COLUMNS)
            if not (code and name and kind) or code in partners:
                raise OperatorError(f"{path}: line {reader.line_num}: expected a new code, a name and a kind of body.")
            partners[code] = (code, name, kind)
    return partners


def write_reference(forms: Mapping[str, Form], returns_folder: Path, cursor: Cursor) -> None:
    """Make ``ledger.partner`` and ``ledger.form_priority`` say what the folder says. Not committed here.

    A partner that has left the file stays in the ledger, where its returns are.

    Raises:
        OperatorError: A contract names a partner that the file does not.
    """
    partners = read_partners(returns_folder)
    for form in forms.values():
        for code in form.contract.partners:
            if code not in partners:
                raise OperatorError(
                    f"{returns_folder / PARTNERS_FILE}: no line for {code}, which the contract of {form.name} names. "
                    "Nothing was changed; add the partner."
                )
    cursor.executemany(
        """insert into ledger.partner (partner_code, partner_name, partner_type) values (%s, %s, %s)
        on conflict (partner_code) do update
        set partner_name = excluded.partner_name, partner_type = excluded.partner_type""",
        list(partners.values()),
    )
    cursor.execute("delete from ledger.form_priority")
    cursor.executemany(
        "insert into ledger.form_priority (form, priority_code) values (%s, %s)",
        [(form.name, priority) for form in forms.values() for priority in form.contract.priorities],
    )
    cursor.execute("delete from ledger.commission")
    cursor.executemany(
        """insert into ledger.commission
        (form, partner_code, cadence, lag_quarters, commissioned_from, commissioned_to)
        values (%s, %s, %s, %s, %s, %s)""",
        [row for form in forms.values() for row in commissions(form)],
    )


def commissions(form: Form) -> list[tuple[object, ...]]:
    """Return the rows of ``ledger.commission`` for a form: one for each partner that sends it."""
    contract = form.contract
    owed = (contract.cadence, contract.lag_quarters, contract.contract_start, contract.contract_end)
    return [(contract.form, partner, *owed) for partner in contract.partners]
