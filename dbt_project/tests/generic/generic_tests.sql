{# The grain: no two rows agree in all of these columns. #}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Every value lies between the bounds, both included; null passes. #}
{% test accepted_range(model, column_name, minimum=none, maximum=none) %}
select *
from {{ model }}
where false
    {% if minimum is not none %}or {{ column_name }} < {{ minimum }}{% endif %}
    {% if maximum is not none %}or {{ column_name }} > {{ maximum }}{% endif %}
{% endtest %}

{# No row fails the statement. #}
{% test always_true(model, statement) %}
select *
from {{ model }}
where not coalesce({{ statement }}, false)
{% endtest %}


{# What is kept of a query says the same as the query, key by key: rows, and checksums of some columns. #}
{% test same_rows(model, of, by, columns) %}
{%- set summed -%}
    select
        {{ by }},
        count(*) as row_count
        {%- for column in columns %},
        sum(hashtextextended({{ column }}::text, 0)::numeric) as {{ column }}
        {%- endfor %}
{%- endset %}
with kept as (
    {{ summed }}
    from {{ model }}
    group by {{ by }}
),

asked as (
    {{ summed }}
    from {{ of }}
    group by {{ by }}
)

(select 'too much' as what, * from (select * from kept except select * from asked) as more)
union all
(select 'missing' as what, * from (select * from asked except select * from kept) as less)
{% endtest %}
