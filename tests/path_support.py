"""Takes the demo returns along the whole path in this process, without Airflow."""

from __future__ import annotations

import csv
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psycopg2.extras import RealDictCursor

from quarterday import inbox, loading, releasing
from quarterday.settings import Settings
from quarterday.warehouse import connect

DEMO = Path(__file__).parents[1] / "demo"


def expected_returns(wave: int | None = None) -> list[dict[str, str]]:
    """The rows of demo/expected.csv."""
    with (DEMO / "expected.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if wave is None or int(row["wave"]) == wave]


def put_into_inbox(path: Path, partner_code: str, settings: Settings, name: str | None = None) -> Path:
    """Leave a file in a partner's inbox as if it had arrived a minute ago."""
    target = settings.inbox / partner_code / (name or path.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    arrived = time.time() - 60
    os.utime(target, (arrived, arrived))
    return target


def send(rows: Sequence[dict[str, str]], settings: Settings) -> None:
    """Put demo returns into the inbox."""
    for row in rows:
        put_into_inbox(DEMO / "returns" / row["partner_code"] / row["file"], row["partner_code"], settings)


def take_in(settings: Settings) -> None:
    """Sweep the inbox, and land and judge whatever is unfinished."""
    swept = inbox.sweep(settings)
    inbox.raise_failures(swept.failures)
    for key in swept.keys:
        form, quarter = key.split("|")
        loading.land_pending(form, quarter, settings)
        loading.judge_pending(form, quarter, settings)


def release(settings: Settings) -> int | None:
    """Build, check and publish what is admitted; return the release, or None when nothing was pending."""
    release_id = releasing.begin(settings)
    if release_id is not None:
        releasing.build_facts(release_id, settings)
        releasing.check_facts(release_id, settings)
        releasing.publish(release_id, settings)
    return release_id


def rows_of(query: str, settings: Settings, role: str = "reader") -> list[dict[str, Any]]:
    """Return a query's rows, asked with one role's rights alone."""
    with connect(settings, role) as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(query)
        return [dict(row) for row in cursor.fetchall()]
