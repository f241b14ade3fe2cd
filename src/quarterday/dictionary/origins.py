"""Where a column comes from, in words: the contract's column that a partner fills, a seed, or the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quarterday.contracts import Form
from quarterday.dictionary.lineage import ROWS, Leaf, Origin

INDICATOR = "typed.indicator"
# Columns of a typed view that say where in the file a line stands: of the file itself, not of what a partner wrote.
PLACE = frozenset({"load_id", "sheet", "line_number", "column_number", "column_name", "form"})
# Columns of typed.indicator that are read from another that the contract has.
READ_FROM = {
    "value_flag": "value",
    "value_qualifier": "value",
    "value_ok": "value",
    "value_as_sent": "value",
    "numerator_ok": "numerator",
    "denominator_ok": "denominator",
    "period_label": "period_start",
    "period_type": "period_start",
    "period_ok": "period_start",
}
# What a layout may read beside the columns of an indicator form's contract.
BESIDE_CONTRACT = ("numerator", "denominator", "status", "declared_rag", "note")
FLAGS = ("_flag", "_ok")
# Relations of the ledger that are filled from files of the repository, and what these are.
LEDGER_FILES = {
    "ledger.partner": "`returns/partners.csv`",
    "ledger.expected_return": "the contracts' cadence and due days",
    "ledger.form_priority": "the contracts' priorities",
}


@dataclass(frozen=True, order=True)
class ContractColumn:
    """A column of a form's contract; ``form`` is ``indicator`` for the columns that indicator forms share."""

    form: str
    column: str


def contract_columns(leaves: Iterable[Leaf], forms: Mapping[str, Form]) -> frozenset[ContractColumn]:
    """Return the contracts' columns among leaves: those that partners fill. Rows that are only counted have none."""
    return frozenset(found for leaf in leaves if (found := contract_column(leaf, forms)) is not None)


def contract_column(leaf: Leaf, forms: Mapping[str, Form]) -> ContractColumn | None:
    """Return the contract's column that a leaf is read from; None where no contract has it."""
    schema, _, form = leaf.relation.partition(".")
    if schema != "typed" or leaf.column in PLACE:
        return None
    name = READ_FROM.get(leaf.column, leaf.column) if leaf.relation == INDICATOR else leaf.column
    candidates = [name, *(name.removesuffix(suffix) for suffix in FLAGS if name.endswith(suffix))]
    return next((ContractColumn(form, one) for one in candidates if one in _columns_of(form, forms)), None)


def _columns_of(form: str, forms: Mapping[str, Form]) -> set[str]:
    if form == "indicator":
        shared = {column.name for one in forms.values() if one.is_indicator for column in one.contract.columns}
        return shared.union(BESIDE_CONTRACT)
    return {column.name for column in forms[form].contract.columns}


def in_words(origin: Origin, forms: Mapping[str, Form]) -> str:
    """Return an origin as a cell of a page: what the value is made of, then what decides which one it is."""
    made = "; ".join(_group(relation, names, forms) for relation, names in _grouped(origin.made_of))
    if not origin.decided_by:
        return made or "worked out in the view itself"
    others = sorted({_relation(leaf.relation) for leaf in origin.decided_by})
    decided = f"decided by {', '.join(others)}"
    return f"{made}; {decided}" if made else decided


def _grouped(leaves: Iterable[Leaf]) -> list[tuple[str, list[str]]]:
    columns: dict[str, set[str]] = defaultdict(set)
    for leaf in leaves:
        columns[leaf.relation].add(leaf.column)
    return sorted((relation, sorted(names)) for relation, names in columns.items())


def _group(relation: str, names: list[str], forms: Mapping[str, Form]) -> str:
    """Return what of one relation a column is made of."""
    leaves = [Leaf(relation, name) for name in names if name != ROWS]
    told = sorted({f"`{_told(leaf, forms)}`" for leaf in leaves})
    if ROWS in names:
        told = ["its rows, counted", *told]
    if relation in LEDGER_FILES:
        return f"{_relation(relation)} ({LEDGER_FILES[relation]}): {', '.join(told)}"
    if told and all(leaf.column in PLACE for leaf in leaves) and relation.startswith("typed."):
        return f"the file of {_relation(relation)}: {', '.join(told)}"
    return f"{_relation(relation)}: {', '.join(told)}"


def _told(leaf: Leaf, forms: Mapping[str, Form]) -> str:
    found = contract_column(leaf, forms)
    return found.column if found else leaf.column


def _relation(name: str) -> str:
    """Return how a relation is called in a page."""
    schema, _, rest = name.partition(".")
    if name == INDICATOR:
        return "[indicator forms](forms.md#indicator-forms)"
    if schema == "typed":
        return f"form [`{rest}`](forms.md#{rest})"
    if schema == "core":
        return f"seed `{rest}`"
    return f"`{name}`"
