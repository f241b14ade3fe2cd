"""Twenty questions asked by many connections of the marts, and word for word of plain partitioned tables.

The plain tables hold what the marts and the history show, partitioned by quarter, with the columns' own indexes and no
ledger: what somebody would build who never restates, withdraws or asks what was known. Both are asked in one run, burst
by burst, in an order that alternates. See :mod:`benchmarks.history` for how millions of rows come to be.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from benchmarks import bench, history
from quarterday import maintaining, releasing, warehouse
from quarterday.settings import Settings, database_url, load_settings
from quarterday.warehouse import connect

FILE = Path(__file__).with_suffix(".sql")
QUESTION = re.compile(r"^-- name: (\w+)\n(.*?);\n", re.MULTILINE | re.DOTALL)
SIDES = {"ours": ("mart", "history"), "plain": ("plain_mart", "plain_history")}
RATIO, ALL_HISTORY_MS, READERS = 1.3, 100, 16
# What the questions ask, and the indexes that core has for it beside its load's.
BY_QUARTER = {
    "mart.fct_recorded_crime": None,
    "mart.fct_recorded_crime_count": None,
    "mart.fct_measurement": "(measure_code, breakdown_code, period_start)",
    "history.fct_recorded_crime_count": None,
    "history.fct_measurement": "(measure_code, breakdown_code, period_start)",
}
WHOLE = {
    "mart.fct_outcome": "(measure_code, area_code, period_key)",
    "mart.fct_priority": "(priority_code, period_key)",
    "history.fct_outcome": "(release_id, measure_code, area_code, period_key)",
}


@dataclass
class Asked:
    """Milliseconds that one question took, by side."""

    name: str
    text: str
    taken: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})

    @property
    def ratio(self) -> float:
        """The 95th percentile of ours to that of plain tables."""
        return p95(self.taken["ours"]) / p95(self.taken["plain"])


def main() -> None:
    """Print a line for each question, and what limits are kept."""
    options = _options()
    million, rounds = options.million, options.rounds
    with bench.warehouse_of(options.work, load_settings().project) as server:
        history.make_first_quarter(server, options.work, options.lines)
        settings = history.database(f"questions_{million}", server)
        warehouse.migrate(settings)
        releasing.deploy_marts(settings)  # a history that an earlier run has made has the views of older code
        history.repeat_quarters(settings, million * 1_000_000 // options.lines, (), landed=False)
        make_plain(settings)
        questions = [Asked(name, text) for name, text in read_questions()]
        draws = drawn(settings)
        hold_together(questions, draws, settings)
        ask_all(questions, draws, rounds, settings)
        alone = [Asked(one.name, one.text) for one in questions if one.name.startswith("all_")]
        ask_all(alone, draws, max(rounds, 10), settings, readers=1)
    tell(questions, alone, million, rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", type=int, default=20, help="rows of history, in millions (default 20)")
    parser.add_argument("--lines", type=int, default=200_000, help="lines of a quarter (default 200,000)")
    parser.add_argument("--rounds", type=int, default=5, help="bursts of each question on each side (default 5)")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "quarterday-benchmarks")
    return parser.parse_args()


def read_questions() -> list[tuple[str, str]]:
    """Return the questions' names and texts, in order."""
    found = QUESTION.findall(FILE.read_text(encoding="utf-8"))
    assert len(found) == len({name for name, _ in found}) == 20, len(found)
    return [(name, text) for name, text in found]


def make_plain(settings: Settings) -> None:
    """Make tables of what the marts show, partitioned by quarter, unless they are there."""
    with contextlib.closing(bench.owner(settings)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('plain_mart.is_whole') is not null")
            if cursor.fetchone() == (True,):
                return
            cursor.execute("drop schema if exists plain_mart, plain_history cascade")
            cursor.execute("create schema plain_mart; create schema plain_history")
            for relation, index in (BY_QUARTER | WHOLE).items():
                _copy(relation, index, relation in BY_QUARTER, connection)
            for schema in ("plain_mart", "plain_history"):
                cursor.execute(f"grant usage on schema {schema} to quarterday_reader")
                cursor.execute(f"grant select on all tables in schema {schema} to quarterday_reader")
            for relation in BY_QUARTER | WHOLE:
                cursor.execute(f"vacuum (analyze) plain_{relation}")
            maintaining.maintain(settings)
            cursor.execute("create table plain_mart.is_whole ()")


def _copy(relation: str, index: str | None, by_quarter: bool, connection: Connection) -> None:
    plain = f"plain_{relation}"
    with connection.cursor() as cursor:
        cursor.execute(f"create table {plain} (like {relation}){' partition by list (period_key)' * by_quarter}")
        if by_quarter:
            cursor.execute(f"select distinct period_key from {relation} order by 1")
            for (quarter,) in cursor.fetchall():
                name = f"{plain}_{quarter.replace('-', '_').lower()}"
                cursor.execute(f"create table {name} partition of {plain} for values in (%s)", (quarter,))
        if index:
            cursor.execute(f"create index on {plain} {index}")
        cursor.execute(f"insert into {plain} select * from {relation}")


def drawn(settings: Settings) -> dict[str, list[Any]]:
    """Return what each place of a question may be filled with."""
    places = {
        "quarter": "select distinct period_key from mart.fct_recorded_crime_count order by 1",
        "area": "select area_code from mart.fct_recorded_crime_count where area_code is not null"
        " group by 1 order by sum(crime_count) desc limit 10",
        "type": "select distinct crime_type from mart.fct_recorded_crime_count order by 1",
        "priority": "select priority_code from mart.dim_priority order by 1",
        "moment": "select published_at from ledger.release where published_at is not null order by 1",
        "outcome_quarter": "select distinct period_key from mart.fct_outcome order by 1",
    }
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        found: dict[str, list[Any]] = {"measure": [history.MEASURE]}
        for place, statement in places.items():
            cursor.execute(statement)
            found[place] = [value for (value,) in cursor.fetchall()]
    return found


def filled(text: str, side: str, draws: Mapping[str, Sequence[Any]], chance: random.Random) -> sql.Composed:
    """Return a question of a side with its places filled by chance; quarter, year and first day go together."""
    values = {place: chance.choice(values) for place, values in draws.items()}
    first = int(values["quarter"][:4]), int(values["quarter"][-1])
    values["year"] = values["quarter"][:7]
    values["start"] = f"{first[0] + (first[1] == 4)}-{(first[1] * 3) % 12 + 1:02}-01"
    mart, past = (sql.Identifier(schema) for schema in SIDES[side])
    literals = {place: sql.Literal(value) for place, value in values.items()}
    return sql.SQL(text).format(mart=mart, history=past, **literals)


def hold_together(questions: Sequence[Asked], draws: Mapping[str, Sequence[Any]], settings: Settings) -> None:
    """See that both sides give the same answer to each question."""
    with contextlib.closing(psycopg2.connect(database_url(settings, "reader"))) as connection:
        for one in questions:
            answers = []
            for side in SIDES:
                with connection.cursor() as cursor:
                    cursor.execute(filled(one.text, side, draws, random.Random(one.name)))
                    answers.append(sorted(map(repr, cursor.fetchall())))
            ours, plain = answers
            assert "limit" in one.text or ours == plain, (one.name, ours[:3], plain[:3])
            print(f"{one.name}: {len(ours)} rows", file=sys.stderr, flush=True)


def ask_all(
    questions: Sequence[Asked],
    draws: Mapping[str, Sequence[Any]],
    rounds: int,
    settings: Settings,
    readers: int = READERS,
) -> None:
    """Ask each question in bursts, one for each side a round; the first round fills caches and doesn't count."""
    url = database_url(settings, "reader")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(contextlib.closing(psycopg2.connect(url))) for _ in range(readers)]
        for connection in connections:
            connection.autocommit = True
        pool = stack.enter_context(ThreadPoolExecutor(readers))
        for number in range(rounds + 1):
            for one in questions:
                for side in sorted(SIDES, reverse=bool(number % 2)):
                    chances = [random.Random(f"{one.name} {number} {reader}") for reader in range(readers)]
                    texts = [filled(one.text, side, draws, chance) for chance in chances]
                    taken = list(pool.map(_ask, connections, texts))
                    if number:
                        one.taken[side] += taken
            print(f"round {number} of {rounds} with {readers}", file=sys.stderr, flush=True)


def _ask(connection: Connection, text: sql.Composed) -> float:
    """Ask once and return how many milliseconds the rows took to come."""
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(text)
        cursor.fetchall()
        return (time.perf_counter() - start) * 1000


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(values, n=20, method="inclusive")[-1]


def tell(questions: Sequence[Asked], alone: Sequence[Asked], million: int, rounds: int) -> None:
    """Print the tables, and of each limit whether it is kept."""
    rows = [
        [
            one.name,
            *(f"{p95(one.taken[side]):.1f}" for side in SIDES),
            f"{one.ratio:.2f}",
            "kept" if one.ratio <= RATIO else "missed",
        ]
        for one in questions
    ]
    together = {side: [value for one in questions for value in one.taken[side]] for side in SIDES}
    ratio = p95(together["ours"]) / p95(together["plain"])
    rows.append(["all twenty together", *(f"{p95(together[side]):.1f}" for side in SIDES), f"{ratio:.2f}", ""])
    title = f"{million} million rows, {READERS} connections, {rounds} bursts a question: p95 in milliseconds"
    bench.show(title, rows, ["question", "ours", "plain", "ratio", f"limit {RATIO}"])
    rows = [[one.name, *(f"{p95(one.taken[side]):.1f}" for side in SIDES)] for one in alone]
    bench.show(
        f"All history, one connection (limit {ALL_HISTORY_MS} ms): p95 in milliseconds", rows, ["question", *SIDES]
    )


if __name__ == "__main__":
    main()
