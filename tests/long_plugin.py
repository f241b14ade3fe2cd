"""Leaves out the tests marked ``long`` unless ``QUARTERDAY_LONG_TESTS`` is set, as ``make test-long`` does."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skip what is long, and say how to run it."""
    if os.environ.get("QUARTERDAY_LONG_TESTS"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="long: run by make test-long"))
