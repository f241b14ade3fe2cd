"""What a BI tool finds in mart and history: every relation and column explained, plain types, names, orders, joins.

Asked of the catalogue of the demo's warehouse, so that a relation added later is asked too.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import pytest

from benchmarks import questions
from quarterday.relations import read_relations
from quarterday.settings import Settings
from quarterday.warehouse import connect

CATALOGUE = """
    select pg_namespace.nspname || '.' || pg_class.relname, obj_description(pg_class.oid, 'pg_class'), attname,
        col_description(pg_class.oid, attnum), format_type(atttypid, null)
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    join pg_attribute on attrelid = pg_class.oid
    where nspname in ('mart', 'history') and relkind in ('r', 'v', 'm', 'p') and attnum > 0 and not attisdropped
    order by 1, attnum"""
PLAIN = {"text", "integer", "bigint", "numeric", "mart.figure", "boolean", "date", "timestamp with time zone"}
A_DAY = re.compile(r".*_(on|(?<!to_)date|start|end|day)|valid_(from|to)|charted_from")
A_MOMENT = re.compile(r".*_at|known_(from|to)")
A_FLAG = re.compile(r"(is|has|was)_.*")
FLAGS_NAMED_OTHERWISE = {"agrees"}
# What stands beside a code in a relation that needs no join.
NAMES = {
    "measure_code": {"measure_name"},
    "area_code": {"area_name"},
    "partner_code": {"partner_name"},
    "plan_code": {"plan_name"},
    "priority_code": {"priority_name"},
    "outcome_code": {"outcome_label"},
    "fund_code": {"fund_name"},
    "action_key": {"action_label"},
    "period_key": {"period_label", "column_label"},
}
ORDERS = {
    "period_key": {"period_sort", "column_sort"},
    "priority_code": {"priority_order"},
    "outcome_code": {"outcome_order"},
    "theme": {"theme_order"},
    "rule_code": {"rule_order"},
}
# What is printed beside it has neither; rpt_outcome has both for each of its quarters.
WITHOUT_NUMERATOR = {"mart.rpt_outcome_against_baseline", "mart.fct_published_figure"}

# What the questions of benchmarks/questions.sql are asked of.
FACTS_ASKED_ABOUT = tuple(questions.BY_QUARTER | questions.WHOLE)


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it."""

    relation: str
    about_relation: str | None
    name: str
    about: str | None
    type: str


@pytest.fixture(scope="module")
def columns(demo: Settings) -> list[Column]:
    with connect(demo, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(CATALOGUE)
        return [Column(*row) for row in cursor.fetchall()]


def named(columns: list[Column]) -> dict[str, dict[str, str]]:
    """Return the type of each column by relation and name."""
    found: dict[str, dict[str, str]] = {}
    for column in columns:
        found.setdefault(column.relation, {})[column.name] = column.type
    return found


def test_every_relation_says_its_grain_and_every_column_what_it_is(columns: list[Column]) -> None:
    assert len(named(columns)) > 30
    assert [one.relation for one in columns if not (one.about_relation or "").startswith("Grain: one row")] == []
    assert [(one.relation, one.name) for one in columns if not one.about] == []


def test_types_are_those_that_every_tool_takes(columns: list[Column]) -> None:
    assert [(one.relation, one.name, one.type) for one in columns if one.type not in PLAIN] == []


def test_a_view_is_planned_with_the_question_that_is_asked_of_it(demo: Settings) -> None:
    """PostgreSQL plans a view that begins with ``with`` by itself; only what is read twice in a view has to stay so."""
    with connect(demo, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("""select schemaname || '.' || viewname, definition from pg_views
            where schemaname in ('mart', 'history') order by 1""")
        views = dict(cursor.fetchall())
    begun = {name: re.findall(r"(?:WITH|,) (\w+) AS (?:MATERIALIZED )?\(", text) for name, text in views.items()}
    assert len(views) > 30
    assert sum(map(bool, begun.values())) < 10
    read_once = [
        (name, cte)
        for name, ctes in begun.items()
        for cte in ctes
        if len(re.findall(rf"\b(?:FROM|JOIN) \(*{cte}\b(?!\.)", views[name])) == 1
    ]
    assert read_once == []
    assert [name for name in FACTS_ASKED_ABOUT if begun[name]] == []
    # A query that only names a relation would be planned column by column, and the last select would be one more.
    naming = re.compile(r"\(\s*SELECT [\w.,\s]+?FROM \w+\.\w+\)")
    assert [name for name, text in views.items() if not begun[name] and naming.search(text)] == []
    assert [name for name, text in views.items() if text.rstrip().endswith(") final;") and not begun[name]] == []


def test_a_day_is_a_date_a_moment_has_its_zone_and_a_flag_is_a_flag(columns: list[Column]) -> None:
    wrong = [
        (one.relation, one.name, one.type)
        for one in columns
        if (A_DAY.fullmatch(one.name) and one.type != "date")
        or (one.type == "date" and not A_DAY.fullmatch(one.name))
        or bool(A_MOMENT.fullmatch(one.name)) != (one.type == "timestamp with time zone")
        or bool(A_FLAG.fullmatch(one.name) or one.name in FLAGS_NAMED_OTHERWISE) != (one.type == "boolean")
    ]
    assert wrong == []


def test_a_wide_relation_has_names_and_orders_beside_its_codes(columns: list[Column]) -> None:
    wide = {name: found for name, found in named(columns).items() if name.startswith("mart.rpt_")}
    assert len(wide) >= 9
    lacking = [
        (relation, code, sorted(beside))
        for relation, found in wide.items()
        for needed in (NAMES, ORDERS)
        for code, beside in needed.items()
        if code in found and not beside & found.keys()
    ]
    assert lacking == []


def test_an_order_is_a_number(columns: list[Column]) -> None:
    assert [
        (one.relation, one.name)
        for one in columns
        if re.search(r"_(sort|order|number)$", one.name) and one.type != "integer"
    ] == []


def test_a_figure_of_a_measure_has_its_numerator_and_denominator(columns: list[Column]) -> None:
    lacking = [
        relation
        for relation, found in named(columns).items()
        if "measure_code" in found
        and any(name in found for name in ("value", "computed_value"))
        and not {"numerator", "denominator"} <= found.keys()
        and relation not in WITHOUT_NUMERATOR
    ]
    assert lacking == []


def test_what_tools_are_told_joins_does_join(demo: Settings, columns: list[Column]) -> None:
    """Each relation is in the database, its one side has each key once, and no key is missing there."""
    relations = read_relations(demo.dbt_project)
    found = named(columns)
    assert {one.to_relation for one in relations} >= {f"mart.dim_{name}" for name in ("area", "measure", "period")}
    assert [one for one in relations if one.from_column not in found[one.from_relation]] == []
    with connect(demo, "owner") as connection, connection.cursor() as cursor:
        for one in {(relation.to_relation, relation.to_column) for relation in relations}:
            cursor.execute("select count(*), count(distinct {1}) from {0}".format(*one))
            ((rows, keys),) = cursor.fetchall()
            assert rows == keys, one
        lost = []
        for one in relations:
            cursor.execute(
                f"""select count(distinct {one.from_column}) from {one.from_relation}
                where {one.from_column} is not null
                    and {one.from_column} not in (select {one.to_column} from {one.to_relation})"""
            )
            ((missing,),) = cursor.fetchall()
            lost += [(one, missing)] if missing else []
    assert lost == []


def test_the_questions_of_the_benchmark_are_answered(demo: Settings) -> None:
    # No crimes are in the demo; what is asked of them finds none.
    draws = {place: values or ["2018-19-Q3"] for place, values in questions.drawn(demo).items()}
    with connect(demo, "reader") as connection, connection.cursor() as cursor:
        for name, text in questions.read_questions():
            cursor.execute(questions.filled(text, "ours", draws, random.Random(name)))
            assert cursor.description, name


def test_the_wide_relations_say_what_the_facts_say(demo: Settings) -> None:
    """The same figures as the star's, with names; nobody's row is lost or doubled on the way."""
    pairs = (
        (
            "select count(*), sum(value::numeric) from mart.rpt_outcome",
            """select count(*), sum(outcomes.value::numeric) from mart.fct_outcome as outcomes
            join mart.dim_period using (period_key)
            join mart.bridge_measure_outcome as bridge
                on bridge.measure_code = outcomes.measure_code
                and period_end between bridge.valid_from and coalesce(bridge.valid_to, 'infinity')""",
        ),
        (
            "select count(*), sum(outcome_green_count) from mart.rpt_priority",
            "select count(*), sum(outcome_green_count) from mart.fct_priority",
        ),
        (
            "select count(*), sum(version_count), count(*) filter (where state = 'late') from mart.rpt_return",
            "select count(*), sum(version_count), count(*) filter (where state = 'late') from mart.fct_return",
        ),
    )
    with connect(demo, "reader") as connection, connection.cursor() as cursor:
        for wide, star in pairs:
            cursor.execute(wide)
            told = cursor.fetchall()
            cursor.execute(star)
            assert told == cursor.fetchall()
            assert told[0][0] > 0, wide
