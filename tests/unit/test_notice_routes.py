"""Who is told of what is read from returns/notices.csv, and an error in it is named by line and column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quarterday.errors import OperatorError
from quarterday.notifying.routing import CHANNELS, KINDS, load_routes, recipients_of
from quarterday.settings import load_settings


def routes_of(text: str, tmp_path: Path) -> dict[str, object]:
    """Read a text as the file of routes."""
    path = tmp_path / "notices.csv"
    path.write_text(text)
    return dict(load_routes(replace(load_settings(), named_notices=path)))


def test_every_kind_of_notice_has_a_route_and_a_template() -> None:
    routes = load_routes(load_settings())
    assert sorted(routes) == sorted(KINDS)
    templates = Path(__file__).parents[2] / "src/quarterday/templates/notices"
    assert {path.name.removesuffix(".j2") for path in templates.glob("*.j2")} >= set(KINDS)
    assert all(set(route.channels) <= set(CHANNELS) for route in routes.values())


def test_partner_stands_for_the_contacts_of_the_contract() -> None:
    late = load_routes(load_settings())["late"]
    assert recipients_of(late, ("jo@partner.example", "data-engineering@opcc.example")) == (
        "jo@partner.example",
        "data-engineering@opcc.example",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("never,partner,mail", "line 2, column kind: expected one of rejected"),
        ("late,partner,pigeon", "line 2, column channels: expected mail, slack, webhook, found 'pigeon'"),
        ("late,the office,mail", "line 2, column to: expected an address or 'partner', found 'the'"),
        ("late,,mail", "line 2, column to: a mail needs an address"),
        ('late,"a@b.example,c@d.example",mail', "line 2, column to: expected an address"),
        ("late,partner,mail\nlate,partner,slack", "line 3: a second line for 'late'"),
        ("late,partner,mail", "no line for rejected, quarantined"),
    ],
)
def test_what_is_wrong_is_named(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=message):
        routes_of(f"kind,to,channels\n{line}\n", tmp_path)


def test_other_columns_or_no_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="expected the columns kind,to,channels, found"):
        routes_of("kind,to\n", tmp_path)
    with pytest.raises(OperatorError, match="missing, so nothing was sent"):
        load_routes(replace(load_settings(), named_notices=tmp_path / "none.csv"))
