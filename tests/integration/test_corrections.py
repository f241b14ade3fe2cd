"""A correction reaches the typed cell, leaves landing as it was, is told, and says when it can be taken out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from psycopg2.extensions import connection as Connection

from quarterday import generating, inbox, loading, releasing
from quarterday.checking.judging import Verdict, judge_load
from quarterday.checking.suites import CheckCouldNotRun
from quarterday.contracts import Form, load_form
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.checking_support import GOOD_CALL, GOOD_VISIT, land, make_indicator, make_register, rows_of
from tests.path_support import DEMO, put_into_inbox

pytest_plugins = ("tests.checking_support",)
NONE = Path("no-expectations")
WORDS = {"reason": "It was so.", "source": "The rota.", "date": "2018-02-01", "asked": "The manager."}
PLACE = {"partner": "icv_scheme", "from_quarter": "2017-18-Q3"}


def correct(form: Form, connection: Connection, *entries: dict[str, Any]) -> Form:
    """Write corrections into a form's folder and bring its typed view up to them."""
    content = {"form": form.name, "corrections": [WORDS | entry for entry in entries]}
    (form.folder / "corrections.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    form = load_form(form.folder)
    generating.deploy(connection, {form.name: form})
    return form


def station(form_id: str = "VIS-C01", **changes: Any) -> dict[str, Any]:
    entry = {"id": form_id, "where": PLACE | {"key": {"visit_number": 2}}, "column": "station"}
    return entry | {"expect": "Leek", "value": "Burton"} | changes


def judge(form: Form, lines: list[dict[str, Any]], connection: Connection, **load: str) -> Verdict:
    return judge_load(land(form, lines, connection, **load), form, connection, NONE)


def typed(form: Form, load_id: int, names: str, connection: Connection) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f'select {names} from typed."{form.name}" where load_id = %s order by line_number', (load_id,))
        return cursor.fetchall()


UNKNOWN = "which the correction knows nothing of: it can be taken out, or has to be renewed"
SECOND = GOOD_VISIT | {"visit_number": "2", "station": "Leek"}


def test_cell_is_read_as_corrected_and_stays_as_sent_in_landing(connection: Connection, tmp_path: Path) -> None:
    form = correct(make_register(tmp_path, connection), connection, station())
    verdict = judge(form, [GOOD_VISIT, SECOND], connection)
    assert (verdict.verdict, verdict.failed) == ("admitted", ("VIS-008",))
    assert typed(form, verdict.load_id, "station, corrected_columns", connection) == [
        ("Burton", None),
        ("Burton", "station"),
    ]
    with connection.cursor() as cursor:
        cursor.execute("select station from landing.visits where load_id = %s order by 1", (verdict.load_id,))
        assert cursor.fetchall() == [("Burton",), ("Leek",)]
    (issue,) = rows_of("line_issue", verdict.load_id, connection)
    assert (issue["line_number"], issue["found"], issue["action"]) == (3, "Leek", "flag")
    assert issue["expected"] == "'Burton' as Station (VIS-C01). It was so."
    (kept,) = rows_of("line_correction", verdict.load_id, connection)
    assert (kept["is_applied"], kept["value_as_sent"], kept["value_corrected"]) == (True, "Leek", "Burton")
    assert (kept["reason"], kept["source"], kept["asked"]) == ("It was so.", "The rota.", "The manager.")


def test_typed_cell_that_is_corrected_is_flagged(connection: Connection, tmp_path: Path) -> None:
    entry = station(column="detainees", expect="3O", value="30")
    form = correct(make_register(tmp_path, connection), connection, entry)
    verdict = judge(form, [GOOD_VISIT, GOOD_VISIT | {"visit_number": "2", "detainees": "3O"}], connection)
    assert verdict.verdict == "admitted"
    assert typed(form, verdict.load_id, "detainees, detainees_flag, detainees_ok", connection) == [
        (3, None, True),
        (30, "corrected", True),
    ]


def test_corrected_text_is_typed_as_if_it_had_been_sent(connection: Connection, tmp_path: Path) -> None:
    entry = station(column="detainees", expect=None, value="n/a")
    form = correct(make_register(tmp_path, connection), connection, entry)
    verdict = judge(form, [GOOD_VISIT | {"visit_number": "2", "detainees": " "}], connection)
    assert typed(form, verdict.load_id, "detainees, detainees_flag", connection) == [(None, "x")]


def test_figure_of_an_indicator_form_is_corrected_in_its_column(connection: Connection, tmp_path: Path) -> None:
    entry = {"id": "CAL-C01", "where": PLACE | {"line": 2, "sheet": "Q3", "key": {"breakdown_code": "urgent"}}}
    entry |= {"column": "value", "expect": "120", "value": "12"}
    form = correct(make_indicator(tmp_path, connection), connection, entry)
    other = {"column_number": 3, "breakdown_code": "all", "breakdown_label": "All", "line_number": 2, "value": "120"}
    verdict = judge(form, [GOOD_CALL | {"value": "120"}, GOOD_CALL | other], connection)
    assert verdict.failed == ("CAL-008",)
    found = typed(form, verdict.load_id, "breakdown_code, value, value_flag, value_as_sent", connection)
    assert sorted(found) == [("all", 120, None, "120"), ("urgent", 12, "corrected", "120")]
    (issue,) = rows_of("line_issue", verdict.load_id, connection)
    assert (issue["line_number"], issue["found"]) == (2, "120")


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({"station": "Burton"}, "'Burton': the correction can be taken out"),
        ({"station": "Cannock"}, f"'Cannock', {UNKNOWN}"),
        ({"station": None}, f"a blank cell, {UNKNOWN}"),
        ({"visit_number": "9"}, "no such line"),
    ],
)
def test_correction_that_no_longer_fits_is_told_and_changes_nothing(
    sent: dict[str, Any], found: str, connection: Connection, tmp_path: Path
) -> None:
    form = correct(make_register(tmp_path, connection), connection, station())
    verdict = judge(form, [SECOND | {"station": "Cannock"} | sent], connection)
    assert (verdict.verdict, verdict.failed) == ("admitted", ("VIS-009",))
    (issue,) = rows_of("line_issue", verdict.load_id, connection)
    assert issue["found"] == found
    assert issue["expected"] == "'Leek' as Station, which our correction VIS-C01 reads as 'Burton'"
    assert typed(form, verdict.load_id, "station", connection) == [(sent.get("station", "Cannock"),)]


def test_correction_of_two_lines_is_applied_to_neither(connection: Connection, tmp_path: Path) -> None:
    entry = station(where=PLACE | {"key": {"station": "Leek"}})
    form = correct(make_register(tmp_path, connection), connection, entry)
    verdict = judge(form, [SECOND, SECOND | {"visit_number": "3"}], connection)
    assert "VIS-009" in verdict.failed and "VIS-008" not in verdict.failed
    assert rows_of("line_correction", verdict.load_id, connection)[0]["found"] == "more than one line"


def test_second_correction_of_a_cell_is_told(connection: Connection, tmp_path: Path) -> None:
    form = correct(make_register(tmp_path, connection), connection, station(), station("VIS-C02", value="Cannock"))
    verdict = judge(form, [SECOND], connection)
    assert verdict.failed == ("VIS-008", "VIS-009")
    assert typed(form, verdict.load_id, "station", connection) == [("Burton",)]


def test_return_that_no_correction_concerns_passes(connection: Connection, tmp_path: Path) -> None:
    form = correct(make_register(tmp_path, connection), connection, station())
    verdict = judge(form, [GOOD_VISIT], connection, quarter="2017-18-Q2")
    assert verdict.failed == ()
    assert rows_of("line_correction", verdict.load_id, connection) == []


def test_load_keeps_the_corrections_that_it_was_judged_with(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    before = judge(form, [SECOND | {"station": None}], connection)
    with_one = correct(form, connection, station(expect=None))
    after = judge(with_one, [SECOND | {"station": None}], connection)
    # What was judged is for ever what it was: with a correction that comes, changes or goes.
    for again in (with_one, correct(form, connection, station(expect=None, value="Cannock"))):
        assert judge_load(after.load_id, again, connection, NONE) == after
    (form.folder / "corrections.yml").unlink()
    generating.deploy(connection, {form.name: load_form(form.folder)})
    assert typed(form, before.load_id, "station, corrected_columns", connection) == [(None, None)]
    assert typed(form, after.load_id, "station, corrected_columns", connection) == [("Burton", "station")]


def test_judging_again_after_a_crash_gives_the_same(connection: Connection, tmp_path: Path) -> None:
    form = correct(make_register(tmp_path, connection), connection, station())
    load_id = land(form, [GOOD_VISIT, SECOND], connection)
    with connection.cursor() as cursor:
        cursor.execute("savepoint judged")
        first = judge_load(load_id, form, connection, NONE), rows_of("line_correction", load_id, connection)
        cursor.execute("rollback to savepoint judged")
    assert (judge_load(load_id, form, connection, NONE), rows_of("line_correction", load_id, connection)) == first


def test_view_older_than_the_corrections_judges_nothing(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    content = {"form": form.name, "corrections": [WORDS | station()]}
    (form.folder / "corrections.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(CheckCouldNotRun, match="typed view was made before"):
        judge(load_form(form.folder), [SECOND], connection)


def test_one_cell_has_one_correction_in_the_ledger(connection: Connection, tmp_path: Path) -> None:
    form = correct(make_register(tmp_path, connection), connection, station())
    verdict = judge(form, [SECOND], connection)
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.UniqueViolation):
        cursor.execute(
            """insert into ledger.line_correction
            select load_id, 'VIS-C09', is_applied, sheet, line_number, column_number, column_name, heading,
                expected_as_sent, value_as_sent, 'Cannock', found, reason, source, asked, decided_on
            from ledger.line_correction where load_id = %s""",
            (verdict.load_id,),
        )


def test_admitted_return_is_read_again_with_a_correction_that_came_later(settings: Settings, tmp_path: Path) -> None:
    project = tmp_path / "project"
    for folder in (settings.returns, settings.expectations):
        shutil.copytree(folder, project / folder.name)
    settings = replace(settings, project=project)
    name = "victim-gateway-2017-18-Q3.xlsx"
    put_into_inbox(DEMO / "returns" / "citizens_advice" / name, "citizens_advice", settings)
    (load_id,) = inbox.sweep(settings).registered
    take_in("victim_gateway", "2017-18-Q3", settings)
    with pytest.raises(OperatorError, match="No correction in returns/victim_gateway"):
        loading.correct_load(load_id, settings)
    with connect(settings, "owner") as owner, owner.cursor() as cursor:
        cursor.execute("select line_number, column_name, value from landing.victim_gateway where value ~ '^[0-9]+$'")
        line, heading, value = cursor.fetchone()
        form = load_form(settings.returns / "victim_gateway")
        where = {"partner": "citizens_advice", "quarter": "2017-18-Q3", "line": line, "key": {"column_name": heading}}
        correct(
            form, owner, {"id": "VGW-C01", "where": where, "column": "value", "expect": value, "value": f"{value}.0"}
        )
    corrected = loading.correct_load(load_id, settings)
    with pytest.raises(OperatorError, match=f"read again already, as load {corrected}"):
        loading.correct_load(load_id, settings)
    assert take_in("victim_gateway", "2017-18-Q3", settings) == {str(corrected): "admitted"}
    release_id = releasing.begin(settings)
    with connect(settings, "builder") as builder, builder.cursor() as cursor:
        cursor.execute("select check_id, load_id from ledger.check_result where not has_passed order by 1")
        assert cursor.fetchall() == [("VGW-008", corrected)]
        cursor.execute("select distinct load_id, is_current from ledger.plan_publication(%s)", (release_id,))
        assert cursor.fetchall() == [(corrected, True)]
        cursor.execute("select issued_on, corrects_load_id, count(*) over () from ledger.load order by load_id desc")
        issued_on, corrects, count = cursor.fetchone()
        assert (str(issued_on), corrects, count) == ("2018-01-26", load_id, 2)


def take_in(form: str, quarter: str, settings: Settings) -> dict[str, str]:
    loading.land_pending(form, quarter, settings)
    return loading.judge_pending(form, quarter, settings)
