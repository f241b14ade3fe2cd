"""What the benchmarks share: a server of their own, a file of any length, clocks, and paired ratios.

The database server is the embedded one, in the work folder, so that nobody else's work is on its clock.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import psycopg2
from psycopg2.extensions import connection as Connection

from quarterday import server, warehouse
from quarterday.settings import Settings, load_settings

PROJECT = Path(__file__).parent / "project"
SOURCES = Path(__file__).parents[2] / "shared" / "data" / "partner-files" / "police-uk-street-crime"
FORM, PARTNER, FILE_NAME = "street_crime", "street_crime", "2018-10-all-street.csv"
HEADINGS = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Seconds of the wall clock, and of the processor in this process and in the whole database server."""

    wall: float
    client: float
    server: float

    @property
    def cpu(self) -> float:
        """Processor seconds of client and server."""
        return self.client + self.server


def arguments(description: str, lines: int = 2_000_000) -> argparse.Namespace:
    """Read the command line that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lines", type=int, default=lines, help=f"lines of the file (default {lines:,})")
    parser.add_argument("--pairs", type=int, default=5, help="times that reference and ours alternate (default 5)")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "quarterday-benchmarks")
    return parser.parse_args()


@contextmanager
def warehouse_of(work: Path, project: Path = PROJECT) -> Iterator[Settings]:
    """Start the embedded server in the work folder with the forms of a project deployed; stop it at the end."""
    home = work / "home"
    settings = replace(
        load_settings(),
        project=project,
        home=home,
        inbox=home / "inbox",
        archive=home / "archive",
        receipts=home / "receipts",
        secrets=home / "secrets",
        server_url=None,
    )
    server.start(settings)
    try:
        warehouse.migrate(settings)
        with contextlib.closing(owner(settings)) as connection:
            connection.autocommit = True
            # A vacuum that starts by itself would be on one side's clock.
            connection.cursor().execute("alter system set autovacuum = off")
            connection.cursor().execute("select pg_reload_conf()")
        yield settings
    finally:
        server.stop(settings)


def make_file(work: Path, lines: int, faulty_every: int = 0) -> Path:
    """Return a street-crime csv of so many lines, made when it is not there.

    Real lines are repeated with other Crime IDs; without the real files, lines are made up.

    Args:
        faulty_every: A line in so many has a month, a longitude or a crime type that fails a check; 0 for none.
    """
    path = work / f"{lines}-{faulty_every}" / FILE_NAME
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADINGS + "\n")
            for number, line in enumerate(itertools.islice(_crimes(), lines)):
                file.write(_spoilt(line, number) if faulty_every and number % faulty_every == 7 else line)
        unfinished.rename(path)
    return path


def _crimes() -> Iterator[str]:
    source = _real_lines() or [_made_up(number) for number in range(60_000)]
    for turn in range(64):
        for line in source:
            crime_id, rest = line.split(",", 1)
            yield f"{crime_id[turn:]}{crime_id[:turn]},{rest}\n"


def _real_lines() -> list[str]:
    lines: list[str] = []
    seen: set[str] = set()
    for path in sorted(SOURCES.glob("*-street.csv")):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            crime_id = line.split(",", 1)[0]
            # One crime stands in two months with its outcome changed; here each is a crime of its own.
            lines.append(crime_id[::-1] + line[len(crime_id) :] if crime_id in seen else line)
            seen.add(crime_id)
    return lines


def _made_up(number: int) -> str:
    crime_id = f"{number * 2654435761 % 2**64:016x}" * 3 + f"{number:016x}"
    kinds = ("Burglary", "Drugs", "Robbery", "Public order", "Shoplifting")
    is_behaviour = number % 4 == 0
    return (
        f"{'' if is_behaviour else crime_id},2018-{10 + number % 3},Staffordshire Police,Staffordshire Police,"
        f"-{1 + number % 1000 / 1000:.6f},{52 + number % 997 / 1000:.6f},On or near Street {number % 5000},"
        f"E0100{number % 10000:04},Stafford {number % 99:03}A,"
        f"{'Anti-social behaviour' if is_behaviour else kinds[number % 5]},,"
    )


def _spoilt(line: str, number: int) -> str:
    cells = line.split(",")
    index, text = ((1, "2018-13"), (4, "west"), (9, "Piracy"))[number // 7 % 3]
    if index == 9 and not cells[0]:
        index, text = 5, "99.5"  # a line of anti-social behaviour has no ID; keep the two counts equal
    cells[index] = text
    return ",".join(cells)


def measure(work: Callable[[], object], settings: Settings) -> Cost:
    """Do a piece of work and return what it cost, here and in the server."""
    processes, before = _server_seconds(settings), _client_seconds()
    start = time.perf_counter()
    work()
    wall = time.perf_counter() - start
    return Cost(wall, _client_seconds() - before, _server_seconds(settings) - processes)


def _client_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _server_seconds(settings: Settings) -> float:
    """Return the processor seconds of the server: its processes, and those that have ended and were its own."""
    postmaster = server.server_process(settings)
    while True:  # until none has begun or ended while they were read: one that does is counted twice or not at all
        children = _children(postmaster)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            ticks = sum(_ticks(postmaster)[:4]) + sum(sum(_ticks(child)[:2]) for child in children)
            if _children(postmaster) == children:
                return ticks / TICKS


def _children(process: int | None) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _ticks(process: int | None) -> list[int]:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]


def forget_peak() -> None:
    """Begin anew to watch the most memory that this process holds."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> float:
    """Return the most memory that this process has held since :func:`forget_peak`, in MiB."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) / 1024 if found else 0.0


@dataclass(frozen=True)
class Way:
    """One way of doing the work: its name, what is timed, what puts everything back, what is done first untimed."""

    name: str
    run: Callable[[], object]
    undo: Callable[[], object] = lambda: None
    prepare: Callable[[], object] = lambda: None


def compare(reference: Way, ways: Sequence[Way], pairs: int, settings: Settings) -> list[list[str]]:
    """Alternate the reference with each way and return a table: medians, and the medians of the paired ratios."""
    rows: dict[str, list[tuple[Cost, Cost]]] = {way.name: [] for way in ways}
    _timed(reference, settings)  # the first run fills caches that all others find filled
    for _ in range(pairs):
        for way in ways:
            rows[way.name].append((_timed(reference, settings), _timed(way, settings)))
    base = [cost for costs in rows.values() for cost, _ in costs]
    table = [row(reference.name, [(cost, cost) for cost in base])]
    return [*table, *(row(name, costs) for name, costs in rows.items())]


def _timed(way: Way, settings: Settings) -> Cost:
    way.prepare()
    with contextlib.closing(owner(settings)) as connection:
        connection.autocommit = True
        connection.cursor().execute("checkpoint")  # or one falls into somebody's time
    cost = measure(way.run, settings)
    way.undo()
    return cost


def row(name: str, costs: Sequence[tuple[Cost, Cost]]) -> list[str]:
    """Return a line of a table: medians, and the medians of the ratios to the reference measured beside each."""
    return [
        name,
        f"{median(ours.wall for _, ours in costs):.2f}",
        f"{median(ours.client for _, ours in costs):.2f}",
        f"{median(ours.server for _, ours in costs):.2f}",
        f"{median(ours.wall / base.wall for base, ours in costs):.2f}",
        f"{median(ours.cpu / base.cpu for base, ours in costs):.2f}",
        f"{median(ours.server / base.server for base, ours in costs):.2f}",
    ]


COLUMNS = ["way", "wall s", "client CPU s", "server CPU s", "wall x", "CPU x", "server CPU x"]


def show(title: str, rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS) -> None:
    """Print a table in Markdown under the command that made it."""
    print(f"\n{title}\n`python -m {Path(sys.argv[0]).parent.name}.{Path(sys.argv[0]).stem} {' '.join(sys.argv[1:])}`\n")
    for row in (columns, ["---"] * len(columns), *rows):
        print("| " + " | ".join(row) + " |", flush=True)


def run(connection: Connection, statement: str) -> None:
    """Run one statement in a transaction of its own."""
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


def owner(settings: Settings) -> Connection:
    """Return a connection as the owner, who may copy from a file of the server."""
    return psycopg2.connect(server.server_address(settings))
