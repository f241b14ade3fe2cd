"""What several processes that share the tests (``-n``, as ``make test`` does) need to know.

A process has a database server of its own. A module stays in one process: its tests share what is dear to make, and
those of the scheduler are one day in the life of one installation. The modules that read the demo's warehouse stay
together, since it takes minutes to make.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
# A test that asks for the fixture, wherever in its signature.
DEMO = re.compile(r"\bdemo: Settings")


def pytest_configure(config: pytest.Config) -> None:
    """Share tests out by modules, where there are several processes."""
    if is_shared_out(config):
        config.pluginmanager.register(_SharingByModules())


class _SharingByModules:
    """Registered only where xdist runs: without it there is no such hook."""

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Return xdist's sharing by files, with some files taken together."""
        from xdist.scheduler import LoadFileScheduling

        class Sharing(LoadFileScheduling):
            def _split_scope(self, nodeid: str) -> str:
                return share_of(nodeid.partition("::")[0])

        return Sharing(config, log)


@cache
def share_of(file: str) -> str:
    """Return what a test module is given out with: its own name, or that of the demo's warehouse."""
    return "the demo's warehouse" if DEMO.search((PROJECT / file).read_text(encoding="utf-8")) else file


def is_shared_out(config: pytest.Config) -> bool:
    """Say whether this process only hands out tests to others."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left with it when all others are done."""
    items.sort(key=lambda item: item.get_closest_marker("scheduler") is None)
