"""A cheap test may only say of a cell what the check itself would say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2.extensions import connection as Connection

from quarterday.checking.checks import Check, contract_checks
from quarterday.checking.profile import Profile, read_profile
from quarterday.checking.quick import mismatch
from quarterday.contracts import Form
from tests.checking_support import GOOD_VISIT, land, make_register

pytest_plugins = ("tests.checking_support",)
TEXTS = [
    None, "", " ", "1", "-1", "40", "41", "2.5", "2.", ".5", "1,234", " 3", "3 ", "(3)", "n/a", "[x]", "9" * 70, "1e3",
    "2017-10-04", "2017-02-31", "4 October 2017", "04/10/2017", "20171004", "yes", "No", "maybe", "Burton", "Burton ",
    "burton", "Leek", "R001", " R001", "R001\n", "R01", "r001", "\tR001", "٣", "R٠٠١", "1_0", "0x1", "1e000",
]  # fmt: skip
PATTERNS = [
    "^R[0-9]{3}$", "^[0-9a-f]{4}$", r"^\d{2}$", "^[EW]01[0-9]{6}$", "^[A-Z]{2}-[0-9]{12}$", "^a|b$", "^[^a]{2}$",
    "^[EW][0-9]{8}$", "^r?0{2}1$", "^ab[0-9]{2}$", "^b{2}urton$", "^[ -~]{4}$",
]  # fmt: skip


# They ask of several columns at once, so no cheap test answers for them.
WRITTEN = [
    "(detainees is null) <> (visited_on is null)",
    "coalesce(detainees_flag, 'none') <> coalesce(visit_number_flag, 'none') or not (detainees_ok and visited_on_ok)",
    "detainees > 2 and station = 'Burton' or visited_on > '2017-10-03' and report is null",
]


DOUBTFUL = GOOD_VISIT | {"station": "Burton "}


def written(number: int, predicate: str) -> Check:
    return Check(f"VIS-{number}", "S.", "critical", "flag", "R.", "E", predicate=predicate)


def counted(form: Form, load_id: int, connection: Connection, *, is_quick: bool) -> Profile:
    checks = [*contract_checks(form), *(written(number, text) for number, text in enumerate(WRITTEN, start=101))]
    if not is_quick:
        checks = [replace(check, passes_when=None) for check in checks]
    return read_profile(load_id, form, list(checks), connection)


@pytest.mark.parametrize("text", TEXTS)
def test_cheap_tests_change_no_count_whatever_a_cell_holds(
    text: str | None, connection: Connection, tmp_path: Path
) -> None:
    form = make_register(tmp_path, connection)
    load_id = land(form, [GOOD_VISIT | {name: text} for name in GOOD_VISIT], connection)
    quick, slow = (counted(form, load_id, connection, is_quick=is_quick) for is_quick in (True, False))
    assert (quick.line_count, quick.failing) == (slow.line_count, slow.failing)
    assert quick.line_count == len(GOOD_VISIT)


@pytest.mark.parametrize("text", TEXTS)
def test_a_load_is_plain_only_where_casts_give_what_its_typed_view_gives(
    text: str | None, connection: Connection, tmp_path: Path
) -> None:
    form = make_register(tmp_path, connection)
    for name in GOOD_VISIT:
        load_id = land(form, [GOOD_VISIT, GOOD_VISIT | {name: text}], connection)
        if any(counted(form, load_id, connection, is_quick=is_quick).is_plain for is_quick in (True, False)):
            assert lines_of("visits_plain", load_id, connection) == lines_of("visits", load_id, connection)


def test_a_load_without_a_doubtful_cell_is_plain(connection: Connection, tmp_path: Path) -> None:
    form = make_register(tmp_path, connection)
    assert counted(form, land(form, [GOOD_VISIT], connection), connection, is_quick=True).is_plain
    assert not counted(form, land(form, [DOUBTFUL], connection), connection, is_quick=True).is_plain


def lines_of(view: str, load_id: int, connection: Connection) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"select * from typed.{view} where load_id = %s order by line_number", (load_id,))
        return cursor.fetchall()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_cheaper_pattern_refuses_the_same_texts(pattern: str, connection: Connection) -> None:
    texts = [
        *TEXTS,
        "12",
        "ab",
        "0a9f",
        "0a9g",
        "E01009433",
        "W01009433",
        "X01009433",
        "E02009433",
        "AB-" + "1" * 12,
        "0A9f",
        "0a f",
        "0a9\n",
        "0a\t9",
        "abc",
        "0a9fé",
        "\\x0a",
        "0a9f0a",
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"select array_agg({mismatch('text', pattern)} order by place), array_agg(text !~ %s order by place) "
            "from unnest(%s::text[]) with ordinality as given (text, place)",
            (pattern, texts),
        )
        cheap, plain = cursor.fetchone() or (None, [])
    assert cheap == plain
