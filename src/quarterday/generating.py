"""From contract and layout to the database: landing tables, typed views and the dbt source.

Identifiers come from contracts, which are ours; they are quoted all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import psycopg2
import yaml
from psycopg2.extensions import connection as Connection

from quarterday.checking.quick import (
    has_numeric_mark,
    is_plain_date,
    is_plain_integer,
    is_plain_number,
    is_trimmed,
    plainly_typed,
)
from quarterday.contracts import Column, Form
from quarterday.wording import plain

INDICATOR_LANDING = (
    "sheet",
    "line_number",
    "column_number",
    "column_name",
    "measure_label",
    "measure_code",
    "breakdown_label",
    "breakdown_code",
    "area_label",
    "area_code",
    "period_label",
    "period_type",
    "period_start",
    "period_end",
    "value",
    "numerator",
    "denominator",
    "status",
    "declared_rag",
    "note",
)
MADE = "# Made from the contracts by python -m quarterday.generating."
INTEGERS = ("line_number", "column_number")
TYPES = {"string": "text", "integer": "bigint", "number": "numeric", "date": "date", "boolean": "boolean"}

# Column, type and meaning of typed.indicator and of every indicator form's own view.
INDICATOR_TYPED = (
    ("load_id", "bigint", "The load that the line came with."),
    ("form", "text", "The form."),
    ("sheet", "text", "The sheet; null for a csv."),
    ("line_number", "integer", "The true row of the sheet or line of the file, from 1."),
    ("column_number", "integer", "The column of the value, from 1."),
    ("column_name", "text", "The heading of the value as sent."),
    ("measure_code", "text", "The measure; null when its label is unknown."),
    ("breakdown_code", "text", "The part of the measure; 'all' when the return gives no parts."),
    ("area_code", "text", "The area; null when its label is unknown."),
    ("period_label", "text", "The period as sent."),
    ("period_type", "text", "The kind of period."),
    ("period_start", "date", "First day of the period."),
    ("period_end", "date", "Last day of the period."),
    ("period_ok", "boolean", "Whether the period could be read."),
    ("value", "numeric", "The number; null when it is not available or can't be read."),
    (
        "value_flag",
        "text",
        "Why there is no value, or what to know of it: x, z, c, low, p, r; blank for an empty cell.",
    ),
    ("value_qualifier", "text", "'exact', or what was printed before the number: over, about, nearly."),
    ("value_ok", "boolean", "Whether the cell is a number or a known mark."),
    ("value_as_sent", "text", "The cell as sent."),
    ("numerator", "numeric", "What the rate counts."),
    ("numerator_ok", "boolean", "Whether the numerator is empty or a number."),
    ("denominator", "numeric", "Of how many the rate counts it."),
    ("denominator_ok", "boolean", "Whether the denominator is empty or a number."),
    ("status", "text", "target, plan, provisional, interim, final or revised."),
    ("declared_rag", "text", "The partner's own red, amber or green."),
    ("note", "text", "The partner's note."),
    ("corrected_columns", "text", "The columns that are read otherwise than sent, as ledger.line_correction says."),
)
CORRECTED_FLAG = "corrected"


def landing_columns(form: Form) -> tuple[str, ...]:
    """Return the columns of a form's landing table that a line fills, in order, without ``load_id``."""
    if form.is_indicator:
        return INDICATOR_LANDING
    return ("sheet", "line_number", *(column.name for column in form.contract.columns))


def landing_ddl(form: Form) -> str:
    """Return the statements that make a form's landing table or add the columns it lacks. They may be repeated."""
    table = f"landing.{_name(form.name)}"
    comment = (
        f"comment on table {table} is {_text(f'{form.contract.description} As sent, as text. {form.contract.grain}')};"
    )
    return "\n".join(
        [*(_partition(form, table) if form.is_indicator else _register(form, table)), comment, _landing_grants(table)]
    )


def typed_view(form: Form, is_corrected: bool | None = None) -> str:
    """Return the query of a form's typed view: value, ``_flag`` and ``_ok`` for every column that is not text.

    Args:
        form: The form.
        is_corrected: Whether loads of the form have corrections; without it, whether the form has.
    """
    corrected = bool(form.corrections) if is_corrected is None else is_corrected
    if form.is_indicator:
        return _indicator_query(form, corrected)
    return f"{typed_columns(form, corrected)}\nfrom {landed_lines(form, corrected)} as sent"


def typed_columns(form: Form, is_corrected: bool | None = None, plain_names: Collection[str] = ()) -> str:
    """Return the start of a query over :func:`landed_lines` of a register form, down to its ``from``.

    Args:
        form: The form.
        is_corrected: Whether loads of the form have corrections; without it, whether the form has.
        plain_names: Columns of which each cell is plainly typed, and so may be taken as it is or cast.
    """
    corrected = bool(form.corrections) if is_corrected is None else is_corrected
    columns = ["load_id", "sheet", "line_number"]
    for column in form.contract.columns:
        is_plain = column.name in plain_names
        columns += _cast_columns(column, form) if is_plain else _register_columns(column, form, corrected)
    columns.append(f"{'' if corrected else 'null::text as '}corrected_columns")
    return f"select\n    {_lines(columns)}"


def plain_view(form: Form) -> str | None:
    """Return the query of the typed view of a register form's plain loads, ``ledger.plain_load``; None for other forms.

    It gives what the form's typed view gives, for loads of which every cell was seen to be plainly typed.
    """
    if form.is_indicator:
        return None
    plain = [column.name for column in form.contract.columns if plainly_typed(column, form)]
    return f"{typed_columns(form, False, plain)}\nfrom {landed_lines(form, False)} as sent"


def plain_name(form: Form) -> str:
    """Return the name of the typed view of a form's plain loads."""
    return f"{form.name}_plain"


def sent_view(form: Form) -> str:
    """Return the query of a register form's lines as sent, for facts that need no more of a plain load's cells."""
    return f"select\n    {_lines(['load_id', *landing_columns(form)])}\nfrom landing.{_name(form.name)}"


def repeated_view(form: Form) -> str:
    """Return the query that types the cells that a load of a register form repeats together, one row a combination.

    It gives what :func:`plain_view` gives of these cells, with ``sent``: the cells as sent, by column. Columns that are
    not among them are null.
    """
    cells = [f"cells ->> {_text(column.name)} as {_name(column.name)}" for column in form.contract.columns]
    listed = _lines(["load_id", "null::text as sheet", "null::integer as line_number", *cells, "cells as sent"])
    plain = [column.name for column in form.contract.columns if plainly_typed(column, form)]
    # Two forms may have columns of one name: a load is of one form.
    loads = f"select load_id from ledger.load where form = {_text(form.name)}"
    return (
        f"{typed_columns(form, False, plain)},\n    sent\nfrom (select\n    {listed}\n"
        f"from landing.repeated_cells where load_id in ({loads})) as combination"
    )


def plain_key(form: Form) -> str:
    """Return what ``ledger.plain_load`` says of a load that was seen to be plain: by which query it may be typed."""
    return hashlib.sha256((plain_view(form) or "").encode()).hexdigest()


def landed_lines(form: Form, is_corrected: bool | None = None) -> str:
    """Return a form's landed lines as a table expression, with the text of each cell as it is to be read.

    Where the form has corrections, ``corrected_columns`` names those of each line, and ``value_as_sent`` keeps an
    indicator's value.
    """
    corrected = bool(form.corrections) if is_corrected is None else is_corrected
    table = f"landing.{_name(form.name)}"
    if not corrected:
        return table
    place = ["load_id", "sheet", "line_number", *(["column_number"] if form.is_indicator else [])]
    texts = [_text_to_read(name) for name in landing_columns(form) if name not in place]
    sent = ["landed.value as value_as_sent"] if form.is_indicator else []
    listed = "select string_agg(name, ', ' order by name) from jsonb_object_keys(fix.texts) as name"
    names = f"({listed}) as corrected_columns"
    columns = [*(f"landed.{name}" for name in place), *texts, *sent, names]
    beside = " and fix.column_number = landed.column_number" if form.is_indicator else ""
    return f"""(select
    {_lines(columns)}
from {table} as landed
left join (
    select load_id, sheet, line_number, column_number, jsonb_object_agg(column_name, value_corrected) as texts
    from ledger.line_correction
    where is_applied
    group by load_id, sheet, line_number, column_number
) as fix on fix.load_id = landed.load_id and fix.line_number = landed.line_number
    and fix.sheet is not distinct from landed.sheet{beside})"""


def typed_indicator_view(forms: Mapping[str, Form]) -> str:
    """Return the query of ``typed.indicator``: the lines of every indicator form."""
    columns = _lines([name for name, _, _ in INDICATOR_TYPED])
    parts = [f"select\n    {columns}\nfrom typed.{_name(form.name)}" for form in forms.values() if form.is_indicator]
    if not parts:
        empty = _lines([f"null::{kind} as {name}" for name, kind, _ in INDICATOR_TYPED])
        return f"select\n    {empty}\nwhere false"
    return "\nunion all\n".join(parts)


def _text_to_read(name: str) -> str:
    key, column = _text(name), _name(name)
    return f"case when fix.texts ? {key} then fix.texts ->> {key} else landed.{column} end as {column}"


def dbt_sources(forms: Mapping[str, Form]) -> str:
    """Return the dbt source ``typed`` as YAML: a table per form, and ``indicator``."""
    tables = [_source_table("indicator", "Grain: one line per figure of an indicator return.", _indicator_source())]
    tables += [
        _source_table(
            form.name,
            f"{form.contract.description} {form.contract.grain}".strip(),
            _indicator_source() if form.is_indicator else _register_source(form),
        )
        for form in forms.values()
    ]
    source = {
        "name": "typed",
        "schema": "typed",
        "description": "What partners sent, typed; made from the contracts.",
        "tables": tables,
    }
    return yaml.safe_dump({"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=140)


def deploy(connection: Connection, forms: Mapping[str, Form]) -> None:
    """Make or bring up to date every landing table and typed view. Safe to repeat; no landed line is ever dropped.

    Args:
        connection: Open transaction of a role that may create in ``landing`` and ``typed``. Not committed here.
        forms: Every form.
    """
    with connection.cursor() as cursor:
        cursor.execute(_parent_ddl())
        for form in forms.values():
            cursor.execute(landing_ddl(form))
    corrected = _corrected_forms(connection)
    for form in forms.values():
        query = typed_view(form, bool(form.corrections) or form.name in corrected)
        _deploy_view(form.name, query, f"{form.contract.description} {form.contract.grain}", connection)
        _deploy_plain_view(form, connection)
    _deploy_view(
        "indicator", typed_indicator_view(forms), "Grain: one line per figure of an indicator return.", connection
    )


def is_deployed(form: Form, connection: Connection) -> bool:
    """Return whether a form's typed view is there and is the one that its contract and layout ask for.

    Args:
        form: The form.
        connection: Open transaction of a role that may read ``landing`` and make temporary views; to be rolled back.
    """
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s), to_regclass(%s)", (f"typed.{_name(form.name)}", f"landing.{form.name}"))
        if None in (cursor.fetchone() or (None,)):
            return False
        try:
            cursor.execute(f"create temporary view typed_as_asked as\n{typed_view(form)}")
        except psycopg2.errors.UndefinedColumn:
            return False
        cursor.execute(
            "select pg_get_viewdef('pg_temp.typed_as_asked'::regclass) = pg_get_viewdef(%s::regclass)",
            (f"typed.{_name(form.name)}",),
        )
        return bool((cursor.fetchone() or (False,))[0])


def _corrected_forms(connection: Connection) -> set[str]:
    """Return the forms of which a load was judged with corrections; it keeps them when the form's file is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct form from ledger.line_correction join ledger.load using (load_id) where is_applied"
        )
        return {form for (form,) in cursor.fetchall()}


def _deploy_view(name: str, query: str, comment: str, connection: Connection) -> None:
    view = f"typed.{_name(name)}"
    with connection.cursor() as cursor:
        cursor.execute("savepoint typed_view")
        try:
            cursor.execute(f"create or replace view {view} as\n{query}")
        except psycopg2.errors.InvalidTableDefinition:
            # A column left or changed its type. Views hold no lines, and dbt makes its own on top of them again with
            # the next build.
            cursor.execute("rollback to savepoint typed_view")
            cursor.execute(f"drop view {view} cascade")
            cursor.execute(f"create view {view} as\n{query}")
        cursor.execute("release savepoint typed_view")
        cursor.execute(f"comment on view {view} is {_text(comment.strip())}")
        cursor.execute(f"grant select on {view} to quarterday_loader, quarterday_builder")


def _deploy_plain_view(form: Form, connection: Connection) -> None:
    """Make the typed views of a register form's plain loads. Loads that were plain by another query no longer are."""
    if query := plain_view(form):
        comment = f"The loads of typed.{form.name} that are in ledger.plain_load, typed by casts alone."
        _deploy_view(plain_name(form), query, comment, connection)
        _deploy_view(f"{form.name}_sent", sent_view(form), "The form's lines as sent.", connection)
        repeated = "What loads of the form repeat together, once for each combination, typed by casts alone."
        _deploy_view(f"{form.name}_repeated", repeated_view(form), repeated, connection)
        with connection.cursor() as cursor:
            cursor.execute(
                """delete from ledger.plain_load using ledger.load
                where load.load_id = plain_load.load_id and load.form = %s and plain_load.typed_by <> %s""",
                (form.name, plain_key(form)),
            )


def _parent_ddl() -> str:
    columns = ",\n    ".join(f"{name} {'integer' if name in INTEGERS else 'text'}" for name in INDICATOR_LANDING)
    return f"""create table if not exists landing.indicator (
    form text not null,
    load_id bigint not null,
    {columns}
) partition by list (form);
create index if not exists indicator_load on landing.indicator (load_id);
comment on table landing.indicator is 'Every line of every indicator return, as sent; a partition per form.';
grant select on landing.indicator to quarterday_loader;"""


def _partition(form: Form, table: str) -> list[str]:
    value = _text(form.name)
    return [
        f"create table if not exists {table} partition of landing.indicator for values in ({value});",
        f"alter table {table} alter column form set default {value};",
    ]


def _register(form: Form, table: str) -> list[str]:
    names = [_name(column.name) for column in form.contract.columns]
    columns = "".join(f",\n    {name} text" for name in names)
    small = f"landing.{_name(small_loads(form))}"
    return [
        _make_room(form, table, small),
        f"create table if not exists {table} (\n"
        f"    load_id bigint not null,\n    sheet text,\n    line_number integer not null{columns}\n"
        ") partition by list (load_id);",
        *(f"alter table {table} add column if not exists {name} text;" for name in names),
        f"create table if not exists {small} partition of {table} default;",
        _attach(table, small, names),
        f"create index if not exists {_name(f'{form.name}_load')} on {small} (load_id);",
        f"comment on table {small} is {_text(f'The loads of {form.name} that have no partition of their own.')};",
    ]


def small_loads(form: Form) -> str:
    """Return the name of the partition that a register form's small loads share."""
    return f"{form.name}_small_loads"


def _make_room(form: Form, table: str, small: str) -> str:
    """Return the statement by which a landing table from before partitions becomes that of the small loads."""
    return f"""do $$
begin
    if exists (select 1 from pg_class where oid = to_regclass({_text(table)}) and relkind = 'r') then
        alter table {table} rename to {_name(small_loads(form))};
        create table {table} (like {small}) partition by list (load_id);
    end if;
end
$$;"""


def _attach(table: str, small: str, names: list[str]) -> str:
    columns = ", ".join(f"add column if not exists {name} text" for name in names)
    return f"""do $$
begin
    if not (select relispartition from pg_class where oid = {_text(small)}::regclass) then
        alter table {small} {columns};
        alter table {table} attach partition {small} default;
    end if;
end
$$;"""


def _landing_grants(table: str) -> str:
    return f"grant select, insert, delete on {table} to quarterday_loader;"


def _indicator_query(form: Form, is_corrected: bool) -> str:
    value_column = form.contract.column("value")
    number = _scaled("typed.number_text(typed.bare(value))::numeric", value_column.scale if value_column else 1)
    flag = _flag("value", form)
    is_plain = _is_plain_part("value", form)
    plain_number = _scaled("value::numeric", value_column.scale if value_column else 1)
    has_dates = "pg_input_is_valid(period_start, 'date') and pg_input_is_valid(period_end, 'date')"
    expressions = {
        "form": f"{_text(form.name)}::text",
        # A return without parts is about all; a part that nobody knows must not become all.
        "breakdown_code": "coalesce(breakdown_code, case when breakdown_label is null then 'all' end)",
        "period_start": "case when pg_input_is_valid(period_start, 'date') then period_start::date end",
        "period_end": "case when pg_input_is_valid(period_end, 'date') then period_end::date end",
        "period_ok": f"period_type is not null and coalesce({has_dates}, false)",
        "value": f"case when {is_plain} then {plain_number} when {_is_mark('value', form)} then null else {number} end",
        "value_flag": _or_corrected(f"case when {is_plain} then null else {flag} end", "value", is_corrected),
        "value_qualifier": f"case when {is_plain} then 'exact' else typed.qualifier(value) end",
        "value_ok": f"case when {is_plain} then true "
        f"else typed.number_text(typed.bare(value)) is not null or {flag} is not null end",
        "value_as_sent": "value_as_sent" if is_corrected else "value",
        "numerator": _part("numerator", form),
        "numerator_ok": _part_ok("numerator", form),
        "denominator": _part("denominator", form),
        "denominator_ok": _part_ok("denominator", form),
        "status": "coalesce(status, 'final')",
        "corrected_columns": "corrected_columns" if is_corrected else "null::text",
    }
    columns = [f"{expressions[name]} as {name}" if name in expressions else name for name, _, _ in INDICATOR_TYPED]
    return f"select\n    {_lines(columns)}\nfrom {landed_lines(form, is_corrected)} as sent"


def _or_corrected(flag: str, name: str, is_corrected: bool) -> str:
    """Return a flag's expression; a corrected cell that has no flag of its own is flagged as that."""
    if not is_corrected:
        return flag
    is_among = f"{_text(name)} = any(string_to_array(corrected_columns, ', '))"
    return f"coalesce({flag}, case when {is_among} then {_text(CORRECTED_FLAG)} end)"


def _part(name: str, form: Form) -> str:
    return (
        f"case when {name} is null then null when {_is_plain_part(name, form)} then {name}::numeric "
        f"when {_is_mark(name, form)} then null else typed.number_text({name})::numeric end"
    )


def _part_ok(name: str, form: Form) -> str:
    """A mark says of a part what it says of a value: that there is none to give."""
    return (
        f"case when {name} is null or {_is_plain_part(name, form)} then true "
        f"else typed.number_text({name}) is not null or {_flag(name, form)} is not null end"
    )


def _is_plain_part(name: str, form: Form) -> str:
    return "false" if has_numeric_mark(form) else is_plain_number(name)


def _register_columns(column: Column, form: Form, is_corrected: bool) -> list[str]:
    name = _name(column.name)
    if column.logical_type == "string":
        return [f"{_text_value(column, form)} as {name}"]
    value, is_valid = _typed_value(column)
    flag = _flag(name, form)
    is_plain, plain_value, plain_is_ok = _plainly_typed(column, form)
    flag_of_cell = f"case when {name} is null then {_text(_blank(form))} when {is_plain} then null else {flag} end"
    return [
        f"case when {name} is null then null when {is_plain} then {plain_value} when {_is_mark(name, form)} then null "
        f"when {is_valid} then {value} end as {name}",
        f"{_or_corrected(flag_of_cell, column.name, is_corrected)} as {_name(column.name + '_flag')}",
        f"case when {name} is null then true when {is_plain} then {plain_is_ok} "
        f"else coalesce({is_valid}, false) or {flag} is not null end as {_name(column.name + '_ok')}",
    ]


def _cast_columns(column: Column, form: Form) -> list[str]:
    """Return what :func:`_register_columns` does, for cells that are plainly typed."""
    name = _name(column.name)
    if column.logical_type == "string":
        return [name]
    _, value, _ = _plainly_typed(column, form)
    return [
        f"{value} as {name}",
        f"case when {name} is null then {_text(_blank(form))} end as {_name(column.name + '_flag')}",
        f"true as {_name(column.name + '_ok')}",
    ]


def _plainly_typed(column: Column, form: Form) -> tuple[str, str, str]:
    """Return whether a cell is written as the database itself reads it, then its value, and whether that is one.

    Nearly every cell is, and the reading of all else takes fifty times as long.
    """
    name = _name(column.name)
    if column.logical_type == "boolean" or has_numeric_mark(form):
        return "false", "null", "true"
    if column.logical_type == "date":
        is_date = f"pg_input_is_valid({name}, 'date')"
        return is_plain_date(name), f"case when {is_date} then {name}::date end", is_date
    if column.logical_type == "integer":
        return is_plain_integer(name), _scaled(f"{name}::bigint", column.scale), "true"
    return is_plain_number(name), _scaled(f"{name}::numeric", column.scale), "true"


def _blank(form: Form) -> str:
    """Return the flag of a cell with nothing in it."""
    return form.layout.marks.get("", "blank")


def _text_value(column: Column, form: Form) -> str:
    """Return the column's text; where the layout has labels for it, the code of its label."""
    name = _name(column.name)
    sent = {
        label: code for edition in form.layout.editions for label, code in edition.labels.get(column.name, {}).items()
    }
    labels = {**{plain(code): code for code in sent.values()}, **sent}
    if not labels:
        # Trimming builds every text anew; nearly none has a space at its ends.
        return f"case when {is_trimmed(name)} then {name} else nullif(btrim({name}), '') end"
    cases = " ".join(f"when {_text(label)} then {_text(code)}" for label, code in sorted(labels.items()))
    return f"case rtrim(typed.plain({name}), ' :') {cases} else nullif(btrim({name}), '') end"


def _typed_value(column: Column) -> tuple[str, str]:
    """Return the expression of a column's value, and the one that says whether it can be cast."""
    name = _name(column.name)
    number = (
        f"typed.number_text(typed.bare({name}))" if column.logical_type == "number" else f"typed.number_text({name})"
    )
    if column.logical_type == "number":
        # A register's numbers are exact: 'over 12,000' is none.
        return _scaled(
            f"{number}::numeric", column.scale
        ), f"({number} is not null and typed.qualifier({name}) = 'exact')"
    if column.logical_type == "integer":
        return _scaled(f"{number}::numeric::bigint", column.scale), f"{number} ~ '^[-+]?\\d{{1,15}}(\\.0+)?$'"
    if column.logical_type == "date":
        return f"typed.date_text({name})::date", f"pg_input_is_valid(typed.date_text({name}), 'date')"
    return f"typed.boolean_of({name})", f"typed.boolean_of({name}) is not null"


def _scaled(expression: str, scale: int) -> str:
    return expression if scale == 1 else f"{expression} * {scale}"


def _is_mark(name: str, form: Form) -> str:
    marks = ", ".join(_text(mark) for mark in form.layout.marks)
    return f"typed.plain({name}) in ({marks})" if marks else "false"


def _flag(name: str, form: Form) -> str:
    marks = {"": "blank", **form.layout.marks}
    cases = " ".join(f"when {_text(mark)} then {_text(flag)}" for mark, flag in marks.items())
    return f"case typed.plain({name}) {cases} else typed.shorthand({name}) end"


def _source_table(name: str, description: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "description": description, "columns": columns}


def _indicator_source() -> list[dict[str, Any]]:
    return [{"name": name, "data_type": kind, "description": meaning} for name, kind, meaning in INDICATOR_TYPED]


def _register_source(form: Form) -> list[dict[str, Any]]:
    columns = [
        dict(zip(("name", "data_type", "description"), item, strict=True))
        for item in (*INDICATOR_TYPED[:1], *INDICATOR_TYPED[2:4])
    ]
    for column in form.contract.columns:
        columns.append(
            {"name": column.name, "data_type": TYPES[column.logical_type], "description": column.description}
        )
        if column.logical_type != "string":
            columns.append(
                {"name": f"{column.name}_flag", "data_type": "text", "description": f"Why {column.name} has no value."}
            )
            columns.append(
                {
                    "name": f"{column.name}_ok",
                    "data_type": "boolean",
                    "description": f"Whether {column.name} could be read.",
                }
            )
    columns.append(dict(zip(("name", "data_type", "description"), INDICATOR_TYPED[-1], strict=True)))
    return columns


def _lines(columns: Iterable[str]) -> str:
    return ",\n    ".join(columns)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def main() -> None:
    """Write dbt's source ``typed`` of the project anew."""
    from quarterday.contracts import load_forms
    from quarterday.settings import load_settings

    settings = load_settings()
    path = settings.dbt_project / "models" / "typed.yml"
    path.write_text(f"{MADE}\n{dbt_sources(load_forms(settings.returns))}", encoding="utf-8")


if __name__ == "__main__":
    main()
