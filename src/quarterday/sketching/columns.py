"""What each column of a sample holds: its type, its unit as far as it shows, its marks, and which columns are a key."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from quarterday.sketching.looking import Table
from quarterday.sketching.texts import BOOLEANS, MARKS, is_date, is_mark, is_number, is_whole, period_of
from quarterday.wording import mark_key, plain

MOSTLY = 0.9
FEW_VALUES = 12
KEY_COLUMNS = 8
TIMES_AND_LENGTHS = ("seconds", "minutes", "hours", "days", "weeks", "years", "miles", "km")
SHORT_WORDS = {"seconds": ("secs",), "minutes": ("mins",), "hours": ("hrs",)}
_CODE_WORDS = ("code", "id", "ref", "reference", "urn", "uprn", "postcode", "phone", "telephone", "number of case")
_PERSONAL_WORDS = (
    *(
        "full name",
        "first name",
        "last name",
        "client name",
        "victim name",
        "officer name",
        "surname",
        "forename",
        "address",
        "postcode",
        "date of birth",
        "dob",
        "email",
        "phone",
        "telephone",
    ),
    *("nhs number", "national insurance", "ethnicity of client", "initials"),
)
_NOT_PERSONAL = ("area", "force", "district", "authority", "lsoa", "ward", "project", "fund", "measure", "organisation")


@dataclass(frozen=True)
class Column:
    """A column of a sample.

    ``kind`` is a logical type of the contract; ``unit`` None where nothing hints at it; ``strange`` are cells that fit
    neither the type nor a usual mark, each with its line.
    """

    index: int
    heading: str | None
    kind: str
    values: tuple[str, ...]
    blanks: int
    marks: tuple[str, ...] = ()
    strange: tuple[tuple[int, str], ...] = ()
    unit: str | None = None
    scale: int = 1
    is_negative: bool = False
    is_period: bool = False

    @property
    def name(self) -> str:
        """The heading, or the column's place where it has none."""
        return self.heading or f"column {self.index + 1}"

    @property
    def plain(self) -> str:
        """The heading as it is compared."""
        return plain(self.heading or "", False)

    @property
    def distinct(self) -> list[str]:
        """The different values, the most frequent first."""
        return [value for value, _ in Counter(self.values).most_common()]

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind in ("integer", "number")

    @property
    def is_few(self) -> bool:
        """Whether the values are few enough to be a list of allowed ones."""
        return 0 < len(self.distinct) <= FEW_VALUES and len(self.values) >= 2 * len(self.distinct)

    @property
    def may_be_personal(self) -> bool:
        """Whether the heading suggests that the column says something about a person."""
        words = re.split(r"[^a-z]+", self.plain)
        told = any(word in self.plain if " " in word else word in words for word in _PERSONAL_WORDS)
        return told and not any(word in self.plain for word in _NOT_PERSONAL)


def columns_of(table: Table) -> list[Column]:
    """Return every column that has a heading or content, from the left."""
    wanted = [index for index, heading in enumerate(table.headings) if heading or index in table.unheaded]
    return [_column(index, table) for index in wanted]


def key_of(columns: list[Column], line_count: int) -> tuple[Column, ...]:
    """Return the fewest columns, the leftmost first, that tell each line from every other; none where none do.

    Figures that happen to be all different are taken only where nothing else tells the lines apart.
    """
    usable = [column for column in columns if not column.blanks and not column.marks and column.kind != "number"]
    usable = [column for column in usable if column.heading and len(column.values) == line_count][:KEY_COLUMNS]
    likely = [column for column in usable if column.kind != "integer" or column.is_few or column is usable[0]]
    tries = (chosen for pool in (likely, usable) for size in range(1, 5) for chosen in combinations(pool, size))
    return next((chosen for chosen in tries if tell_apart(chosen, line_count)), ())


def tell_apart(columns: Sequence[Column], line_count: int) -> bool:
    """Return whether some columns, filled in every line, tell each line from every other."""
    if any(len(column.values) != line_count for column in columns):
        return False
    return len(set(zip(*(column.values for column in columns), strict=True))) == line_count


def _column(index: int, table: Table) -> Column:
    heading = " ".join((table.headings[index] or "").split()) or None
    cells = table.cells(index)
    filled = [(line, cell) for (line, _), cell in zip(table.lines, cells, strict=True) if cell]
    texts = [cell for _, cell in filled]
    kind, fits = _kind(texts, plain(heading or "", False))
    is_typed = kind != "string"
    marks = {mark_key(cell) for cell in texts if is_typed and not fits(cell) and _may_be_mark(cell)}
    strange = [(line, cell) for line, cell in filled if is_typed and not fits(cell) and mark_key(cell) not in marks]
    unit, scale = unit_of(heading or "", texts, kind)
    values = tuple(cell for cell in texts if mark_key(cell) not in marks)
    periods = [cell for cell in set(values) if period_of(cell)]
    return Column(
        index, heading, kind, values, len(cells) - len(filled), tuple(sorted(marks)), tuple(strange[:5]), unit, scale,
        is_typed and any(cell.lstrip("£ ").startswith(("-", "(")) and is_number(cell) for cell in values),
        bool(values) and len(periods) >= MOSTLY * len(set(values)),
    )  # fmt: skip


def _may_be_mark(cell: str) -> bool:
    return is_mark(cell) or len(cell) <= 3 and not any(letter.isdigit() for letter in cell)


def _kind(texts: list[str], heading: str) -> tuple[str, Callable[[str], object]]:
    """Return the logical type of a column's texts and the test that a text is of it."""
    told = [text for text in texts if not _may_be_mark(text)] or [text for text in texts if not is_mark(text)]
    if texts and not told:
        return "number", is_number  # nothing but marks, which stand in place of numbers
    tests = (("boolean", _is_boolean), ("date", is_date), ("integer", is_whole), ("number", is_number))
    if _is_code(told, heading):
        return "string", str
    for kind, fits in tests:
        asked = texts if kind == "boolean" else told
        if asked and sum(map(fits, asked)) >= (1 if kind == "boolean" else MOSTLY) * len(asked):
            if kind == "integer" and not all(is_whole(text) for text in told if is_number(text)):
                continue
            return kind, is_number if kind == "integer" else fits
    return "string", str


def _is_boolean(text: str) -> bool:
    return mark_key(text) in BOOLEANS


def _is_code(texts: list[str], heading: str) -> bool:
    """Return whether digits are a code: with noughts before them, of one length and long, or under such a heading."""
    words = re.split(r"[^a-z]+", heading)
    digits = [text for text in texts if text.isdigit()]
    has_noughts = any(len(text) > 1 and text.startswith("0") for text in digits)
    return has_noughts or bool(digits) and any(word in words for word in _CODE_WORDS)


def unit_of(heading: str, texts: list[str], kind: str) -> tuple[str | None, int]:
    """Return the unit that a heading or the cells show, and by how much a sent number is multiplied."""
    if kind not in ("integer", "number"):
        return None, 1
    said = plain(heading)
    scale = 1000 if re.search(r"£ ?'?000s?|\bthousands?\b|\(000s?\)|£k\b", said) else 1
    shown = [text for text in texts if is_number(text)][:200]
    if "£" in said or any("£" in text for text in shown) or re.search(r"\bgbp\b|\bpounds\b", said):
        return "gbp", scale
    if "%" in said or any("%" in text for text in shown) or re.search(r"\bper ?cent|\bpercentage\b|\bpct\b", said):
        return "percent", scale
    for word in TIMES_AND_LENGTHS:
        # '28 days' says within what time something is counted, not what in.
        if re.search(rf"(?<!\d )\b(?:{'|'.join((word, *SHORT_WORDS.get(word, ())))})\b", said):
            return word, scale
    return None, scale


def flag_of(mark: str) -> str | None:
    """Return the usual flag of a mark; None where it has more than one use, or none that is known."""
    return MARKS.get(mark)
