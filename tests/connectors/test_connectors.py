"""The file of connectors: what is wrong in it is told by line and column, and nothing is fetched by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterday.connecting.connectors import COLUMNS, ConnectorsAreWrong, load_connectors

GOOD = ("stoke_sftp", "sftp", "yos_stoke", "stoke", "/outgoing/*.csv", "move")


def load(path: Path, *rows: tuple[str, ...]) -> dict[str, object]:
    path.write_text("\n".join(",".join(row) for row in (COLUMNS, *rows)) + "\n")
    return dict(load_connectors(path, {"yos_stoke"}))


def test_a_line_is_a_connector(tmp_path: Path) -> None:
    assert list(load(tmp_path / "connectors.csv", GOOD)) == ["stoke_sftp"]


def test_no_file_and_no_line_fetch_nothing(tmp_path: Path) -> None:
    assert load_connectors(tmp_path / "none.csv", set()) == {}
    assert load(tmp_path / "connectors.csv") == {}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "Stoke SFTP"),
        ("kind", "ftp"),
        ("partner_code", "nobody"),
        ("connection", "sftp://who:secret@host"),
        ("path", "sftp://who:secret@host/outgoing/*.csv"),
        ("path", "/outgoing/../etc/*.csv"),
        ("path", "/out*/returns.csv"),
        ("path", "/outgoing/"),
        ("after", "shred"),
    ],
)
def test_a_wrong_value_is_named(column: str, value: str, tmp_path: Path) -> None:
    row = tuple(value if name == column else good for name, good in zip(COLUMNS, GOOD, strict=True))
    with pytest.raises(ConnectorsAreWrong, match=f"line 2, column {column}: expected .*; found"):
        load(tmp_path / "connectors.csv", row)


@pytest.mark.parametrize(
    ("kind", "path", "after", "column"),
    [
        ("https", "/returns/*.csv", "keep", "path"),
        ("https", "/returns/current.csv", "delete", "after"),
        ("s3", "/outgoing/*.csv", "keep", "path"),
        ("azure", "only.csv", "keep", "path"),
    ],
)
def test_what_a_kind_cannot_do_is_refused(kind: str, path: str, after: str, column: str, tmp_path: Path) -> None:
    with pytest.raises(ConnectorsAreWrong, match=f"column {column}:"):
        load(tmp_path / "connectors.csv", ("one", kind, "yos_stoke", "stoke", path, after))


def test_two_lines_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConnectorsAreWrong, match="line 3, column name"):
        load(tmp_path / "connectors.csv", GOOD, GOOD)
