"""The public site of a release with 20 quarters of every measure in the commissioner's area and its two authorities.

python -m benchmarks.site
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from benchmarks import bench
from quarterday import releasing
from quarterday.calendar import FinancialQuarter
from quarterday.opendata.making import make_open_data
from quarterday.settings import Settings, load_settings
from quarterday.site.making import make_site
from quarterday.warehouse import connect
from tests.marts_support import Figure, admit_figures, quarter, release_quickly

FORM, PARTNERS = "first_time_entrants", {"staffordshire_county": "yos_staffordshire", "stoke_on_trent": "yos_stoke"}
AREAS = (*PARTNERS, "pcc_area")
FIRST = FinancialQuarter.of(date(2013, 4, 1))
Made = TypeVar("Made")
# One figure in so many counts few people.
FEW = 400


def main() -> None:
    """Fill a warehouse, make its site, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quarters", type=int, default=20)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "quarterday-site-benchmark")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    with bench.warehouse_of(options.work, load_settings().project) as settings:
        releasing.deploy_marts(settings)
        figures = fill(settings, options.quarters)
        release_quickly(settings)
        decided, made = timed(lambda: make_open_data(None, options.work / "open", settings))
        pages, _ = timed(lambda: make_site(None, options.work / "pages", settings, with_papers=False))
        built, site = timed(lambda: make_site(None, options.work / "sites", settings))
        size = sum(path.stat().st_size for path in site.folder.rglob("*") if path.is_file())
        print(f"{figures:,} figures, {made.left_out} left out")
        print(f"open data, with the choice of what to leave out: {decided}")
        print(f"site: {site.page_count} pages, {size / 2**20:.0f} MiB: {built}; without the papers {pages}")


def timed(work: Callable[[], Made]) -> tuple[str, Made]:
    """Return how long something took, by the clock and of this process's CPU, and what came of it."""
    begun, used = time.monotonic(), time.process_time()
    made = work()
    return f"{time.monotonic() - begun:.1f} s ({time.process_time() - used:.1f} s CPU)", made


def fill(settings: Settings, count: int) -> int:
    """Admit a return a quarter and authority with every measure; return how many figures there are."""
    drawn = random.Random(5)
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select measure_code from core.dim_measure order by measure_code")
        measures = [code for (code,) in cursor.fetchall()]
    at, figures = FIRST, 0
    for _ in range(count):
        period = quarter(str(at.start), str(at.end))
        issued = str(at.end)
        for area, partner in PARTNERS.items():
            values = [3 if drawn.randrange(FEW) == 0 else drawn.randint(40, 90) for _ in measures]
            sent = [Figure(code, area, period, str(value)) for code, value in zip(measures, values, strict=True)]
            admit_figures(settings, FORM, partner, str(at), issued, sent)
            figures += len(sent)
        at = at.next()
    return figures


if __name__ == "__main__":
    main()
