{# A fact takes each load's rows straight from their query: dbt's delete+insert writes them into a temporary table first, and
   each row twice is more than typing it. It also finds out by reading the whole fact which rows to replace; here the loads
   are named. A model asks for it by its incremental_strategy.

   Where a model says in `meta: {form: ...}` whose loads it takes, the rows of a large release go into a table of their own
   that inherits from the fact. It is made in the transaction that fills it, so that a server with wal_level = minimal writes
   no log of them; its BRIN index sums them up with the next vacuum. Its check names its loads, so that who asks for others is
   not led into it, however many such tables there are. Built again, a release keeps its table. A server with Citus, which
   distributes no table with heirs, has all rows in the fact itself. #}
{% macro get_incremental_replace_loads_sql(arg_dict) -%}
    {#- Of the query: a table that was made by an earlier one may have more. -#}
    {%- set columns = get_quoted_csv(adapter.get_columns_in_relation(arg_dict['temp_relation']) | map(attribute='name')) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set own = table_of_release(target) -%}

    delete from {{ 'only ' if 'form' in config.get('meta', {}) }}{{ target }}
    where {{ in_release() }};
    {% if own and own.is_there %}
    delete from {{ own.table }};
    alter table {{ own.table }} drop constraint if exists loads_of_release;
    {% elif own %}
    create table {{ own.table }} (like {{ target }} including defaults including constraints including comments);
    create index on {{ own.table }} using brin (load_id, line_number);
    alter table {{ own.table }} inherit {{ target }};
    {% endif %}
    {% if own %}
    alter table {{ own.table }} add constraint loads_of_release check (load_id = any('{{ "{" ~ loads_of_open_release() | replace("null", "") ~ "}" }}'::bigint[]));
    {% endif %}
    insert into {{ own.table if own else target }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
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

{# What dbt calls the temporary table of such a model is a view. It goes with the session. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if temporary and config.get('incremental_strategy') == 'replace_loads' -%}
        {{ get_assert_columns_equivalent(sql) }}
        create temporary view {{ relation }} as (
            {{ sql }}
        )
    {%- else -%}
        {{ dbt.postgres__create_table_as(temporary, relation, sql) }}
    {%- endif -%}
{%- endmacro %}
