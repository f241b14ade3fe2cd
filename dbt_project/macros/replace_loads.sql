{# A fact of millions of rows takes each load's rows straight from their query: dbt's delete+insert writes them into a
   temporary table first, and each row twice is more than typing it. A model asks for it by its incremental_strategy. #}
{% macro get_incremental_replace_loads_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}

    delete from {{ arg_dict['target_relation'] }}
    where {{ in_release() }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
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
