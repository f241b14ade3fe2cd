"""dbt's own documentation of the project as one file: models, columns, tests, SQL, exposures and the graph of all."""

from __future__ import annotations

import shutil
from pathlib import Path

from quarterday.dbt import run_dbt
from quarterday.settings import Settings

STATIC_PAGE = "static_index.html"


def write_dbt_docs(file: Path, settings: Settings) -> Path:
    """Write dbt's documentation of the warehouse as one page that needs no server, and return where it is.

    Raises:
        DbtFailed: dbt could not compile the project or read the warehouse's catalogue. Nothing was written.
    """
    target = settings.home / "dbt" / "docs"
    run_dbt(["docs", "generate", "--static"], settings, target)
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target / STATIC_PAGE, file)
    return file
