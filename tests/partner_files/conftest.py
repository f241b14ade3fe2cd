"""The partners' real files, which stand beside the project and not in it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def partner_files(shared: Path) -> Path:
    """The folder with real files of partners and FACTS.md."""
    folder = shared / "data" / "partner-files"
    if not folder.is_dir():
        pytest.skip("needs the real partner files in ../shared/data/partner-files")
    return folder
