{# A relation that the publishing transaction keeps as its query is (ledger.renew_current). Nothing may be published while this looks
   at it, so its models take the lock of releases first. A deployment brings it up to date, key by key: what it has of a load or a
   release (`unique_key`) and the query says otherwise or not at all goes out, and what it lacks comes in, as when the model, a column
   of it or a rule is newer than what was published. #}
{% macro get_incremental_as_published_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set found = arg_dict['temp_relation'] -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set summed -%}
        select
            {{ key }},
            count(*) as row_count,
            sum(hashtextextended(row({{ columns }})::text, 0)) as checksum
    {%- endset -%}
    delete from {{ target }}
    where {{ key }} in (
        select unlike.{{ key }}
        from (
            {{ summed }} from {{ target }} group by {{ key }}
            except
            {{ summed }} from {{ found }} group by {{ key }}
        ) as unlike
    );
    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ found }} as found
    where not exists (select 1 from {{ target }} as kept where kept.{{ key }} = found.{{ key }})
{%- endmacro %}
