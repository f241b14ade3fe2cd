"""Checks written as data: a jump since the last return, fewer lines than before, a total and its parts, two partners.

Each becomes the SQL of an ordinary check. What came before is told by issue day and load number alone, never by the
clock: only returns that were registered before this one count, of those that were admitted and not withdrawn the one
issued last. A return is judged after all those that its checks look at (:mod:`quarterday.loading`), so it gets the same
verdict in whatever order the tasks ran, and never sees itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quarterday.contracts import Form

SERIES = ("measure_code", "breakdown_code", "area_code", "period_type", "status")
PERIOD = ("period_start", "period_end")
GROUP = ("measure_code", "area_code", "period_type", "period_start", "period_end", "status")
# Of these one follows the other without a gap; a day or a season does not.
IN_SUCCESSION = ("financial_quarter", "financial_year", "calendar_year", "calendar_month", "rolling_year")
EARLIER = ("period_before", "version_before")
# Of such returns a partner sends several about one quarter, so a quarter does not tell which one a return replaces.
SEVERAL_A_QUARTER = ("calendar_month", "as_at", "date_range")


@dataclass(frozen=True)
class Comparison:
    """The SQL of a check that was written as data; ``looks_at`` names the forms of which other returns are read."""

    lines_sql: str | None = None
    reject_sql: str | None = None
    looks_at: tuple[str, ...] = ()


def comparison(form: Form, rule: str, raw: Any) -> Comparison:
    """Return the SQL of a rule.

    Args:
        form: The form whose check it is.
        rule: One of :data:`RULES`.
        raw: The rule's keys, as the expectations file has them; ``expectations/README.md`` explains them.

    Raises:
        ValueError: A key is unknown, missing or wrong; the message says which.
    """
    make, required, optional = RULES[rule]
    given = _keys(rule, raw, required, optional)
    return make(form, given)


def _jump(form: Form, given: dict[str, Any]) -> Comparison:
    kind = _one_of("than", given["than"], EARLIER)
    if ("more_than_pct" in given) == ("factor" in given):
        raise ValueError("jump: give more_than_pct or factor")
    of = _column("of", given.get("of", "value"), form)
    same = _same(form, given, SERIES if kind == "period_before" else (*SERIES, *PERIOD))
    low, high = _band(given)
    newest, follows = _newest(form, same, of) if kind == "period_before" else (_plain(same, of), "true")
    exact = "and line.value_qualifier = 'exact'" if form.is_indicator else ""
    return Comparison(
        lines_sql=f"""with earlier as materialized ({_earlier(form, kind)}),
            before as ({newest}),
            limits as (select *, {low} as low, {high} as high from before)
        select {_place(form, "line")}, low || ' to ' || high || ', after ' || before || ' {_since(kind)}' as expected
        from (select * from {{lines}} as line where ({given.get("where", "true")}
            )) as line
        join limits on {_equal("line", "limits", same)}
        where {follows} {exact} and line.{of} not between low and high""",
        looks_at=(form.name,),
    )


def _fewer(form: Form, given: dict[str, Any]) -> Comparison:
    earlier = f"with earlier as materialized ({_earlier(form, 'version_before')})"
    issued = f"(select to_char(issued_on, 'FMDD FMMonth YYYY') from ({_last(form, 'version_before')}) as last)"
    replaced = f"', as in the return of ' || {issued} || ' that this one replaces'"
    allowed = _number("allow_pct", given.get("allow_pct", 0))
    if given["of"] == "lines":
        query = f"""{earlier}
        select 'at least ' || ceil(before * {1 - allowed / 100}) || ' lines' || {replaced} as expected,
            line_count || ' lines' as found
        from (
            select (select count(*) from {{lines}} as line) as line_count, (select count(*) from earlier) as before
        ) as counted
        where line_count < before * {1 - allowed / 100}"""
        return Comparison(reject_sql=query, looks_at=(form.name,))
    if not isinstance(given["of"], list) or allowed:
        raise ValueError("fewer: of is 'lines', with allow_pct if you wish, or a list of columns")
    columns = ", ".join(_column("of", name, form) for name in given["of"])
    query = f"""{earlier}
        select 'a line for ' || concat_ws(', ', {columns}) || {replaced} as expected, 'none' as found
        from (
            select {columns} from earlier
            except
            select {columns} from {{lines}} as line
        ) as missing"""
    return Comparison(reject_sql=query, looks_at=(form.name,))


def _total(form: Form, given: dict[str, Any]) -> Comparison:
    of = _column("of", given.get("of", "value"), form)
    same = _same(form, given, GROUP)
    wanted = f"and count(*) = {int(_number('parts_wanted', given['parts_wanted']))}" if "parts_wanted" in given else ""
    exact = "and value_qualifier = 'exact'" if form.is_indicator else ""
    query = f"""select {_place(form, "whole")}, parts.amount || ', the sum of the parts' as expected
        from {{lines}} as whole
        join (
            select {", ".join(same)}, sum({of}) as amount
            from {{lines}} as part
            where ({given["parts"]}
                ) {exact}
            group by {", ".join(same)}
            having count({of}) = count(*) {wanted}
        ) as parts using ({", ".join(same)})
        where ({given["whole"]}
            ) {exact} and abs(whole.{of} - parts.amount) > {_number("within", given.get("within", 0))}"""
    return Comparison(lines_sql=query)


def _agrees(form: Form, given: dict[str, Any]) -> Comparison:
    partner = _keys("with", given["with"], {"partner"}, {"form"})
    ours = _keys("ours", given["ours"], {"figure", "by"}, {"where"})
    theirs = _keys("theirs", given["theirs"], {"figure", "by"}, {"where"})
    other = str(partner.get("form", form.name))
    names = sorted(_keys("by", ours["by"], set(), set(ours["by"])))
    if names != sorted(_keys("by", theirs["by"], set(), set(theirs["by"]))) or not names:
        raise ValueError("agrees: ours and theirs must be by the same things")
    pct = _number("within_pct", given["within_pct"])
    who, about = _quoted(str(partner["partner"])), ", ".join(f"ours.{name}" for name in names)
    query = f"""select theirs.figure || ', give or take {pct:g}%, as {who} says for '
            || concat_ws(', ', {about}) as expected, ours.figure::text as found
        from ({_side(ours, "{lines}", names)}) as ours
        join ({_side(theirs, f"({_of_partner(other, who)})", names)}) as theirs using ({", ".join(names)})
        where abs(ours.figure - theirs.figure) > abs(theirs.figure) * {pct / 100}"""
    return Comparison(reject_sql=query, looks_at=(other,))


RULES = {
    "jump": (_jump, {"than"}, {"of", "same", "more_than_pct", "and_more_than", "factor", "where"}),
    "fewer": (_fewer, {"of"}, {"allow_pct"}),
    "total": (_total, {"whole", "parts"}, {"of", "same", "within", "parts_wanted"}),
    "agrees": (_agrees, {"with", "ours", "theirs", "within_pct"}, set[str]()),
}


def _earlier(form: Form, kind: str) -> str:
    """Return the query of the lines of the last return, without those that were set aside."""
    return f"""select earlier_line.* from typed."{form.name}" as earlier_line
        where load_id = (select load_id from ({_last(form, kind)}) as last) and not exists (
            select 1 from ledger.line_issue as issue
            where issue.load_id = earlier_line.load_id and issue.action = 'quarantine_line'
                and issue.line_number = earlier_line.line_number and issue.sheet is not distinct from earlier_line.sheet
        )"""


def _last(form: Form, kind: str) -> str:
    """Return the query of the last admitted return of the same form and partner, issued by this one's day.

    Before it, in the order of the quarters that they report on, or of the same quarter.
    """
    if kind == "version_before" and form.layout.quarter.type in SEVERAL_A_QUARTER:
        raise ValueError("a partner sends several returns of this form a quarter, so none replaces the one before")
    sign = "<" if kind == "period_before" else "="
    return f"""select earlier_load.load_id, earlier_load.issued_on
        from ledger.load as this_load
        join ledger.load as earlier_load
            on earlier_load.form = this_load.form and earlier_load.partner_code = this_load.partner_code
            and earlier_load.load_id < this_load.load_id and earlier_load.issued_on <= this_load.issued_on
            and earlier_load.reporting_quarter {sign} this_load.reporting_quarter
        where this_load.load_id = {{load_id}} and {_counts("earlier_load")}
        order by earlier_load.reporting_quarter desc, earlier_load.issued_on desc, earlier_load.load_id desc
        limit 1"""


def _counts(load: str) -> str:
    """Return the condition that a load was admitted and not withdrawn."""
    return f"""exists (
            select 1 from ledger.verdict
            where verdict.load_id = {load}.load_id and verdict.verdict <> 'rejected'
        ) and not exists (
            select 1 from ledger.load_event where load_event.load_id = {load}.load_id and event = 'withdrawn'
        )"""


def _of_partner(form: str, partner: str) -> str:
    """Return the query of the lines of a partner's newest admitted returns, one a quarter, registered before this."""
    return f"""select other_line.* from typed."{form}" as other_line
        where load_id = any(array(
            select distinct on (other_load.reporting_quarter) other_load.load_id
            from ledger.load as other_load
            where other_load.form = '{_quoted(form)}' and other_load.partner_code = '{partner}'
                and other_load.load_id < {{load_id}} and {_counts("other_load")}
            order by other_load.reporting_quarter, other_load.issued_on desc, other_load.load_id desc
        ))"""


def _side(side: Mapping[str, Any], lines: str, names: list[str]) -> str:
    by = ", ".join(f"{side['by'][name]} as {name}" for name in names)
    places = ", ".join(str(place) for place in range(1, len(names) + 1))
    condition = side.get("where", "true")
    return f"select {by}, {side['figure']} as figure from {lines} as line where ({condition}\n) group by {places}"


def _newest(form: Form, same: tuple[str, ...], of: str) -> tuple[str, str]:
    """Return the query of each series' newest figure in the last return, and the condition that a line follows it."""
    if not form.is_indicator:
        return _plain(same, of), "true"
    kinds = ", ".join(f"'{kind}'" for kind in IN_SUCCESSION)
    query = f"""select distinct on ({", ".join(same)}) {", ".join(same)}, period_end as ended_on, {of} as before
        from earlier where {of} is not null and value_qualifier = 'exact' and period_ok
        order by {", ".join(same)}, period_end desc"""
    follows = f"""line.period_end > limits.ended_on
            and (line.period_type not in ({kinds}) or line.period_start <= limits.ended_on + 1)"""
    return query, follows


def _plain(same: tuple[str, ...], of: str) -> str:
    return f"""select {", ".join(same)}, max({of}) as before from earlier
        where {of} is not null group by {", ".join(same)} having count(*) = 1"""


def _band(given: dict[str, Any]) -> tuple[str, str]:
    """Return the SQL of the least and the greatest figure that asks no question, from ``before``."""
    if "factor" in given:
        factor = _number("factor", given["factor"])
        ends = f"before / {factor}, before * {factor}"
        return f"case when before = 0 then '-infinity' else trim_scale(round(least({ends}), 2)) end", (
            f"case when before = 0 then 'infinity' else trim_scale(round(greatest({ends}), 2)) end"
        )
    share, least = _number("more_than_pct", given["more_than_pct"]) / 100, _number("", given.get("and_more_than", 0))
    reach = f"greatest(abs(before) * {share}, {least})"
    return f"trim_scale(round(before - {reach}, 2))", f"trim_scale(round(before + {reach}, 2))"


def _since(kind: str) -> str:
    return "in the return before" if kind == "period_before" else "in the return that this one replaces"


def _place(form: Form, line: str) -> str:
    return f"{line}.sheet, {line}.line_number" + (f", {line}.column_number" if form.is_indicator else "")


def _equal(one: str, other: str, names: tuple[str, ...]) -> str:
    return " and ".join(f"{one}.{name} = {other}.{name}" for name in names)


def _same(form: Form, given: dict[str, Any], otherwise: tuple[str, ...]) -> tuple[str, ...]:
    if "same" not in given and form.is_indicator:
        return otherwise
    if not isinstance(given.get("same"), list) or not given["same"]:
        raise ValueError("'same' must list the columns that tell which line goes with which")
    return tuple(_column("same", name, form) for name in given["same"])


def _column(key: str, name: Any, form: Form) -> str:
    known = (
        (*SERIES, *PERIOD, "value", "numerator", "denominator")
        if form.is_indicator
        else tuple(column.name for column in form.contract.columns)
    )
    if name not in known:
        raise ValueError(f"{key} is {name!r}, expected one of {', '.join(known)}")
    column = form.contract.column(str(name))
    if column and column.personal:
        raise ValueError(f"{key} is {name!r}, which is personal: what was sent before would be repeated")
    return str(name)


def _keys(place: str, raw: Any, required: set[str], optional: set[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError(f"{place!r} must have keys of its own, found {raw!r}")
    if unknown := set(raw) - required - optional:
        raise ValueError(f"{place} has an unknown key {sorted(unknown)[0]!r}")
    if missing := required - set(raw):
        raise ValueError(f"{place} lacks {sorted(missing)[0]!r}")
    return raw


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{key or 'and_more_than'} must be a number, not below nought; found {value!r}")
    return float(value)


def _one_of(key: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{key} is {value!r}, expected {' or '.join(allowed)}")
    return str(value)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
