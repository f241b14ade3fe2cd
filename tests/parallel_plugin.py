"""What several processes that share the tests (``-n``, as ``make test`` does) need to know.

A process has a database server of its own. A module stays in one process: its tests share what is dear to make, and
those of the scheduler are one day in the life of one installation. The modules that read the demo's warehouse stay
together, since it takes minutes to make. There is one process more than processors: each waits now and then, for
a disk, a poll of the scheduler or another process.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
# A test that asks for the fixture, wherever in its signature.
DEMO = re.compile(r"\bdemo: Settings")
OF_THE_DEMO = "the demo's warehouse"
_input: dict[str, Any] = {}


FOLDER = "folder_of_all"


def pytest_configure(config: pytest.Config) -> None:
    """Share tests out by modules, where there are several processes."""
    if is_shared_out(config):
        config.pluginmanager.register(_SharingByModules())
    _input.update(getattr(config, "workerinput", {}))


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Return one process more than there are processors."""
    return (yield) + 1


def folder_of_all() -> Path | None:
    """Return the folder that the processes of one run share; None where there is only one process."""
    return Path(_input[FOLDER]) if FOLDER in _input else None


class _SharingByModules:
    """Registered only where xdist runs: without it there are no such hooks."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="quarterday-tests-shared-", ignore_cleanup_errors=True)

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a process of the folder that it shares with the others."""
        node.workerinput[FOLDER] = self._folder.name

    def pytest_unconfigure(self) -> None:
        """Delete the folder."""
        self._folder.cleanup()

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
    return OF_THE_DEMO if DEMO.search((PROJECT / file).read_text(encoding="utf-8")) else file


def is_shared_out(config: pytest.Config) -> bool:
    """Say whether this process only hands out tests to others."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left with it when all others are done."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if item.get_closest_marker("scheduler"):
        return 0
    return 1 if share_of(item.nodeid.partition("::")[0]) == OF_THE_DEMO else 2
