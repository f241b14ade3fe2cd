"""Every file is kept once, whole, under its hash and a name that is only a name."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from quarterday.archiving import archive_file, safe_name


def test_a_file_is_kept_under_its_hash_and_name(tmp_path: Path) -> None:
    source = tmp_path / "return.csv"
    source.write_bytes(b"a,b\n1,2\n")
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    kept = archive_file(source, tmp_path / "archive")
    assert (kept.sha256, kept.size) == (digest, 8)
    assert kept.path == f"{digest[:2]}/{digest}/return.csv"
    assert (tmp_path / "archive" / kept.path).read_bytes() == b"a,b\n1,2\n"
    assert stat.S_IMODE((tmp_path / "archive" / kept.path).stat().st_mode) == 0o440


def test_the_same_bytes_under_another_name_are_kept_once(tmp_path: Path) -> None:
    for name in ("first.csv", "second.csv"):
        (tmp_path / name).write_bytes(b"same")
    first, second = (archive_file(tmp_path / name, tmp_path / "archive") for name in ("first.csv", "second.csv"))
    paths = [tmp_path / "archive" / kept.path for kept in (first, second)]
    assert first.sha256 == second.sha256
    assert [path.name for path in paths] == ["first.csv", "second.csv"]
    assert paths[0].samefile(paths[1])


def test_nothing_half_copied_stays_when_the_source_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "return.csv"
    source.write_bytes(b"x" * 10)
    monkeypatch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        archive_file(source, tmp_path / "archive")
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\reports\\Q3.xlsx", "Q3.xlsx"),
        (".hidden.csv", "hidden.csv"),
        ("tab\there.csv", "tab_here.csv"),
        ("a" * 300 + ".csv", "a" * 120 + ".csv"),
        ("", "unnamed"),
        ("no-suffix", "no-suffix"),
    ],
)
def test_a_name_is_only_a_name(given: str, kept: str) -> None:
    assert safe_name(given) == kept
