"""What several processes that share the tests (``-n``, as ``make test`` does) need to know.

A process has a database server of its own. A module stays in one process (``--dist loadfile``): its tests share what is
dear to make, and those of the scheduler are one day in the life of one installation.
"""

from __future__ import annotations

import pytest


def is_shared_out(config: pytest.Config) -> bool:
    """Say whether this process only hands out tests to others."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left with it when all others are done."""
    items.sort(key=lambda item: item.get_closest_marker("scheduler") is None)
