{# A relation that the publishing transaction keeps as its query is. Nothing may be published while this looks at it, so the model
   takes the lock of releases first. A deployment brings it up to date: it takes out what is of loads that are no longer published
   and puts in the loads that it lacks, as when it is newer than they are. #}
{% macro get_incremental_as_published_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set found = arg_dict['temp_relation'] -%}
    delete from {{ target }} as kept
    where not exists (select 1 from {{ found }} as found where found.load_id = kept.load_id);
    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ found }} as found
    where not exists (select 1 from {{ target }} as kept where kept.load_id = found.load_id)
{%- endmacro %}
