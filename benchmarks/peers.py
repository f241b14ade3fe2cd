"""Ours against dlt, pandas and a Singer target (landing), and against Soda and dbt test (checking), in one run.

Each peer has an environment of its own in the work folder, made by uv at its first run. One that can't be installed or
fails is left out, and the table says so. A peer's time has its start in it; ours has
not, so give it lines enough.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import bench, check, land
from quarterday.server import server_address
from quarterday.settings import Settings

SCRIPTS = Path(__file__).parent / "peers_of"


@dataclass(frozen=True)
class Peer:
    """A peer: its script and the packages that it needs."""

    name: str
    script: str
    packages: tuple[str, ...]


LANDING = (
    Peer("dlt, Arrow to csv", "land_dlt.py", ("dlt[postgres]==1.31.0", "pyarrow")),
    Peer("pandas to_sql", "land_pandas.py", ("pandas<4", "sqlalchemy<3", "psycopg2-binary")),
    Peer("Singer target with COPY", "land_singer.py", ("meltanolabs-target-postgres==0.8.1",)),
)
CHECKING = (
    Peer("Soda Core", "check_soda.py", ("soda-core-postgres==3.5.6", "setuptools<81")),
    Peer("dbt test", "check_dbt.py", ("dbt-core>=1.11,<1.12", "dbt-postgres>=1.11,<1.12")),
)


def main() -> None:
    """Print the two tables of `peers`."""
    options = bench.arguments(__doc__ or "", lines=100_000)
    path = bench.make_file(options.work, options.lines)
    with bench.warehouse_of(options.work) as settings:
        ours = bench.Way(
            "ours, inbox to landed", lambda: land.take_in(settings), prepare=lambda: land.put_back(path, settings)
        )
        rows = [against(ours, options.pairs, settings)]
        rows += [of_peer(peer, path, options.work, options.pairs, settings) for peer in LANDING]
        columns = ["way", "wall s", "client CPU s", "server CPU s", "CPU s"]
        bench.show(f"Landing {options.lines:,} lines", rows, columns)
        check_beside(path, options, settings)


def check_beside(path: Path, options: argparse.Namespace, settings: Settings) -> None:
    """Print the table of checking: by hand, ours and the peers."""
    columns = ["way", "wall s", "client CPU s", "server CPU s", "CPU s"]
    with check.landed(path, settings) as (load_id, loader):
        make_table(load_id, settings)
        rows = [against(check.by_hand(load_id, loader), options.pairs, settings)]
        rows += [against(check.through_gx(load_id, loader, settings), options.pairs, settings)]
        rows += [of_peer(peer, path, options.work, options.pairs, settings) for peer in CHECKING]
    bench.show(f"20 checks on {options.lines:,} lines", rows, columns)


def make_table(load_id: int, settings: Settings) -> None:
    """Make the table that the peers check: the landed text, and the two numbers typed."""
    with contextlib.closing(bench.owner(settings)) as owner:
        bench.run(owner, "drop table if exists crimes_of_peers")
        bench.run(
            owner,
            "create table crimes_of_peers as select sent.*, longitude::numeric as longitude_number, "
            f"latitude::numeric as latitude_number from landing.street_crime as sent where load_id = {load_id}",
        )


def against(way: bench.Way, times: int, settings: Settings) -> list[str]:
    """Time our own work, once its imports are done: a worker does them once."""
    way.prepare()
    way.run()
    way.undo()
    costs = []
    for _ in range(times):
        way.prepare()
        costs.append(bench.measure(way.run, settings))
        way.undo()
    return row(way.name, costs)


def of_peer(peer: Peer, path: Path, work: Path, times: int, settings: Settings) -> list[str]:
    """Install a peer and time it; a row that says why where it can't be."""
    try:
        python = environment(peer, work)
        costs = [timed(lambda: script(python, peer, path, settings), settings) for _ in range(times)]
    except (subprocess.CalledProcessError, OSError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1][:100]
        return [peer.name, f"left out: {reason}", "", "", ""]
    return row(peer.name, costs)


def environment(peer: Peer, work: Path) -> Path:
    """Return the Python of a peer's environment, made when it is not there."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    folder = work / "peers" / peer.script.removesuffix(".py")
    if not (folder / "ready").exists():
        run_quietly([uv, "venv", "--clear", "--python", sys.executable, str(folder)])
        run_quietly([uv, "pip", "install", "--python", str(folder / "bin" / "python"), *peer.packages])
        (folder / "ready").touch()
    return folder / "bin" / "python"


def script(python: Path, peer: Peer, path: Path, settings: Settings) -> None:
    """Run a peer's script."""
    run_quietly([str(python), str(SCRIPTS / peer.script), server_address(settings), str(path)])


def run_quietly(command: list[str]) -> None:
    """Run a program; its output is shown only when it fails."""
    subprocess.run(command, check=True, capture_output=True, text=True)


def timed(work: Callable[[], object], settings: Settings) -> bench.Cost:
    """Measure work done by child processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = bench.measure(work, settings)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return bench.Cost(cost.wall, cost.client + client, cost.server)


def row(name: str, costs: list[bench.Cost]) -> list[str]:
    """Return a row of medians."""
    values = [[cost.wall, cost.client, cost.server, cost.cpu] for cost in costs]
    return [name, *(f"{median(column):.2f}" for column in zip(*values, strict=True))]


if __name__ == "__main__":
    main()
