"""The typed views: numbers, marks, qualifiers and dates; nothing that a partner writes makes them fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from quarterday import generating
from quarterday.contracts import Column, Form, load_forms
from tests.conftest import database_named, run_on_server

RETURNS = Path(__file__).parents[2] / "returns"


@pytest.fixture(scope="module")
def database(template: str) -> Iterator[str]:
    """The URL of a warehouse that the tests of this module share; each takes back what it did."""
    name = f"quarterday_test_typing_{os.getpid()}"
    run_on_server(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    yield database_named(name)
    run_on_server(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def owner(database: str) -> Iterator[Connection]:
    """A connection whose transaction is never committed."""
    with closing(psycopg2.connect(database)) as connection:
        yield connection


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    """Every form of the project."""
    return load_forms(RETURNS)


def ask(connection: Connection, query: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def figure(
    connection: Connection, value: str | None, form: str = "victim_gateway", **cells: str | None
) -> dict[str, Any]:
    """Land one figure and return its typed line."""
    row = {"load_id": 1, "line_number": 7, "value": value, **cells}
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    with connection.cursor() as cursor:
        cursor.execute("delete from landing.indicator")
        cursor.execute(f"insert into landing.{form} ({names}) values ({marks})", list(row.values()))
        cursor.execute("select * from typed.indicator")
        (line,) = cursor.fetchall()
        return dict(zip([column.name for column in cursor.description or ()], line, strict=True))


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("1,234", "1234"),
        ("£1,234.50", "1234.50"),
        (" 66776 ", "66776"),
        ("(689)", "-689"),
        ("£(689)", None),
        ("-£5", "-5"),
        ("£-5", "-5"),
        ("–5", "-5"),
        ("-0", "0"),
        ("-00 ", "0"),
        ("0.41%", "0.41"),
        (".5", "0.5"),
        ("12 000 000", "12000000"),
        ("1.2E+05", "120000"),
        ("12k", None),
        ("1,23", None),
        ("1,2345", None),
        ("1.2.3", None),
        ("(5", None),
        ("5)", None),
        ("--5", None),
        ("(-5)", None),
        ("e5", None),
        ("1e999", None),
        ("NaN", None),
        ("Infinity", None),
        ("-", None),
        ("", None),
        (None, None),
        ("9" * 61, None),
    ],
)
def test_a_number_is_read_as_a_person_would_or_not_at_all(
    owner: Connection, sent: str | None, number: str | None
) -> None:
    read = ask(owner, "select typed.number_text(%s)::numeric", sent)
    assert read == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("sent", "value", "qualifier"),
    [
        ("over 12,000", 12000, "over"),
        ("Just under £140,000", 140000, "just_under"),
        ("just over 5", 5, "just_over"),
        ("more than 100", 100, "more_than"),
        ("almost 7,000", 7000, "almost"),
        ("nearly 50%", 50, "nearly"),
        ("about 843", 843, "about"),
        ("at least 3", 3, "at_least"),
        ("up to 9", 9, "up_to"),
        ("843", 843, "exact"),
        ("overall", None, "exact"),
    ],
)
def test_what_stands_before_a_number_is_its_qualifier(
    owner: Connection, sent: str, value: int | None, qualifier: str
) -> None:
    line = figure(owner, sent)
    assert (line["value"], line["value_qualifier"], line["value_ok"]) == (value, qualifier, value is not None)
    assert line["value_as_sent"] == sent


@pytest.mark.parametrize(
    ("sent", "value", "flag", "is_ok"),
    [
        ("N/A", None, "x", True),
        ("–", None, "z", True),
        ("[c]", None, "c", True),
        ("[low]", None, "low", True),
        ("1,234 [p]", 1234, "p", True),
        ("", None, "blank", True),
        ("  ", None, "blank", True),
        (None, None, "blank", True),
        ("tbc", None, None, False),
        ("0", 0, None, True),
    ],
)
def test_a_mark_is_a_flag_and_never_zero(
    owner: Connection, sent: str | None, value: int | None, flag: str | None, is_ok: bool
) -> None:
    line = figure(owner, sent)
    assert (line["value"], line["value_flag"], line["value_ok"]) == (value, flag, is_ok)


def test_a_form_without_a_breakdown_is_about_all_and_an_unknown_one_is_about_nothing(owner: Connection) -> None:
    assert figure(owner, "1")["breakdown_code"] == "all"
    assert figure(owner, "1", breakdown_label="Enhanced", breakdown_code="enhanced")["breakdown_code"] == "enhanced"
    assert figure(owner, "1", breakdown_label="Enhancd")["breakdown_code"] is None


def test_a_period_that_could_not_be_read_is_not_ok(owner: Connection) -> None:
    period = {"period_type": "as_at", "period_start": "2017-03-31", "period_end": "2017-03-31"}
    assert figure(owner, "1", **period)["period_ok"] is True
    assert figure(owner, "1", **{**period, "period_end": "2017-02-31"})["period_ok"] is False
    assert figure(owner, "1")["period_ok"] is False


def test_a_figure_without_a_status_is_final(owner: Connection) -> None:
    assert figure(owner, "1")["status"] == "final"
    assert figure(owner, "1", status="plan")["status"] == "plan"


def test_a_numerator_that_is_no_number_is_not_ok(owner: Connection) -> None:
    line = figure(owner, "41.3", numerator="43", denominator="many")
    assert (line["numerator"], line["numerator_ok"], line["denominator"], line["denominator_ok"]) == (
        43,
        True,
        None,
        False,
    )


@pytest.mark.parametrize("mark", ["n/a", "-", " N/A ", "[x]", ""])
def test_a_mark_for_a_part_of_a_rate_is_no_fault_and_never_zero(owner: Connection, mark: str) -> None:
    line = figure(owner, "n/a", numerator=mark, denominator="0")
    assert (line["numerator"], line["numerator_ok"], line["denominator"]) == (None, True, 0)


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2018-01-23", "2018-01-23"),
        ("23/01/2018", "2018-01-23"),
        ("23.1.18", "2018-01-23"),
        ("12/03/98", "1998-03-12"),
        ("12/03/69", "2069-03-12"),
        ("Tuesday 23rd January 2018", "2018-01-23"),
        ("43123", "2018-01-23"),
        ("31/02/2018", None),
        ("23 Brumaire 2018", None),
        ("01/23/2018", None),
        ("soon", None),
        ("99999", None),
        (None, None),
    ],
)
def test_a_date_is_read_day_first_or_not_at_all(owner: Connection, sent: str | None, day: str | None) -> None:
    read = "select case when pg_input_is_valid(typed.date_text(%s), 'date') then typed.date_text(%s)::date::text end"
    assert ask(owner, read, sent, sent) == day


def budget(connection: Connection, **cells: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("delete from landing.budget_outturn")
        names, marks = ", ".join(cells), ", ".join(["%s"] * len(cells))
        cursor.execute(
            f"insert into landing.budget_outturn (load_id, line_number, {names}) values (1, 2, {marks})",
            list(cells.values()),
        )
        cursor.execute("select * from typed.budget_outturn")
        (line,) = cursor.fetchall()
        return dict(zip([column.name for column in cursor.description or ()], line, strict=True))


def test_thousands_of_pounds_become_pounds_and_brackets_an_overspend(owner: Connection) -> None:
    line = budget(owner, budget_gbp="170,057", variance_gbp="(689)", variance_pct="0.41%", status="Provisional outturn")
    assert (line["budget_gbp"], line["variance_gbp"], line["variance_pct"]) == (170057000, -689000, Decimal("0.41"))
    assert line["status"] == "provisional"


def test_a_registers_number_must_be_exact(owner: Connection) -> None:
    line = budget(owner, budget_gbp="over 170,057", outturn_gbp="n/a")
    assert (line["budget_gbp"], line["budget_gbp_ok"]) == (None, False)
    assert (line["outturn_gbp"], line["outturn_gbp_flag"], line["outturn_gbp_ok"]) == (None, "x", True)


def test_a_number_that_the_database_reads_otherwise_than_a_person_is_read_as_by_a_person(owner: Connection) -> None:
    for sent in (
        "1_000",
        "0x1F",
        "0b1",
        "5.",
        ".5",
        "007",
        "-0",
        "-",
        "+5",
        " 5",
        "5 ",
        "1e3",
        "1E3",
        "1e000",
        "NaN",
        "-Infinity",
    ):
        read = ask(owner, "select typed.number_text(%s)::numeric", sent)
        line = budget(owner, budget_gbp=sent)
        assert (sent, line["budget_gbp"]) == (sent, None if read is None else read * 1000)
        assert line["budget_gbp_ok"] is (read is not None or sent == "-")


def test_every_kind_of_column_is_typed_without_ever_failing(owner: Connection, forms: dict[str, Form]) -> None:
    kinds = ("string", "integer", "number", "date", "boolean")
    columns = tuple(Column(name=f"a_{kind}", business_name=kind, logical_type=kind) for kind in kinds)
    base = forms["budget_outturn"]
    form = replace(base, contract=replace(base.contract, form="every_kind", columns=columns))
    generating.deploy(owner, {"every_kind": form})
    rubbish = [
        "",
        " ",
        "12",
        "12.5",
        "1,234",
        "yes",
        "31/02/2018",
        "23/01/2018",
        "é\\",
        "'; drop",
        "1e99",
        "9" * 40,
        "-",
        None,
    ]
    with owner.cursor() as cursor:
        for number, cell in enumerate(rubbish, start=1):
            cursor.execute(
                "insert into landing.every_kind values (1, null, %s, %s, %s, %s, %s, %s)", [number, *[cell] * 5]
            )
        cursor.execute(
            "select line_number, a_integer, a_number, a_date, a_boolean, a_integer_ok, a_date_ok from typed.every_kind"
        )
        lines = {line[0]: line[1:] for line in cursor.fetchall()}
    assert lines[3][:2] == (12, 12)
    assert (lines[4][0], lines[4][1], lines[4][4]) == (None, Decimal("12.5"), False)
    assert lines[6][3] is True
    assert (lines[7][2], lines[7][5]) == (None, False)
    assert str(lines[8][2]) == "2018-01-23"


def test_deploying_again_changes_nothing_and_a_new_column_keeps_the_lines(
    owner: Connection, forms: dict[str, Form]
) -> None:
    budget(owner, body="OPCC")
    generating.deploy(owner, forms)
    base = forms["budget_outturn"]
    new = Column(name="reserve_gbp", business_name="Reserve", logical_type="number")
    wider = replace(base, contract=replace(base.contract, columns=(new, *base.contract.columns)))
    generating.deploy(owner, {**forms, "budget_outturn": wider})
    assert ask(owner, "select body, reserve_gbp, reserve_gbp_flag from typed.budget_outturn") == ("OPCC", None, "blank")


def test_the_builder_reads_typed_lines_and_no_landing(owner: Connection) -> None:
    assert ask(owner, "set role quarterday_builder; select count(*) from typed.indicator") == 0
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(owner, "select count(*) from landing.indicator")


def test_the_dbt_source_lists_just_the_columns_of_the_views(owner: Connection, forms: dict[str, Form]) -> None:
    (source,) = yaml.safe_load(generating.dbt_sources(forms))["sources"]
    for table in source["tables"]:
        with owner.cursor() as cursor:
            cursor.execute(f"select * from typed.{table['name']} limit 0")
            columns = [column.name for column in cursor.description or ()]
            cursor.execute(
                "select column_name, case data_type when 'ARRAY' then 'text[]' else data_type end "
                "from information_schema.columns where table_schema = 'typed' and table_name = %s",
                (table["name"],),
            )
            types = dict(cursor.fetchall())
        assert [column["name"] for column in table["columns"]] == columns
        assert {column["name"]: column["data_type"] for column in table["columns"]} == types
