"""Gives a finished folder its place in one step, so that whoever reads there finds the old one or the new one, whole.

One process at a time builds below a folder. What a killed one left behind is cleared by the next.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ASIDE = ".aside-"
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
# What a file system or system says that can't exchange two names: network folders, and what is not Linux.
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


@contextmanager
def draft_in(folder: Path, prefix: str) -> Iterator[Path]:
    """Give an empty folder to build in, on the same file system; it is gone afterwards, with what is still in it.

    Waits until no other process of this machine builds below ``folder``. What one that was killed left there is
    cleared, and a folder that it had taken from its place is put back.

    Args:
        folder: Where the finished folder will have its place.
        prefix: How the names of drafts begin there, and nothing else's; hidden.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # ends with the process, also when it is killed
        _clear_leftovers(folder, prefix)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as draft:
            yield Path(draft)
    finally:
        os.close(descriptor)


def _clear_leftovers(folder: Path, prefix: str) -> None:
    for path in folder.glob(f"{ASIDE}*"):
        place = folder / path.name.removeprefix(ASIDE)
        if not place.exists():
            path.rename(place)
    for path in (*folder.glob(f"{ASIDE}*"), *folder.glob(f"{prefix}*")):
        shutil.rmtree(path)


def give_place(draft: Path, place: Path) -> None:
    """Move a finished folder to its place; what was there stands in the draft's place afterwards.

    The two are exchanged in one step. Where the file system can't, they are renamed one after the other: readers
    miss the folder for that moment, and a process that is killed in it leaves the old one for :func:`draft_in` to
    put back.

    Args:
        draft: The folder, in one that :func:`draft_in` gave for the place's own.
        place: Where it belongs; may hold an earlier one.

    Raises:
        OSError: It can't be moved there. What was there is still there.
    """
    if not place.exists():
        draft.rename(place)
    elif not _exchange(draft, place):
        aside = place.with_name(ASIDE + place.name)
        place.rename(aside)
        draft.rename(place)
        aside.rename(draft)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; return False where that can't be done, with nothing changed."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))
