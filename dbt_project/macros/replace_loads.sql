{# A fact takes each load's rows straight from their query: dbt's delete+insert writes them into a temporary table first, and
   each row twice is more than typing it. It also finds out by reading the whole fact which rows to replace; here the loads
   are named. A model asks for it by its incremental_strategy.

   Where a model says in `meta: {form: ...}` whose loads it takes, the rows of a large release go into a table of their own
   that inherits from the fact. It is made in the transaction that fills it, so that a server with wal_level = minimal writes
   no log of them, and by `create table as`: constraints and index that are kept up row by row cost more than one look at all
   rows. So such a model has finish_table_of_release() as a post-hook. The table's checks name its loads and their quarters, so
   that who asks for others is not led into it, however many such tables there are. Built again, a release keeps its table. A server with Citus,
   which distributes no table with heirs, has all rows in the fact itself. #}
{% macro get_incremental_replace_loads_sql(arg_dict) -%}
    {#- Of the query: a table that was made by an earlier one may have more. -#}
    {%- set columns = get_quoted_csv(adapter.get_columns_in_relation(arg_dict['temp_relation']) | map(attribute='name')) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set own = table_of_release(target) -%}

    delete from {{ 'only ' if 'form' in config.get('meta', {}) }}{{ target }}
    where {{ in_release() }};
    {% if own and not own.is_there %}
    create table {{ own.table }} as
    {% else %}
    {% if own %}
    delete from {{ own.table }};
    alter table {{ own.table }} drop constraint if exists loads_of_release, drop constraint if exists quarters_of_release;
    alter table {{ own.table }} add {{ loads_of_release_check() }}, add {{ quarters_of_release_check() }};
    {% endif %}
    insert into {{ own.table if own else target }} ({{ columns }})
    {% endif %}
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
{%- endmacro %}

{% macro loads_of_release_check() -%}
    constraint loads_of_release check (load_id = any('{{ "{" ~ loads_of_open_release() | replace("null", "") ~ "}" }}'::bigint[]))
{%- endmacro %}

{% macro quarters_of_release_check() -%}
    constraint quarters_of_release check (period_key = any('{{ "{" ~ quarters_of_loads(config.get('meta', {}).get('form')).values() | unique | sort | join(",") ~ "}" }}'::text[]))
{%- endmacro %}

{# The financial quarter of a line by its load, written out: of a join each line of millions would bear the cost. Null of a load that
   has no period, which the fact refuses. The case for null, which no load is, stands there for when there is no load. #}
{% macro quarter_of_load(form, load_id) -%}
    case {{ load_id }}
        when null then null
        {%- for load, quarter in quarters_of_loads(form).items() %}
        when {{ load }} then '{{ quarter }}'
        {%- endfor %}
    end
{%- endmacro %}

{# The loads of the open release that are of a form, each with the financial quarter that its lines are of. #}
{% macro quarters_of_loads(form) -%}
    {%- set question -%}
        select
            load.load_id,
            {{ financial_quarter_key('min(load_period.period_start)') }} as period_key
        from {{ source('ledger', 'load_period') }} as load_period
        inner join {{ source('ledger', 'load') }} as load on load_period.load_id = load.load_id
        where load.form = '{{ form }}'
            and load.{{ in_release() }}
        group by load.load_id
        order by load.load_id
    {%- endset -%}
    {%- set quarters = {} -%}
    {%- if execute -%}
        {%- for row in run_query(question) -%}
            {%- do quarters.update({row['load_id'] | int | string: row['period_key']}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(quarters) -%}
{%- endmacro %}

{# Give the open release's own table, just filled, what the fact has, and make it an heir of the fact. Nothing where there is no
   such table, or it is an heir already. One statement, so that the rows are looked at once for all. #}
{% macro finish_table_of_release() -%}
    {%- set own = table_of_release(this) -%}
    {%- if own and own.is_there -%}
        {%- set question -%}
            with fact as (
                select attname, quote_ident(attname) as name, format_type(atttypid, atttypmod) as type, attnotnull
                from pg_attribute
                where attrelid = '{{ this }}'::regclass and attnum > 0 and not attisdropped
            ),
            changes as (
                select 'add column ' || name || ' ' || type as change
                from fact
                where attname not in (select attname from pg_attribute where attrelid = '{{ own.table }}'::regclass)
                union all
                select 'alter column ' || name || ' set not null' from fact where attnotnull
                union all
                select 'add constraint ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid)
                from pg_constraint
                where conrelid = '{{ this }}'::regclass and contype = 'c'
            )
            select change
            from changes
            where not exists (select 1 from pg_inherits where inhrelid = '{{ own.table }}'::regclass)
        {%- endset -%}
        {%- set changes = [] -%}
        {%- for row in run_query(question) -%}
            {%- do changes.append(row['change']) -%}
        {%- endfor -%}
        {%- if changes %}
    alter table {{ own.table }}
        {{ changes | join(',
        ') }},
        add {{ loads_of_release_check() }},
        add {{ quarters_of_release_check() }},
        inherit {{ this }};
    select ledger.describe_loads('{{ own.table }}'::regclass);
    create index on {{ own.table }} (load_id, area_code)
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# The open release's own table and whether it is there already; nothing where its rows are few. #}
{% macro table_of_release(target) -%}
    {%- if not execute or 'form' not in config.get('meta', {}) -%}{%- do return(none) -%}{%- endif -%}
    {%- set name -%} '{{ target.identifier }}_release_' || release.release_id {%- endset -%}
    {%- set question -%}
        select
            {{ name }} as identifier,
            to_regclass('{{ target.schema }}.' || {{ name }}) is not null as is_there,
            coalesce(sum(verdict.line_count), 0) >= {{ lines_of_a_large_release() }}
            and to_regclass('pg_catalog.pg_dist_partition') is null as is_large
        from {{ source('ledger', 'release') }} as release
        inner join {{ source('ledger', 'release_load') }} as release_load on release.release_id = release_load.release_id
        inner join {{ source('ledger', 'load') }} as load on release_load.load_id = load.load_id
        inner join {{ source('ledger', 'verdict') }} as verdict on load.load_id = verdict.load_id
        where release.published_at is null and load.form = '{{ config.get("meta", {}).get("form") }}'
        group by release.release_id
    {%- endset -%}
    {%- for row in run_query(question) if row['is_there'] or row['is_large'] -%}
        {%- set table = target.incorporate(path={'identifier': row['identifier']}) -%}
        {%- do return({'table': table, 'is_there': row['is_there']}) -%}
    {%- endfor -%}
    {%- do return(none) -%}
{%- endmacro %}

{% macro lines_of_a_large_release() -%}
    50000
{%- endmacro %}

{# What dbt calls the temporary table of a model of ours is a view. It goes with the session. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if temporary and config.get('incremental_strategy') in ('replace_loads', 'as_published') -%}
        {{ get_assert_columns_equivalent(sql) }}
        create temporary view {{ relation }} as (
            {{ sql }}
        )
    {%- else -%}
        {{ dbt.postgres__create_table_as(temporary, relation, sql) }}
    {%- endif -%}
{%- endmacro %}

{# The loads with rows in a fact, or of a form, as a list of numbers, that the model this stands in has to take: those of the
   release being built, and those of published ones that it lacks, as when the model is newer than they are. #}
{% macro loads_to_take(form=none, fact=none) -%}
    {%- set loads = [] -%}
    {%- if execute -%}
        {%- set is_there = run_query("select to_regclass('" ~ this ~ "') is not null as is_there").rows[0]['is_there'] -%}
        {%- set question -%}
            select distinct release_load.load_id
            from {{ source('ledger', 'release_load') }} as release_load
            inner join {{ source('ledger', 'release') }} as release on release_load.release_id = release.release_id
            inner join {{ source('ledger', 'load') }} as load on release_load.load_id = load.load_id
            where {% if form %}load.form = '{{ form }}'{% else %}exists (select 1 from {{ fact }} as lines where lines.load_id = load.load_id){% endif %}
                {%- if is_there %}
                and (
                    release.published_at is null
                    or not exists (select 1 from {{ this }} as taken where taken.load_id = release_load.load_id)
                )
                {%- endif %}
            order by release_load.load_id
        {%- endset -%}
        {%- for row in run_query(question) -%}
            {%- do loads.append(row['load_id'] | int | string) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(loads | join(', ') or 'null') -%}
{%- endmacro %}
