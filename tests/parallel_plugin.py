"""Says which tests belong together when several processes share the work (``-n``), as ``make test`` does.

A process has a database server of its own. What shares an expensive fixture stays in one process: a module, and every
module that reads the demo's warehouse.
"""

from __future__ import annotations

import pytest


def is_shared_out(config: pytest.Config) -> bool:
    """Say whether this process only hands out tests to others."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put each test into its group."""
    name = "demo" if "demo" in getattr(item, "fixturenames", ()) else item.nodeid.partition("::")[0]
    item.add_marker(pytest.mark.xdist_group(name))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left with it when all others are done."""
    items.sort(key=lambda item: item.get_closest_marker("scheduler") is None)
