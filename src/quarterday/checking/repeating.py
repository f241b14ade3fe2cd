"""Cells that a large load repeats together, as a place's name, code and coordinates are, are judged once for a place.

The database lists the different combinations of such columns, which takes a fraction of looking at each line's cells.
Where every combination is plainly right, so is every line, and the profile need not look at these columns. The list is
then kept in ``landing.repeated_cells``: a fact may hold a key of it in place of the cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from quarterday.checking.checks import Check, sql_text
from quarterday.checking.quick import plainly_typed
from quarterday.checking.sampling import FEWEST_LINES, PERCENT_OF_PAGES
from quarterday.contracts import Form

# More combinations than this part of the lines, and listing them costs about what it saves.
MOST_COMBINATIONS = 0.1
# A column of fewer values is cheaply looked at by itself, and would only multiply the combinations.
FEWEST_VALUES = 100
RIGHT = "true"


@dataclass(frozen=True)
class Seen:
    """What is known of a load before its profile: columns of which every cell is plainly right, and how many lines.

    ``line_count`` is None where they were not counted.
    """

    columns: frozenset[str] = frozenset()
    line_count: int | None = None


def see_combinations(
    load_id: int, form: Form, checks: Sequence[Check], connection: Connection, percent: float = PERCENT_OF_PAGES
) -> Seen:
    """Return columns of a register's load of which every cell was seen to be plainly right.

    Those that each hold many values, but few in proportion to the lines, and few combinations of them. Of the others,
    and of a load in which some combination is not plainly right, nothing is said.

    Args:
        load_id: A landed load.
        connection: Open transaction. The combinations are written, in place of those of an earlier judgement.
        percent: The part of the load's pages by which the number of combinations is guessed.
    """
    tests = _tests(form, checks)
    if form.is_indicator or form.corrections or not tests:
        return Seen()
    with connection.cursor() as cursor:
        cursor.execute("savepoint repeating")
        try:
            cursor.execute("delete from landing.repeated_cells where load_id = %s", (load_id,))
            names = _repeated(cursor, load_id, form, list(tests), percent)
            seen = _look(cursor, load_id, form, {name: tests[name] for name in names}) if names else Seen()
        except psycopg2.OperationalError:
            raise
        except psycopg2.Error:
            # A test that the database refuses: the profile says which, and why.
            cursor.execute("rollback to savepoint repeating")
            return Seen()
        cursor.execute("release savepoint repeating")
    return seen


def without_looking(checks: Sequence[Check], seen: Seen) -> list[Check]:
    """Return the checks, those that a column seen to be plainly right passes with nothing left to look at."""
    return [
        replace(check, passes_when=RIGHT) if check.passes_when and check.column in seen.columns else check
        for check in checks
    ]


def _tests(form: Form, checks: Sequence[Check]) -> dict[str, str]:
    """Return, by column, SQL on a landed line that is true only where its cell is plainly right, if there is such."""
    tests = {}
    for column in form.contract.columns:
        own = [check.passes_when for check in checks if check.predicate and check.column == column.name]
        asked = [f"({test})" for test in dict.fromkeys(filter(None, own))]
        if test := " and ".join(asked) or plainly_typed(column, form):
            tests[column.name] = test
    return tests


def _repeated(cursor: Cursor, load_id: int, form: Form, names: list[str], percent: float) -> list[str]:
    """Return those columns that a sample shows to hold many values with few combinations; none of a short load."""
    sample = (
        f'landing."{form.name}" tablesample system ({float(percent)}) repeatable (1) where load_id = {int(load_id)}'
    )
    cursor.execute(f"select count(*) from {sample}")
    (count,) = cursor.fetchone() or (0,)
    most = MOST_COMBINATIONS * count * 100 / percent
    if count < FEWEST_LINES:
        return []
    repeated = [name for name in names if FEWEST_VALUES < _combinations(cursor, sample, [name]) <= most]
    return repeated if repeated and _combinations(cursor, sample, repeated) <= most else []


def _combinations(cursor: Cursor, sample: str, names: Sequence[str]) -> float:
    """Guess how many combinations of columns a load has from those that its sample shows once and twice (Chao 1984)."""
    listed = ", ".join(f'"{name}"' for name in names)
    cursor.execute(
        "select count(*), count(*) filter (where times = 1), count(*) filter (where times = 2)\n"
        f"from (select count(*) as times from {sample} group by {listed}) as combination"
    )
    seen, once, twice = cursor.fetchone() or (0, 0, 0)
    return float(seen + once * (once - 1) / (2 * (twice + 1)))


def _look(cursor: Cursor, load_id: int, form: Form, tests: Mapping[str, str]) -> Seen:
    listed = ", ".join(f'"{name}"' for name in tests)
    # Nothing is known yet of a fresh load: it would be sorted, or every line be handed from worker to leader.
    cursor.execute(
        "set local enable_sort = off; set local max_parallel_workers_per_gather = 0; "
        "set local work_mem = '96MB'; set local jit = off"
    )
    cells = ", ".join(f'{sql_text(name)}, "{name}"' for name in tests)
    cursor.execute(
        f"""with combination as materialized (
            select {listed}, count(*) as times from landing."{form.name}" where load_id = {int(load_id)}
            group by {listed}
        ),
        found as (
            select bool_and(({" and ".join(tests.values())}) is true) as is_right, sum(times) as line_count
            from combination
        ),
        kept as (
            insert into landing.repeated_cells (load_id, cells)
            select {int(load_id)}, jsonb_build_object({cells})
            from combination
            where (select is_right from found)
        )
        select is_right, line_count from found"""
    )
    is_right, line_count = cursor.fetchone() or (False, 0)
    cursor.execute("set local max_parallel_workers_per_gather to default")
    return Seen(frozenset(tests) if is_right else frozenset(), int(line_count))
