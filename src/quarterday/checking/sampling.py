"""Values that a large load repeats are judged once: a line that has one of them need not be looked at again.

Some pages of a load are looked through for columns of few values. Those that no check fails become a list, and the
cheapest way to pass the column's checks is to be on it. A value that comes later is judged in full, as before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.checking.checks import Check, sql_text
from quarterday.checking.quick import plainly_typed
from quarterday.contracts import Form
from quarterday.generating import typed_columns

# Of a million lines, some five thousand in pages from all over the table.
PERCENT_OF_PAGES = 0.5
FEWEST_LINES = 500
MOST_VALUES, MOST_NEW = 5_000, 0.2
FEW_VALUES = 24
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_OF_LINE = {"load_id", "sheet", "line_number", "select"}


def know_values(
    load_id: int, form: Form, checks: Sequence[Check], connection: Connection, percent: float = PERCENT_OF_PAGES
) -> list[Check]:
    """Return the checks, those of a column with few values with a cheaper ``passes_when``.

    Args:
        load_id: A landed load.
        connection: Open transaction. Nothing is written.
        percent: The part of the load's pages that is looked at. With few lines in it, all is judged as it is.
    """
    alone = {check.check_id: name for check in checks if (name := _only_column(check, form))}
    if form.is_indicator or form.corrections or not alone:
        return list(checks)
    with connection.cursor() as cursor:
        cursor.execute("savepoint sampling")
        try:
            right = _right_values(cursor, load_id, form, checks, alone, percent)
        except psycopg2.OperationalError:
            raise
        except psycopg2.Error:
            # A check that the database refuses: the profile says which, and why.
            cursor.execute("rollback to savepoint sampling")
            return list(checks)
        cursor.execute("release savepoint sampling")
    return [
        replace(check, passes_when=right[alone[check.check_id]]) if alone.get(check.check_id) in right else check
        for check in checks
    ]


def _right_values(
    cursor: Cursor, load_id: int, form: Form, checks: Sequence[Check], alone: dict[str, str], percent: float
) -> dict[str, str]:
    """Return, by column, the SQL that is true for a cell with a value that every check of the column lets pass."""
    names = sorted(set(alone.values()))
    seen = _values_seen(cursor, load_id, form, names, percent)
    conditions = {}
    for name, values in seen.items():
        own = [check for check in checks if alone.get(check.check_id) == name]
        passed = _passing(cursor, form, name, values, [check.predicate or "" for check in own])
        texts = [value for value in passed if value is not None]
        is_null = f'"{name}" is null' if None in passed else ""
        is_listed = _is_one_of(name, texts) if texts else ""
        # A value that the sample did not show may still be plainly right.
        otherwise = (
            next((check.passes_when for check in own if check.passes_when), "") if len(texts) > FEW_VALUES else ""
        )
        if is_listed or is_null:
            conditions[name] = f"({' or '.join(filter(None, (is_null, is_listed, otherwise)))})"
    return conditions


def _is_one_of(name: str, texts: Sequence[str]) -> str:
    """Return SQL that is true for a text of a list: of a long one, PostgreSQL makes a hash table once."""
    if len(texts) <= FEW_VALUES:
        return f'"{name}" in ({", ".join(map(sql_text, texts))})'
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    return f'"{name}" = any({sql_text("{" + ",".join(quoted) + "}")}::text[])'


def _values_seen(
    cursor: Cursor, load_id: int, form: Form, names: Sequence[str], percent: float
) -> dict[str, list[str | None]]:
    """Return the distinct cells of a sample as sent, for each column that repeats them; none of a short load.

    As many of the load's other cells are new as cells of the sample stand there once.
    """
    sample = (
        f'landing."{form.name}" tablesample system ({float(percent)}) repeatable (1) where load_id = {int(load_id)}'
    )
    seen = {}
    for name in names:
        cursor.execute(
            "select coalesce(sum(times), 0), count(*) filter (where times = 1), array_agg(cell)\n"
            f'from (select "{name}" as cell, count(*) as times from {sample} group by "{name}") as cells'
        )
        count, once, values = cursor.fetchone() or (0, 0, None)
        if count < FEWEST_LINES:
            return {}
        if len(values) <= MOST_VALUES and once <= MOST_NEW * int(count):
            seen[name] = values
    return seen


def _passing(
    cursor: Cursor, form: Form, name: str, values: Sequence[str | None], predicates: Sequence[str]
) -> list[str | None]:
    """Return the values that no predicate is true for, as far as they are plainly typed."""
    sent = ", ".join(
        f'{"tried.value" if column.name == name else "null::text"} as "{column.name}"'
        for column in form.contract.columns
    )
    tried = ", ".join("null" if value is None else sql_text(value) for value in values)
    line = f"0::bigint as load_id, null::text as sheet, 0 as line_number, {sent}, tried.place"
    fails = " or ".join(f"({predicate}\n)" for predicate in predicates)
    column = form.contract.column(name)
    is_plain = (plainly_typed(column, form) if column else None) or "false"
    cursor.execute(
        f"select place from ({typed_columns(form, False)}, place, {is_plain} as is_plain\n"
        f"from (select {line} from unnest(array[{tried}]::text[]) with ordinality as tried (value, place)) as sent"
        f") as line where ({fails}) is not true and is_plain order by place"
    )
    return [values[place - 1] for (place,) in cursor.fetchall()]


def _only_column(check: Check, form: Form) -> str | None:
    """Return the one column that a check's predicate names, if it names one alone; a word in a text is a name too."""
    if not check.predicate or "{" in check.predicate:
        return None
    words = set(_WORD.findall(check.predicate.lower()))
    if words & _OF_LINE:
        return None
    named = {
        column.name
        for column in form.contract.columns
        if words & {column.name, f"{column.name}_ok", f"{column.name}_flag"}
    }
    return named.pop() if len(named) == 1 else None
