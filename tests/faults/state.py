"""What a warehouse and its folders come to, told without what no two runs share: numbers, moments, process ids."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from quarterday.settings import Settings
from quarterday.warehouse import connect

READERS = ("mart", "history")
# Surrogates that only tell rows apart; the rows themselves are compared.
SURROGATES = re.compile(r"(event|issue|publication|arrival|notice|assessment)_id$|^run_id$")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")
# In a range's text a moment is written otherwise than in a column of its own.
MOMENT_IN_RANGE = re.compile(r'\\?"?(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00\\?"?')
NUMBERED = re.compile(r"\b(load|release)(s?[ _]|-)(\d+)\b")
# In a receipt's name, its title and its table of facts.
OF_RECEIPT = re.compile(r"([Rr]eceipt(?:-| |(?: number)\W+(?:\w+\W+){0,3}?))(\d+)\b")

State = dict[str, list[str]]


def state_of(settings: Settings, *schemas: str) -> State:
    """Return the rows of every relation of some schemas, and the relations there are.

    Of core only the tables: its views say what an open release would come to.
    """
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        names = _Names(cursor)
        cursor.execute(
            """select schemas.nspname, relation.relname, relation.relkind
            from pg_class as relation
            join pg_namespace as schemas on schemas.oid = relation.relnamespace
            where schemas.nspname = any(%s) and relation.relkind in ('r', 'v', 'p', 'm')
                and not (schemas.nspname = 'core' and relation.relkind = 'v')
            order by 1, 2""",
            (list(schemas),),
        )
        relations = cursor.fetchall()
        state = {"relations": sorted(names.of_text(f"{schema}.{name}") for schema, name, _ in relations)}
        for schema, name, _ in relations:
            cursor.execute(f'select to_jsonb(line)::text from "{schema}"."{name}" as line')
            rows = [names.of_row(json.loads(text)) for (text,) in cursor.fetchall()]
            state[names.of_text(f"{schema}.{name}")] = _without_attempts(f"{schema}.{name}", rows)
    return state


def folders_of(settings: Settings) -> State:
    """Return the files of inbox, archive and receipts, with what is in them, and what else stands in the home."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        names = _Names(cursor)
    return {
        "inbox": [f"{name} {_hash(path)}" for name, path in _files(settings.inbox)],
        "archive": [
            f"{name} {oct(path.stat().st_mode)} {path.stat().st_nlink} names {_hash(path)}"
            for name, path in _files(settings.archive)
        ],
        "receipts": sorted(
            f"{names.of_text(name)}: {_text_of(path, names)}" for name, path in _files(settings.receipts)
        ),
        "home": [
            f"{names.of_text(name)}: {_text_of(path, names)}"
            for name, path in _files(settings.home)
            if not name.startswith("dbt/")
        ],
    }


def differences(found: State, wanted: State) -> list[str]:
    """Say in a few lines where two states differ; nothing where they don't."""
    told = []
    for name in sorted(found.keys() | wanted.keys()):
        one, other = found.get(name, ["(is not there)"]), wanted.get(name, ["(is not there)"])
        if one != other:
            more = [line[:400] for line in _beyond(one, other)][:3]
            less = [line[:400] for line in _beyond(other, one)][:3]
            told.append(f"{name}: {len(one)} rows for {len(other)}; found {more}, wanted {less}")
    return told


def _beyond(one: list[str], other: list[str]) -> list[str]:
    left = list(other)
    beyond = []
    for line in one:
        if line in left:
            left.remove(line)
        else:
            beyond.append(line)
    return beyond


class _Names:
    """Gives loads names by their files, releases by their order, and moments by the release that was published then.

    A file that was not yet put back when all was killed is taken by the next sweep before others, so loads have no
    order.
    """

    def __init__(self, cursor: Cursor) -> None:
        cursor.execute(
            """select load_id, left(file_sha256, 8), row_number() over (partition by file_sha256 order by load_id)
            from ledger.load"""
        )
        self.load = {str(number): f"L{file}x{rank}" for number, file, rank in cursor.fetchall()}
        cursor.execute(
            """select release_id, to_jsonb(published_at at time zone 'UTC') #>> '{}'
            from ledger.release order by release_id"""
        )
        releases = cursor.fetchall()
        self.release = {str(number): f"R{rank}" for rank, (number, _) in enumerate(releases, 1)}
        self.moments = {moment: f"moment of R{rank}" for rank, (_, moment) in enumerate(releases, 1) if moment}

    def of_text(self, text: str) -> str:
        """Return a text that speaks of loads and releases by number with their names in place of these."""
        told = OF_RECEIPT.sub(lambda found: f"{found[1]}{self._number('load', found[2])}", text)
        return NUMBERED.sub(lambda found: f"{found[1]}{found[2]}{self._number(found[1], found[3])}", told)

    def of_row(self, row: dict[str, Any]) -> str:
        """Return a row as text, without what no two runs share."""
        kept = {name: self._value(name, value) for name, value in row.items() if not SURROGATES.search(name)}
        return json.dumps(kept, sort_keys=True)

    def _value(self, column: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(column, each) for each in value]
        if isinstance(value, dict):
            return {name: self._value(name, each) for name, each in value.items()}
        if isinstance(value, str) and MOMENT.fullmatch(value):
            return value if column == "file_modified_at" else self._moment(value.removesuffix("+00:00"))
        if isinstance(value, str):
            told = MOMENT_IN_RANGE.sub(lambda found: self._moment(f"{found[1]}T{found[2]}"), value)
            return self.of_text(told)
        if value is None or isinstance(value, bool):
            return value
        if column.endswith("load_id") or column == "checked_loads":
            return self._number("load", value)
        is_release = column.endswith("release_id") or column == "withdraws"
        return self._number("release", value) if is_release else value

    def _number(self, kind: str, number: object) -> str:
        return (self.load if kind == "load" else self.release).get(str(number), f"unknown {kind}")

    def _moment(self, moment: str) -> str:
        return self.moments.get(moment, "some moment")


def _without_attempts(relation: str, rows: list[str]) -> list[str]:
    """Return the rows sorted; of what is written at each attempt, once what they all say."""
    if relation == "ledger.dbt_run":
        runs = [json.loads(row) for row in rows]
        return sorted({f"{run['release_id']} {run['node_id']} {run['status']}" for run in runs})
    if relation == "ledger.suite_run":
        runs = [json.loads(row) for row in rows]
        return sorted({f"{run['load_id']} {run['release_id']} {run['failed_count']}" for run in runs})
    if relation == "ledger.load_event":
        landed = {row for row in rows if json.loads(row)["event"] == "landed"}
        return sorted([*landed, *(row for row in rows if row not in landed)])
    return sorted(rows)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    if folder.is_dir():
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(folder)), path


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _text_of(path: Path, names: _Names) -> str:
    """Return what a receipt says, without its number."""
    if path.suffix == ".xlsx":
        from python_calamine import CalamineWorkbook

        book = CalamineWorkbook.from_path(path)
        text = json.dumps([book.get_sheet_by_name(name).to_python() for name in book.sheet_names], default=str)
    else:
        text = path.read_text()
    return re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d", "some moment", names.of_text(text))
