"""A file that is put into the inbox never takes the place of one that waits there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quarterday.delivering import put_into_inbox, sha256_of
from quarterday.errors import OperatorError
from quarterday.inbox import settled_files
from quarterday.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an inbox of their own."""
    return replace(load_settings(), inbox=tmp_path / "inbox")


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """The file to put in."""
    path = tmp_path / "q3.csv"
    path.write_bytes(b"a\n1\n")
    return path


def in_inbox(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in settings.inbox.glob("*/*")}


def test_a_file_is_put_in_whole_and_need_not_settle(sent: Path, settings: Settings) -> None:
    assert put_into_inbox(sent, "rj_hub", settings) == sha256_of(sent)
    (arrival,) = settled_files(settings.inbox)
    assert (arrival.inbox_path, arrival.path.stat().st_nlink) == ("rj_hub/q3.csv", 1)
    assert in_inbox(settings) == {"q3.csv": b"a\n1\n"}


def test_another_file_of_the_name_that_waits_is_kept_and_the_new_one_refused(sent: Path, settings: Settings) -> None:
    put_into_inbox(sent, "rj_hub", settings)
    sent.write_bytes(b"a\n2\n")
    with pytest.raises(OperatorError, match=r"rj_hub/q3.csv; it was left there and yours was not put in"):
        put_into_inbox(sent, "rj_hub", settings)
    assert in_inbox(settings) == {"q3.csv": b"a\n1\n"}


def test_the_same_file_may_be_put_in_again(sent: Path, settings: Settings) -> None:
    assert put_into_inbox(sent, "rj_hub", settings) == put_into_inbox(sent, "rj_hub", settings)
    assert in_inbox(settings) == {"q3.csv": b"a\n1\n"}
