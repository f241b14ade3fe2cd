{# The typed lines of a form's loads in the release being built, without those set aside. Loads of which every cell was seen
   to be plainly written when they were judged are cast and not looked at again; nor is a set-aside line looked for in a load
   that has none. The loads are named by number: of an array that is worked out later, PostgreSQL reads every partition. Who has
   other use for some of them gives the lists. #}
{% macro typed_lines(form, loads=none) -%}
    {%- set typed = source('typed', form) -%}
    {%- set plain = typed.incorporate(path={'identifier': form ~ '_plain'}) -%}
    {%- set loads = loads or loads_of_release(form) -%}
    select *
    from {{ plain }}
    where load_id in ({{ loads.plain }})
    union all
    select *
    from {{ typed }} as typed_line
    where load_id in ({{ loads.other }})
        and {{ not_quarantined('typed_line') }}
{%- endmacro %}

{# The form's loads in the open release, as two lists of numbers; an empty one is null, which no load is. #}
{% macro loads_of_release(form) -%}
    {%- set question -%}
        select
            release_load.load_id,
            plain_load.load_id is not null and verdict.quarantined_line_count = 0 as is_plain
        from {{ source('ledger', 'release_load') }} as release_load
        inner join {{ source('ledger', 'load') }} as load on release_load.load_id = load.load_id
        inner join {{ source('ledger', 'verdict') }} as verdict on load.load_id = verdict.load_id
        left join {{ source('ledger', 'plain_load') }} as plain_load on load.load_id = plain_load.load_id
        where release_load.release_id = {{ open_release() }} and load.form = '{{ form }}'
        order by release_load.load_id
    {%- endset -%}
    {%- set loads = {'plain': ['null'], 'other': ['null']} -%}
    {%- if execute -%}
        {%- for row in run_query(question) -%}
            {%- do loads['plain' if row['is_plain'] else 'other'].append(row['load_id'] | int | string) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return({'plain': loads.plain | join(', '), 'other': loads.other | join(', ')}) -%}
{%- endmacro %}
