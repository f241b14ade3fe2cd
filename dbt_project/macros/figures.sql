{# The least that a printed number can stand for: half its last digit below, or as far below as its qualifier says. #}
{% macro figure_low(value, qualifier, step) -%}
    case
        when {{ qualifier }}.lower_pct is null then '-infinity'::numeric
        when {{ qualifier }}.qualifier = 'exact' then {{ value }} - coalesce({{ step }}, 0) / 2
        else {{ value }} + abs({{ value }}) * {{ qualifier }}.lower_pct / 100
    end
{%- endmacro %}

{# The most that a printed number can stand for. #}
{% macro figure_high(value, qualifier, step) -%}
    case
        when {{ qualifier }}.upper_pct is null then 'infinity'::numeric
        when {{ qualifier }}.qualifier = 'exact' then {{ value }} + coalesce({{ step }}, 0) / 2
        else {{ value }} + abs({{ value }}) * {{ qualifier }}.upper_pct / 100
    end
{%- endmacro %}

{# The digit to which a number was given: 0.1 for 41.3. A whole number counts as exact. #}
{% macro figure_step(value) -%}
    case when scale({{ value }}) > 0 then power(10::numeric, -scale({{ value }})) end
{%- endmacro %}

{# Whether a printed figure stands beside a computed one: agrees, rounds, differs or cannot_be_checked. #}
{% macro figure_verdict(figure, computed) -%}
    case
        when {{ figure }}.value is null and {{ computed }}.value is null then 'agrees'
        when {{ figure }}.value is null or {{ computed }}.value is null then 'cannot_be_checked'
        when {{ computed }}.link_kind = 'bound'
            then case when {{ figure }}.low <= {{ computed }}.high and {{ computed }}.low <= {{ figure }}.high then 'agrees' else 'differs' end
        when {{ computed }}.value = {{ figure }}.value then 'agrees'
        when {{ figure }}.qualifier <> 'exact' and {{ computed }}.value between {{ figure }}.low and {{ figure }}.high then 'agrees'
        when {{ figure }}.low <= {{ computed }}.high and {{ computed }}.low <= {{ figure }}.high then 'rounds'
        else 'differs'
    end
{%- endmacro %}

{# A year or quarter may still run when it is printed; a day, a season or a sum to date may not end after it. #}
{% macro figure_is_misdated(figure, document) -%}
    case
        when {{ figure }}.period_start > {{ document }}.covers_to then true
        when {{ figure }}.table_name <> 'figures' then false
        else {{ figure }}.period_end > {{ document }}.covers_to
            and {{ figure }}.period_end - {{ figure }}.period_start not in (89, 90, 91, 364, 365)
    end
{%- endmacro %}
