"""Printed against computed: every published figure in the mart, its verdict, and what stops a release."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quarterday import reconciling, releasing
from quarterday.dbt import DbtFailed
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.marts_support import Figure, admit_figures, deployed_template, quarter, rows, warehouse
from tests.path_support import rows_of

__all__ = ["deployed_template", "warehouse"]

VALUE_LINKS = {"loaded", "recomputed", "relation", "repeated", "listed"}
LISTS = {"figures.csv": "figures", "fte.csv": "", "reoffending.csv": "", "overview.csv": ""}


@pytest.fixture(scope="module")
def figures(demo: Settings) -> dict[str, dict[str, Any]]:
    """The rows of mart.fct_published_figure, by figure, as a reader sees them after the demo."""
    return {row["printed_figure_id"]: row for row in rows_of("select * from mart.fct_published_figure", demo)}


def published(shared: Path, name: str) -> list[dict[str, str]]:
    """Return the lines of a published list of figures."""
    with (shared / "data" / "published" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> Decimal | None:
    """Return a cell as a number; a mark such as c/f after it does not count."""
    word = text.split()[0].rstrip("%") if text else ""
    return Decimal(word) if word.replace(".", "").lstrip("-").isdigit() else None


def test_every_figure_of_the_list_stands_in_the_mart_as_it_was_printed(
    shared: Path, figures: dict[str, dict[str, Any]]
) -> None:
    expected = {
        line["figure_id"]: (
            Decimal(line["value"]), line["unit"], line["qualifier"], line["status"],
            f"{line['seed_file']}, line {line['seed_line']}",
        )
        for line in published(shared, "figures.csv")
    }  # fmt: skip
    columns = ("printed_value", "unit", "qualifier", "status", "place")
    found = {key: tuple(row[column] for column in columns) for key, row in figures.items() if key.startswith("F")}
    assert found == expected


@pytest.mark.parametrize("name", ["fte.csv", "reoffending.csv"])
def test_every_cell_of_the_outcome_tables_stands_in_the_mart(
    shared: Path, figures: dict[str, dict[str, Any]], name: str
) -> None:
    lines = published(shared, name)
    expected = sorted((line["seed_line"], line["column_printed"], line["value_printed"]) for line in lines)
    measures = {line["measure"] for line in lines}
    found = sorted(
        (row["place"].rpartition(" ")[2], row["label_printed"], row["printed_text"])
        for row in figures.values()
        if row["table_name"] == "outcome_against_baseline" and row["measure_code"] in measures
    )
    assert found == expected


def test_every_cell_of_the_matrix_stands_in_the_mart(shared: Path, figures: dict[str, dict[str, Any]]) -> None:
    cells = {
        (row["theme"], row["term"], row["rag"]): row["printed_value"]
        for row in figures.values()
        if row["table_name"] == "action_overview"
    }
    for line in published(shared, "overview.csv"):
        theme = "Total" if line["theme"].startswith("ACTIONS") else line["theme"]
        assert cells[theme, line["term"], line["rag"]] == number(line["value_printed"]), line


def test_most_figures_have_a_computed_partner_and_no_difference_is_without_a_reason(
    figures: dict[str, dict[str, Any]],
) -> None:
    counted = [row for row in figures.values() if row["same_print_as"] is None]
    partnered = [row for row in counted if row["verdict"] != "cannot_be_checked" and row["link_kind"] in VALUE_LINKS]
    assert len(partnered) >= 250
    assert [key for key, row in figures.items() if row["verdict"] == "differs" and not row["explanation"]] == []
    assert [key for key, row in figures.items() if row["verdict"] == "cannot_be_checked" and not row["reason"]] == []


@pytest.mark.parametrize(
    ("figure", "verdict", "computed"),
    [
        ("PF0030", "differs", 303),  # first-time entrants, printed 305
        ("F0342", "differs", Decimal("79.2453")),  # 42 of 53 actions, printed 85%
        ("PF0109", "differs", 4),  # prevention, medium term, green, printed 5
        ("F0043", "differs", 38),  # cadet volunteers, printed 32
        ("F0255", "differs", 228_000_000),  # gross expenditure, printed 238.5 million
        ("F0129", "differs", 180_683_000),  # budget of the prose, printed 178.4 million
        ("F0384", "differs", 28),  # months since the framework began, printed 18
        ("F0392", "differs", 497),  # young people to date, printed 278 after 497
        ("F0110", "rounds", Decimal("-80.3571")),  # 168 to 33, printed 80 per cent
        ("F0210", "rounds", Decimal("0.5338")),  # budget by head and day, printed 53 pence
        ("PF0059", "rounds", Decimal("46.75")),  # mean of two rates, printed 46.7%
        ("F0141", "agrees", 180_683_000),  # total budget of its two bodies
    ],
)
def test_known_figure_gets_its_verdict(
    figures: dict[str, dict[str, Any]], figure: str, verdict: str, computed: Decimal
) -> None:
    assert (figures[figure]["verdict"], figures[figure]["computed_value"]) == (verdict, computed)


def test_figure_that_reads_as_of_another_year_is_found_by_its_date(figures: dict[str, dict[str, Any]]) -> None:
    misdated = {key for key, row in figures.items() if row["link_kind"] == "date"}
    assert {"F0011", "X001"} <= misdated


def test_reconcile_prints_every_figure_once_by_verdict(
    demo: Settings,
    figures: dict[str, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert reconciling.show_figures(demo)
    shown = capsys.readouterr().out
    first_words = [line.split(" ", 1)[0] for line in shown.splitlines()]
    expected = sorted(key for key, row in figures.items() if row["same_print_as"] is None)
    assert sorted(word for word in first_words if word in figures) == expected
    assert "No difference is open." in shown


def test_release_waits_until_a_report_that_contradicts_itself_is_explained(warehouse: Settings) -> None:
    entrants = Figure("first_time_entrants", "stoke_on_trent", quarter("2016-04-01", "2016-06-30"), "25")
    admit_figures(warehouse, "first_time_entrants", "yos_stoke", "2016-17-Q1", "2016-07-20", [entrants])
    explained = "printed_figure_id = 'F0043' and check_code = 'total'"
    with connect(warehouse, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(f"update core.figure_explanations set computed_value = 37 where {explained}")
    release_id = releasing.begin(warehouse, "test")
    assert release_id is not None
    with pytest.raises(DbtFailed, match="documents_add_up_or_it_is_said_why: fail: Got 1 result"):
        releasing.build_facts(release_id, warehouse)
    assert [each.printed_figure_id for each in reconciling.blocking_differences(warehouse)] == ["F0043"]
    with connect(warehouse, "builder") as connection, connection.cursor() as cursor:
        cursor.execute(f"update core.figure_explanations set computed_value = 38 where {explained}")
    releasing.build_facts(release_id, warehouse)
    releasing.check_facts(release_id, warehouse)
    releasing.publish(release_id, warehouse)
    # The return says 25 where 24 was printed: published, and open.
    still_open = (
        "select printed_figure_id, difference from mart.fct_published_figure where is_open and same_print_as is null"
    )
    assert rows(warehouse, still_open) == [("PF0014", Decimal(1))]
    assert not reconciling.show_figures(warehouse, open_only=True)
