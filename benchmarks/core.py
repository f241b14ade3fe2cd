"""From landed to typed, checked and in `core.fct_recorded_crime`, against the bare COPY of the same file: CPU.

The project's own form, checks and dbt model: one force's month of street crime, as long as asked for.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks import bench, land
from quarterday import inbox, loading, releasing, warehouse
from quarterday.checking.judging import judge_load
from quarterday.contracts import load_forms
from quarterday.dbt import run_dbt
from quarterday.settings import Settings, load_settings
from quarterday.warehouse import connect

PARTNER, FILE_NAME, QUARTER = "staffordshire_police", "2018-10-staffordshire-street.csv", "2018-19-Q3"
FACTS = ("dim_crime_place", "fct_recorded_crime")
# What a judgement and a release leave in the ledger.
LEFT = ("verdict", "plain_load", "check_result", "line_issue", "load_period", "release_load", "release")


def main() -> None:
    """Print the table of `core`."""
    options = bench.arguments(__doc__ or "")
    path = make_file(options.work, options.lines)
    with bench.warehouse_of(options.work) as of_benchmark:
        settings = replace(of_benchmark, project=load_settings().project)
        warehouse.migrate(settings)
        releasing.deploy_marts(settings)
        load_id = landed(path, settings)
        whole = bench.Way("landed to core", lambda: to_core(load_id, settings), lambda: undo(settings))
        to_core(load_id, settings)  # imports and dbt's first reading of its project are done once in a worker's life
        assert in_core(settings) == options.lines, "not every line is in core"
        undo(settings)
        ways = [whole, *(part_of(name, load_id, settings) for name in ("checks", "core"))]
        rows = bench.compare(land.bare_copy(path, settings), ways, options.pairs, settings)
        undo(settings)
        land.forget(settings)
    bench.show(f"From landed to core, {options.lines:,} lines", rows)


def make_file(work: Path, lines: int) -> Path:
    """Return a street-crime csv of one force and month: the shared file, each line made theirs."""
    source, path = bench.make_file(work, lines), work / f"{lines}-core" / FILE_NAME
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with source.open(encoding="utf-8") as old, unfinished.open("w", encoding="utf-8") as new:
            for number, line in enumerate(old):
                cells = line.split(",", 3)
                new.write(line if number == 0 else f"{cells[0]},2018-10,Staffordshire Police,{cells[3]}")
        unfinished.rename(path)
    path.chmod(0o644)
    return path


def landed(path: Path, settings: Settings) -> int:
    """Land the file; give its load."""
    land.forget(settings)
    undo(settings)
    target = settings.inbox / PARTNER / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    os.utime(target, (time.time() - 60,) * 2)
    inbox.sweep(settings)
    (load_id,) = loading.land_pending(bench.FORM, QUARTER, settings)
    return load_id


def to_core(load_id: int, settings: Settings) -> None:
    """Judge the load and build its rows of the fact and its places, as the tasks do."""
    judge(load_id, settings)
    build(settings)


def judge(load_id: int, settings: Settings) -> None:
    """Check the load, down to the verdict."""
    form = load_forms(settings.returns)[bench.FORM]
    with connect(settings, "loader") as loader:
        verdict = judge_load(load_id, form, loader, settings.expectations)
    assert verdict.is_admitted, verdict


def build(settings: Settings) -> None:
    """Open a release and let dbt write the fact and its places."""
    releasing.begin(settings)
    run_dbt(("run", "--select", *FACTS, *releasing.LEAN), settings)


def part_of(name: str, load_id: int, settings: Settings) -> bench.Way:
    """Return one half of the work, with the other done untimed or not at all."""
    halves: dict[str, tuple[str, Callable[[], object], Callable[[], object]]] = {
        "checks": ("of which checks to the verdict", lambda: judge(load_id, settings), lambda: None),
        "core": ("of which dbt into core", lambda: build(settings), lambda: judge(load_id, settings)),
    }
    title, run, prepare = halves[name]
    return bench.Way(title, run, lambda: undo(settings), prepare)


def undo(settings: Settings) -> None:
    """Take verdict, release and fact back; the landed lines stay."""
    with connect(settings, "owner") as owner, owner.cursor() as cursor:
        cursor.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'core.fct_recorded_crime'::regclass"
        )
        for (table_of_release,) in cursor.fetchall():
            cursor.execute(f"drop table {table_of_release}")
        cursor.execute("truncate core.fct_recorded_crime, core.dim_crime_place, landing.repeated_cells")
        for table in LEFT:
            cursor.execute(f"truncate ledger.{table} cascade")


def in_core(settings: Settings) -> int:
    """Count the rows of the fact."""
    with connect(settings, "owner") as owner, owner.cursor() as cursor:
        cursor.execute("select count(*) from core.fct_recorded_crime")
        (count,) = cursor.fetchone() or (0,)
        return int(count)


if __name__ == "__main__":
    main()
