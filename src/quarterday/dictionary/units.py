"""The unit of a column, as its name promises it, and what its being blank means, as its description says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from quarterday.contracts import Form
from quarterday.dictionary.lineage import Leaf, Origin
from quarterday.dictionary.project import DescribedColumn

# A name is a promise: the ending of a name, and the unit it stands for.
ENDINGS = {
    "_gbp": "pounds",
    "_pct": "percent, 0 to 100",
    "_rate_per_1000": "per 1,000",
    "_count": "a count",
    "_number": "a number in order",
    "_sort": "a number to sort by",
    "_order": "a number to sort by",
    "_id": "a number that names",
    "reference": "a number that names",
    "_months": "months",
    "_days": "days",
    "_year": "a year",
    "_quarter": "1 to 4",
}
BEGINNINGS = ("is_", "has_", "was_")
MEASURED = frozenset(
    {
        "value", "additive_value", "value_to_date", "compared_with", "change", "target_value", "target_quarter_value",
        "baseline_value", "baseline_quarter_value", "computed_value", "printed_value", "difference", "process_mean",
        "mean_moving_range", "lower_limit", "upper_limit", "computed_low", "computed_high", "printed_step", "old_value",
        "new_value",
    }
)  # fmt: skip
COUNTED = frozenset({"numerator", "denominator"})
DEGREES = frozenset({"longitude", "latitude"})
TYPES = {"date": "a day", "boolean": "yes or no", "timestamp with time zone": "a moment, UTC"}
NUMBERS = ("numeric", "integer", "bigint", "smallint", "double precision")
BLANK = re.compile(r"^(null|empty|blank|infinity)\b|\b(may be missing|empty for)\b", re.IGNORECASE)
SENTENCES = re.compile(r"(?<=[.;])\s+(?=[A-Z]|null\b|empty for\b)")


def unit_of(column: DescribedColumn, origin: Origin, forms: Mapping[str, Form]) -> str:
    """Return a column's unit; empty for text, and for a number whose name and contract promise none."""
    if column.data_type in TYPES:
        return TYPES[column.data_type]
    if column.name in MEASURED:
        return "the measure's unit"
    if column.name in COUNTED:
        return "the measure's unit of count"
    if column.name in DEGREES:
        return "degrees"
    if not is_number(column):
        return ""
    ending = next((unit for ending, unit in ENDINGS.items() if column.name.endswith(ending)), "")
    return ending or _contract_unit(origin, forms)


def is_number(column: DescribedColumn) -> bool:
    """Whether a column holds numbers."""
    return column.data_type.startswith(NUMBERS)


def blank_of(column: DescribedColumn) -> str:
    """Return what it means that a column is blank, as its description says it."""
    if column.is_never_blank:
        return "never blank"
    return _joined(sentence for sentence in _sentences(column) if BLANK.search(sentence))


def meaning_of(column: DescribedColumn) -> str:
    """Return a column's description without what it says of blanks."""
    return _joined(sentence for sentence in _sentences(column) if not BLANK.search(sentence))


def _joined(sentences: Iterable[str]) -> str:
    told = " ".join(sentences)
    return f"{told[:-1]}." if told.endswith(";") else told


def _sentences(column: DescribedColumn) -> list[str]:
    return SENTENCES.split(column.description)


def _contract_unit(origin: Origin, forms: Mapping[str, Form]) -> str:
    """Return the unit that a contract gives the one column that a column is made of."""
    if len(origin.made_of) != 1:
        return ""
    leaf: Leaf = next(iter(origin.made_of))
    form = forms.get(leaf.relation.partition(".")[2])
    column = form.contract.column(leaf.column) if form else None
    return (column.unit or "") if column else ""
