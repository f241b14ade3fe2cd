"""A finished folder gets its place in one step; what a killed build leaves behind is cleared by the next."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quarterday import placing
from quarterday.placing import draft_in, give_place

PREFIX = ".draft-"
TIMES = 300


def written(folder: Path, words: str) -> Path:
    """A folder with one page."""
    folder.mkdir()
    (folder / "index.html").write_text(words)
    return folder


@contextmanager
def reader_of(page: Path, found: Counter[str]) -> Iterator[None]:
    """Read a page again and again meanwhile, and count what was found."""
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            try:
                found[page.read_text()] += 1
            except FileNotFoundError:
                found["nothing"] += 1

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.fixture
def exchanging(tmp_path: Path) -> None:
    """Skip where the file system of temporary files can't exchange two names."""
    one, other = written(tmp_path / "one", "one"), written(tmp_path / "other", "other")
    if not placing._exchange(one, other):
        pytest.skip("the file system of temporary files can't exchange two names in one step")
    assert (one / "index.html").read_text() == "other"
    for folder in (one, other):
        shutil.rmtree(folder)


def test_readers_find_one_of_two_folders_at_any_time_while_they_are_exchanged(tmp_path: Path, exchanging: None) -> None:
    place, found = written(tmp_path / "0012", "first"), Counter[str]()
    with draft_in(tmp_path, PREFIX) as draft:
        written(draft / "site", "second")
        with reader_of(place / "index.html", found):
            for _ in range(TIMES):
                give_place(draft / "site", place)
    assert found["nothing"] == 0 and set(found) <= {"first", "second", "nothing"} and sum(found.values()) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["0012"]


def test_a_folder_is_never_away_from_its_place_whatever_is_renamed(
    tmp_path: Path, exchanging: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill may come after any rename: the place is looked at before and after each."""
    place, looked = written(tmp_path / "0012", "first"), []
    rename = os.rename

    def looking(*names: Path) -> None:
        looked.append(place.exists())
        rename(*names)
        looked.append(place.exists())

    monkeypatch.setattr(os, "rename", looking)
    with draft_in(tmp_path, PREFIX) as draft:
        give_place(written(draft / "site", "second"), place)
    assert all(looked) and (place / "index.html").read_text() == "second"


def test_what_a_killed_build_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    written(tmp_path / f"{PREFIX}killed", "half a page")
    written(tmp_path / "0011", "another release")
    with draft_in(tmp_path, PREFIX) as draft:
        assert sorted(path.name for path in tmp_path.iterdir()) == [draft.name, "0011"]
    assert [path.name for path in tmp_path.iterdir()] == ["0011"]


def test_nobody_else_builds_there_meanwhile(tmp_path: Path) -> None:
    with draft_in(tmp_path, PREFIX):
        other = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_where_names_cannot_be_exchanged_a_folder_taken_from_its_place_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Ends the build where a kill would."""

    def killed(self: Path, target: Path) -> None:
        raise Killed

    monkeypatch.setattr(placing, "_exchange", lambda one, other: False)
    place = written(tmp_path / "0012", "first")
    with draft_in(tmp_path, PREFIX) as draft:
        give_place(written(draft / "site", "second"), place)
        assert (place / "index.html").read_text() == "second"
        assert (draft / "site" / "index.html").read_text() == "first"
    rename = Path.rename
    with pytest.raises(Killed), draft_in(tmp_path, PREFIX) as draft:
        third = written(draft / "site", "third")
        monkeypatch.setattr(Path, "rename", lambda self, to: (killed if self == third else rename)(self, to))
        give_place(third, place)
    assert not place.exists()
    with draft_in(tmp_path, PREFIX):
        assert (place / "index.html").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["0012"]


def test_only_what_says_that_names_cannot_be_exchanged_is_done_otherwise(tmp_path: Path) -> None:
    place = written(tmp_path / "0012", "first")
    with pytest.raises(OSError, match="No such file") as raised:
        give_place(tmp_path / "missing", place)
    assert raised.value.errno == errno.ENOENT and (place / "index.html").read_text() == "first"
