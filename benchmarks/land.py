"""A street-crime csv from the inbox to its landing table, against a bare server-side COPY into an all-text table."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from benchmarks import bench
from quarterday import inbox, loading
from quarterday.settings import Settings
from quarterday.warehouse import connect

QUARTER = "2018-19-Q3"


def main() -> None:
    """Print the table of `land`."""
    options = bench.arguments(__doc__ or "")
    path = bench.make_file(options.work, options.lines)
    path.chmod(0o644)
    bench.forget_peak()
    with bench.warehouse_of(options.work) as settings:
        reference = bare_copy(path, settings)
        whole = bench.Way("inbox to landed", lambda: take_in(settings), lambda: put_back(path, settings))
        put_back(path, settings)
        rows = bench.compare(reference, [whole, landing_alone(path, settings)], options.pairs, settings)
        bench.show(f"Landing {options.lines:,} lines, {path.stat().st_size / 2**20:,.0f} MiB", rows)
        print(f"\nMost memory of this process: {bench.peak_memory():.0f} MiB")


def bare_copy(path: Path, settings: Settings) -> bench.Way:
    """The reference: the server reads the file into a table of text columns."""
    owner = bench.owner(settings)
    columns = ", ".join(f'"{heading}" text' for heading in bench.HEADINGS.split(","))
    bench.run(owner, "drop table if exists bare")
    bench.run(owner, f"create table bare ({columns})")
    statement = f"copy bare from '{path}' with (format csv, header)"
    return bench.Way("bare COPY", lambda: bench.run(owner, statement), lambda: bench.run(owner, "truncate bare"))


def put_back(path: Path, settings: Settings) -> None:
    """Forget every load, and leave the file in the inbox as if it had arrived a minute ago."""
    forget(settings)
    target = settings.inbox / bench.PARTNER / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(path, target)
    os.utime(target, (time.time() - 60,) * 2)
    os.sync()


def forget(settings: Settings) -> None:
    """Empty ledger, landing and archive."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'landing.street_crime'::regclass"
        )
        for (partition,) in cursor.fetchall():
            keep = partition.endswith("small_loads")
            cursor.execute(f"truncate {partition}" if keep else f"drop table {partition}")
        cursor.execute("truncate ledger.load cascade")
    shutil.rmtree(settings.archive, ignore_errors=True)


def take_in(settings: Settings) -> None:
    """Do what the sweep and the landing task do."""
    inbox.sweep(settings)
    landed = loading.land_pending(bench.FORM, QUARTER, settings)
    assert len(landed) == 1, "nothing was landed"


def landing_alone(path: Path, settings: Settings) -> bench.Way:
    """Of the same work, the part after the file is archived and registered."""

    return bench.Way(
        "of which landing",
        lambda: loading.land_pending(bench.FORM, QUARTER, settings),
        lambda: put_back(path, settings),
        lambda: inbox.sweep(settings),
    )


if __name__ == "__main__":
    main()
