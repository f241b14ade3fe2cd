{# The financial year begins on 1 April. Three months earlier, it is a calendar year with calendar quarters. #}
{% macro financial_year_start(day) -%}
    extract(year from {{ day }} - interval '3 months')::integer
{%- endmacro %}

{% macro financial_quarter_number(day) -%}
    extract(quarter from {{ day }} - interval '3 months')::integer
{%- endmacro %}

{# '2017-18' for any day from 1 April 2017 to 31 March 2018. #}
{% macro financial_year_label(day) -%}
    {{ financial_year_start(day) }}::text || '-' || to_char({{ day }} + interval '9 months', 'YY')
{%- endmacro %}

{# '2017-18-Q3' as in file names and keys. #}
{% macro financial_quarter_key(day) -%}
    ledger.quarter_key({{ day }})
{%- endmacro %}

{# The key of any period: two dates and a type, never a label as sent. The ledger keeps it too, of what is published; the
   function is the one place that says how it is written. #}
{% macro period_key(period_type, period_start, period_end) -%}
    ledger.period_key({{ period_type }}, {{ period_start }}, {{ period_end }})
{%- endmacro %}

{# First day of a financial quarter key such as '2017-18-Q3'. #}
{% macro quarter_start(quarter_key) -%}
    (make_date(left({{ quarter_key }}, 4)::integer, 4, 1) + (right({{ quarter_key }}, 1)::integer - 1) * interval '3 months')::date
{%- endmacro %}

{# What a numerator over its denominator is multiplied by: percent is of a hundred, per_1000 of a thousand. #}
{% macro rate_factor(unit) -%}
    case
        when {{ unit }} = 'percent' then 100
        when {{ unit }} ~ '^per_[0-9]+$' then substring({{ unit }} from 5)::numeric
        else 1
    end
{%- endmacro %}

{# The least firm of a group's statuses: a sum is no firmer than its least firm part. #}
{% macro weakest_status(status) -%}
    case
        when bool_or({{ status }} = 'provisional') then 'provisional'
        when bool_or({{ status }} = 'interim') then 'interim'
        when bool_or({{ status }} = 'revised') then 'revised'
        when bool_or({{ status }} is not null) then 'final'
    end
{%- endmacro %}

{# Quarters counted through: a quarter's number is one more than that of the quarter before it. #}
{% macro quarter_index(day) -%}
    (extract(year from {{ day }}) * 4 + extract(quarter from {{ day }}))::integer
{%- endmacro %}

{# A rate is of something: without its numerator and denominator it can neither be pooled nor charted. #}
{% macro is_rate(unit) -%}
    ({{ unit }} = 'percent' or {{ unit }} ~ '(^|_)per_[0-9]+$')
{%- endmacro %}
