"""Column lineage: each way of writing a query in which a column can come from another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from quarterday.dictionary.lineage import Leaf, Lineage, Origin, UnknownColumn
from quarterday.dictionary.project import DescribedColumn, Project, Relation

SENT = ("typed.sent", ("load_id", "value", "status", "area_code", "parts"))
AREAS = ("core.areas", ("area_code", "parent_area_code", "area_type"))
CASES = yaml.safe_load(Path(__file__).with_name("lineage_cases.yml").read_text())


def relation(name: str, columns: tuple[str, ...], sql: str | None = None) -> Relation:
    described = {column: DescribedColumn(column, "text", "") for column in columns}
    kind = "model" if sql else "seed"
    return Relation(f"{kind}.{name}", name.partition(".")[2], name, kind, "", f"{name}.sql", described, sql)


def origins(sql: str, *models: Relation) -> dict[str, Origin]:
    """Return where the columns of a query over the two relations, and models, come from."""
    asked = relation("mart.asked", (), sql)
    every = [relation(*SENT), relation(*AREAS), *models, asked]
    return dict(Lineage(Project({one.unique_id: one for one in every}, ())).of(asked))


def leaves(*names: str) -> frozenset[Leaf]:
    return frozenset(Leaf(*name.rsplit(".", 1)) for name in names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sql"][:60])
def test_a_column_is_followed_to_what_it_is_made_of(case: dict[str, Any]) -> None:
    assert origins(case["sql"])["found"] == Origin(leaves(*case["made_of"]), leaves(*case["decided_by"]))


def test_a_model_is_followed_through_another_written_into_it() -> None:
    inner = relation("core.int_rated", ("rag",), "select status as rag, load_id from typed.sent")
    found = origins("select case when rag = 'R' then load_id end as load_id from __dbt__cte__int_rated", inner)
    assert found["load_id"] == Origin(leaves("typed.sent.load_id"), leaves("typed.sent.status"))


def test_what_decides_in_an_inner_model_is_made_of_nothing_further_out() -> None:
    inner = relation("core.int_rated", ("rag",), "select case when status = 'x' then 'R' end as rag from typed.sent")
    assert origins("select upper(rag) as rag from core.int_rated", inner)["rag"] == Origin(
        frozenset(), leaves("typed.sent.status")
    )


def test_a_star_brings_the_columns_of_each_relation_that_it_stands_for() -> None:
    found = origins("select sent.*, areas.area_type from typed.sent as sent cross join core.areas as areas")
    assert list(found) == [*SENT[1], "area_type"]


def test_a_column_that_nothing_has_is_named_with_its_model() -> None:
    with pytest.raises(UnknownColumn, match=r"mart.asked.sql: no relation has a column 'gone'"):
        origins("select gone from typed.sent")
