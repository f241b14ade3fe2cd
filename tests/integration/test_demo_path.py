"""From the inbox to the marts on the demo returns: verdicts, and every printed cell through the reader alone."""

from __future__ import annotations

import csv
import html
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from quarterday.checksums import checksums, differences
from quarterday.past import end_of_day, fetch_past
from quarterday.rebuilding import rebuild
from quarterday.settings import Settings
from tests.conftest import database_named, run_on_server
from tests.path_support import expected_returns, rows_of

AREAS = {
    "Staffordshire": "staffordshire_county",
    "Stoke on Trent": "stoke_on_trent",
    "Staffordshire (PCC Area)": "pcc_area",
}
ALL = ("mart", "history", "ledger")
COLUMNS = {"Baseline": "baseline", "Annual": "annual", "RAG": "rag"}


GOLDEN = Path(__file__).parents[1] / "golden"
# Where nothing is printed: the service had not counted yet, or the Ministry publishes two years later.
NOT_YET = {
    ("first_time_entrants", "quarter"): {"due", "late"},
    ("youth_reoffending_rate", "quarter"): {"not_available_until", "late"},
    ("adult_reoffending_rate", "quarter"): {"not_available_until", "late"},
}


def golden(name: str) -> list[dict[str, str]]:
    """The cells of a printed table: figures as printed, with their place in the table."""
    with (GOLDEN / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["fte.csv", "reoffending.csv", "overview.csv"])
def test_the_golden_tables_are_the_published_ones(shared: Path, name: str) -> None:
    with (shared / "data" / "published" / name).open(newline="") as file:
        published = list(csv.DictReader(file))
    kept = [{key: value for key, value in row.items() if key != "parts_differ"} for row in golden(name)]
    assert kept == [{key: row[key] for key in kept[0]} for row in published]


def test_every_return_gets_the_verdict_and_fails_the_checks_its_sender_would_expect(demo: Settings) -> None:
    judged = """
        select file_name, verdict, array_remove(array_agg(distinct check_id order by check_id), null) as failed
        from ledger.load_state left join ledger.line_issue using (load_id)
        group by file_name, verdict"""
    found = {
        row["file_name"]: (row["verdict"].removesuffix("_with_quarantine"), row["failed"])
        for row in rows_of(judged, demo, "owner")
    }
    expected = {
        row["file"]: (row["expected_verdict"], row["failed_checks"].split())
        for row in expected_returns()
        if row["expected_verdict"] != "known"
    }
    assert found == expected


def test_a_file_sent_twice_is_one_load_with_two_arrivals(demo: Settings) -> None:
    twice = [row["file"] for row in expected_returns() if row["expected_verdict"] == "known"]
    arrivals = rows_of(
        "select inbox_path, was_known from ledger.arrival where was_known order by inbox_path", demo, "owner"
    )
    assert [Path(row["inbox_path"]).name for row in arrivals] == twice
    assert twice, "the demo should hold a file that is sent twice"


def test_every_admitted_return_is_released_and_the_inbox_is_empty(demo: Settings) -> None:
    states = {row["state"] for row in rows_of("select state from ledger.load_state", demo, "owner")}
    assert states == {"released", "rejected"}
    assert [path for path in demo.inbox.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["fte.csv", "reoffending.csv"])
def test_marts_give_every_cell_of_the_printed_outcome_tables(demo: Settings, name: str) -> None:
    cells = {
        (row["measure_code"], row["area_code"], row["column_type"], row["period_key"]): row
        for row in rows_of("select * from mart.rpt_outcome_against_baseline", demo)
    }
    wrong = []
    compared = 0
    for printed in golden(name):
        cell = cells.get(cell_key(printed))
        compared += 1
        if cell is None or not agrees(printed, cell):
            wrong.append((cell_key(printed), printed["value_printed"], cell))
    assert wrong == []
    assert compared == len(golden(name)) > 30


def cell_key(printed: dict[str, str]) -> tuple[str, str, str, str | None]:
    """The key of a printed cell in the report view."""
    area = AREAS[printed["authority"]]
    column = COLUMNS.get(printed["period"], "quarter")
    if column == "rag":
        return printed["measure"], area, "rag", None
    year = printed["financial_year"].replace("/", "-")
    if printed["period_type"] == "financial_year":
        return printed["measure"], area, column, year
    quarter = printed["period"] if column == "quarter" else "Q3"  # the reoffending baseline is one cohort quarter
    return printed["measure"], area, column, f"{year}-{quarter}"


def agrees(printed: dict[str, str], cell: dict[str, Any]) -> bool:
    """Say whether the cell is the printed one: its value, its not-available state, or the known difference."""
    if printed["period"] == "RAG":
        return bool(
            cell["printed_text"] == printed["value_printed"] and cell["computed_rag"] == printed["value_printed"]
        )
    if printed["not_available"] == "yes":
        expected = NOT_YET.get((printed["measure"], cell["column_type"]))
        return cell["computed_value"] is None and (
            cell["lag_state"] in expected if expected else cell["lag_state"] != "available"
        )
    if printed["parts_differ"]:
        computed, shown = Decimal(printed["parts_differ"]), Decimal(printed["value"])
        return bool(
            (cell["computed_value"], cell["printed_value"], cell["difference"]) == (computed, shown, computed - shown)
        )
    return bool(
        cell["computed_value"] == Decimal(printed["value"]) and cell["printed_text"] == printed["value_printed"]
    )


def test_marts_give_the_overview_matrix_from_the_action_rows(demo: Settings) -> None:
    matrix = rows_of("select * from mart.rpt_action_overview", demo)
    cells = {(row["theme"], row["term"], row["rag"]): row for row in matrix}
    printed_cells = [row for row in golden("overview.csv") if row["rag"] in {"R", "A", "G", "W"}]
    wrong = [printed for printed in printed_cells if not is_that_count(printed, cells)]
    assert wrong == []
    assert len(printed_cells) == 72


def is_that_count(printed: dict[str, str], cells: dict[tuple[str, str, str], dict[str, Any]]) -> bool:
    """Say whether computed count, printed cell and their agreement are as the published table has them."""
    cell = cells[printed["theme"], printed["term"], printed["rag"]]
    expected = (int(printed["computed_from_detail_rows"]), printed["value_printed"] or None, printed["agrees"] == "yes")
    return (cell["computed_count"], cell["printed_text"], cell["agrees"]) == expected


def test_the_corrected_quarter_is_current_and_the_first_one_is_in_history(demo: Settings) -> None:
    versions = rows_of(
        """select load_id, value, superseded_on from history.fct_measurement
        where measure_code = 'victim_gateway_referrals' and period_key = '2017-18-Q3' and breakdown_code = 'all'
            and known_to is null
        order by issued_on""",
        demo,
    )
    current = rows_of(
        """select value from mart.fct_measurement
        where measure_code = 'victim_gateway_referrals' and period_key = '2017-18-Q3' and breakdown_code = 'all'""",
        demo,
    )
    assert [row["superseded_on"] is None for row in versions] == [False, True]
    assert versions[0]["load_id"] != versions[1]["load_id"]
    assert [row["value"] for row in current] == [14574]


def test_the_reader_sees_mart_and_history_and_nothing_else(demo: Settings) -> None:
    for relation in ("core.fct_measurement", "ledger.load", "landing.indicator", "typed.indicator"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            rows_of(f"select 1 from {relation}", demo)


def test_the_reader_can_write_nothing(demo: Settings) -> None:
    writable = rows_of(
        """select oid::regclass::text as relation
        from pg_class
        where relkind in ('r', 'v', 'p', 'm', 'S', 'f') and relnamespace::regnamespace::text !~ '^pg_toast'
            and (
                case when relkind = 'S' then has_sequence_privilege('quarterday_reader', oid, 'usage, update')
                else has_table_privilege('quarterday_reader', oid, 'insert, update, delete, truncate, trigger') end
            )
            and oid::regclass::text <> 'pg_settings'""",
        demo,
        "owner",
    )
    assert writable == []
    creatable = rows_of(
        """select nspname from pg_namespace where has_schema_privilege('quarterday_reader', oid, 'create')
        union all
        select datname from pg_database
        where datname = current_database() and has_database_privilege('quarterday_reader', oid, 'create, temporary')""",
        demo,
        "owner",
    )
    assert creatable == []


def test_the_reader_learns_nothing_of_unpublished_rows_from_the_statistics(demo: Settings) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        rows_of("select most_common_vals from pg_stats where schemaname in ('core', 'ledger')", demo)


def test_every_mart_relation_and_column_says_what_it_means(demo: Settings) -> None:
    silent = rows_of(
        """select attrelid::regclass::text || '.' || attname as name
        from pg_attribute
        join pg_class on pg_class.oid = attrelid
        where relnamespace in ('mart'::regnamespace, 'history'::regnamespace) and attnum > 0
            and (col_description(attrelid, attnum) is null or obj_description(attrelid, 'pg_class') is null)""",
        demo,
        "owner",
    )
    assert silent == []


def test_every_return_has_a_receipt_that_names_what_to_mend(demo: Settings) -> None:
    rejected = rows_of("select load_id from ledger.verdict where verdict = 'rejected'", demo, "owner")
    assert len(rejected) == 3
    judged = rows_of("select load_id from ledger.verdict", demo, "owner")
    for row in judged:
        assert list(demo.receipts.glob(f"receipt-{row['load_id']}-*.html")), row
    for row in rejected:
        (page,) = demo.receipts.glob(f"receipt-{row['load_id']}-*.html")
        issues = rows_of(f"select * from ledger.line_issue where load_id = {row['load_id']}", demo, "owner")
        assert issues
        assert all(issue["expected"] and issue["remedy"] for issue in issues)
        addressed = [issue for issue in issues if issue["line_number"] and issue["column_name"] and issue["found"]]
        assert addressed
        for issue in addressed:
            place = (issue["check_id"], issue["sheet"], str(issue["line_number"]), issue["column_name"])
            told = (issue["expected"], issue["found"], issue["remedy"])
            shown = html.unescape(page.read_text())
            assert [word for word in (*place, *told) if word and word not in shown] == []


# The panel's reports by the day they were made, each with the document it is.
REPORTS = {
    date(2016, 3, 15): "004_83227ee54f70003d.txt",
    date(2018, 4, 23): "003_7f7db194bcc522bc.txt",
    date(2020, 10, 26): "001_874531330a4dd479.txt",
}
HELD = """
select checks.printed_figure_id, checks.link_kind, checks.computed_value, checks.verdict, checks.explanation
from mart.fct_figure_check as checks
inner join mart.fct_published_figure as figures using (printed_figure_id)
where figures.place like '{}%'
    and checks.link_kind in ('loaded', 'recomputed')
    and checks.verdict <> 'cannot_be_checked'
"""


@pytest.mark.parametrize("day", REPORTS)
def test_a_panel_report_is_rebuilt_from_what_was_issued_by_its_day(demo: Settings, shared: Path, day: date) -> None:
    with (shared / "data" / "published" / "figures.csv").open(newline="") as file:
        printed = {row["figure_id"]: row for row in csv.DictReader(file)}
    _, found = fetch_past(end_of_day("as_issued", day), HELD.format(REPORTS[day]), demo)
    unlike = [row for row in found if row[3] == "differs" and row[4] is None]
    assert unlike == []
    loaded = {number: value for number, link, value, verdict, _ in found if link == "loaded" and verdict == "agrees"}
    of_the_report = {number: value for number, value in loaded.items() if number in printed and value is not None}
    assert len(of_the_report) >= 10
    for number, value in of_the_report.items():
        row = printed[number]
        assert row["seed_file"] == REPORTS[day]
        assert row["qualifier"] != "exact" or value == Decimal(row["value"]), number


def test_todays_marts_show_what_came_after_the_reports(demo: Settings) -> None:
    count = "select count(*) from mart.fct_measurement"
    counts = [fetch_past(end_of_day("as_issued", day), count, demo)[1][0][0] for day in sorted(REPORTS)]
    counts.append(rows_of(count, demo)[0]["count"])
    assert counts == sorted(set(counts)), "each report knows more than the one before, and today most"
    accepted = """select value from mart.fct_measurement where measure_code = 'victim_gateway_support_accepted'
        and breakdown_code = 'enhanced' and period_key = '2017-18-Q3'"""
    as_first_sent = fetch_past(end_of_day("as_issued", date(2018, 1, 26)), accepted, demo)[1]
    assert (as_first_sent, rows_of(accepted, demo)) == ([(Decimal(4838),)], [{"value": Decimal(4883)}])


@pytest.mark.long
def test_the_warehouse_is_the_same_made_again_from_archive_and_ledger(demo: Settings) -> None:
    again = replace(demo, server_url=database_named("quarterday_test_demo_again"))
    (kept,) = rows_of(
        """select (select count(distinct load_id) from ledger.load_event where event = 'landed') as loads,
            (select count(*) from ledger.release where published_at is not null) as releases""",
        demo,
        "owner",
    )
    assert kept["loads"] > 70
    try:
        made = rebuild("quarterday_test_demo_again", demo)
        assert (made.loads, made.releases, made.unlike) == (kept["loads"], kept["releases"], ())
        assert differences(checksums(demo, ALL), checksums(again, ALL)) == []
    finally:
        run_on_server(sql.SQL("drop database if exists quarterday_test_demo_again with (force)"))


def test_the_board_says_of_each_return_what_readers_are_told(demo: Settings) -> None:
    """Readers are told less: their view knows nothing of tasks, of lags and of sign-offs, and of lines set aside."""
    counted = rows_of(
        """select count(*) as returns, count(*) filter (
            where told.state is distinct from case
                when cell.restated_count > 0 then 'restated'
                when cell.is_released then 'released'
                when cell.state in ('quarantined', 'waiting for sign-off') then 'admitted'
                when cell.state = 'not available until' then told.state
                else cell.state
            end
        ) as unlike, count(distinct told.state) as states
        from mart.fct_return as told
        left join ledger.board_cell as cell
            on told.form = cell.form
            and told.partner_code = cell.partner_code
            and told.period_key = cell.reporting_quarter""",
        demo,
        "owner",
    )
    assert counted[0]["returns"] > 400 and counted[0]["states"] >= 4 and counted[0]["unlike"] == 0
