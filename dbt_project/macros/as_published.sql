{# A relation that the publishing transaction keeps as its query is (ledger.renew_current). A deployment brings it up to date, key by
   key (`unique_key`, a load or a release): where it says otherwise than the query, has more or lacks something, as when the model,
   a column of it or a rule is newer than what was published, the key's rows are made again. Both are read whole to find such keys,
   which holds nothing up; only where there are some does it take the lock of releases, under which nothing is published. #}
{% macro get_incremental_as_published_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set found = arg_dict['temp_relation'] -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set unlike = target.identifier ~ '__unlike' -%}
    {%- set summed -%}
        select
            {{ key }},
            count(*) as row_count,
            sum(hashtextextended(row({{ columns }})::text, 0)) as checksum
    {%- endset -%}
    create temporary table {{ unlike }} on commit drop as
    with kept as materialized (
        {{ summed }} from {{ target }} group by {{ key }}
    ),
    asked as materialized (
        {{ summed }} from {{ found }} group by {{ key }}
    )
    select {{ key }} from (select * from kept except select * from asked) as more
    union
    select {{ key }} from (select * from asked except select * from kept) as less;
    {{ lock_releases() }} where exists (select 1 from {{ unlike }});
    delete from {{ target }}
    where {{ key }} = any(array(select {{ key }} from {{ unlike }}));
    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ found }} as found
    where found.{{ key }} = any(array(select {{ key }} from {{ unlike }}))
{%- endmacro %}

{% macro lock_releases() -%}
    select pg_advisory_xact_lock(hashtext('quarterday.release'))
{%- endmacro %}

{# Made for the first time, it is filled whole, while nothing may be published. #}
{% macro lock_releases_for_first_build() -%}
    {%- if execute and not is_incremental() -%}{{ lock_releases() }}{%- endif -%}
{%- endmacro %}
