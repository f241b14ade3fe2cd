"""dbt's documentation as one page, of the demonstration's warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterday.dictionary.dbt_docs import write_dbt_docs
from quarterday.settings import Settings


@pytest.mark.long
def test_the_page_holds_models_columns_and_who_reads_them(demo: Settings, tmp_path: Path) -> None:
    page = write_dbt_docs(tmp_path / "out" / "dbt.html", demo).read_text(encoding="utf-8")
    for told in ("model.quarterday.mart_fct_outcome", "exposure.quarterday.open_data", "fct_outcome", "lag_state"):
        assert told in page
    assert "<script src=" not in page  # one file: nothing is fetched
