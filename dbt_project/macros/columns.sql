{# The columns that a view promises in its contract, of one relation: written once, in the YAML file beside the view.
   `renamed` says which column of the relation stands for a promised one, `worked_out` with what SQL one is worked out here: not in
   a query of its own, which each reader would have to plan column by column. A unit test sees no contract: what there is to
   test stands in a model that the view selects from. #}
{% macro promised_columns(relation, but=[], renamed={}, worked_out={}) -%}
    {%- for name in model.columns if name not in but %}
        {% if name in worked_out -%}
            {{ worked_out[name] }} as {{ name }}
        {%- else -%}
            {{ relation }}.{{ renamed[name] ~ " as " ~ name if name in renamed else name }}
        {%- endif %}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# What may be added up of a figure: exact results of measures that are additive over time and area, of periods that don't hold
   the one before: a count to date does, and so does a rolling year. Needs a relation `measures`, of which the one is joined
   unless another condition says whether it is additive. #}
{% macro additive_value(relation, is_additive='measures.is_additive_over_time and measures.is_additive_over_area') -%}
    case
        when {{ is_additive }}
            and {{ relation }}.value_qualifier = 'exact'
            and {{ relation }}.status not in ('target', 'plan')
            and not starts_with({{ relation }}.period_key, 'to_date:')
            and not starts_with({{ relation }}.period_key, 'rolling_year:')
            then {{ relation }}.value
    end
{%- endmacro %}

{# What promised_columns works out of a relation with figures: its value as mart.figure, of which sum and avg are refused, and
   what may be added up. That is not joined, so that who doesn't ask for it plans nothing of it. Needs a relation `measures`. #}
{% macro figure_columns(relation) -%}
    {{ return({
        'value': relation ~ '.value::mart.figure',
        'additive_value': additive_value(relation, is_additive=relation ~ '.measure_code in (
            select measures.measure_code
            from measures
            where measures.is_additive_over_time and measures.is_additive_over_area
        )')
    }) }}
{%- endmacro %}

{# How a figure of several areas came about, in words. #}
{% macro aggregation_label(relation) -%}
    case
        when {{ relation }}.aggregation in ('simple_mean', 'simple_mean_as_sent') then 'simple mean'
        when {{ relation }}.aggregation = 'pooled' then 'pooled rate'
        when {{ relation }}.aggregation = 'sum_of_areas' then 'sum of areas'
        when {{ relation }}.aggregation = 'as_sent' then 'as sent'
    end
{%- endmacro %}

{# The fact of measurements keeps what may be added up, which costs more to work out for each reader than all else about a row.
   Whether a measure is additive is reference data: where a deployment changes it, what is kept is worked out again. #}
{% macro renew_additive_values() -%}
    do $renew$
    begin
        if exists (
            select 1 from pg_attribute where attrelid = to_regclass('core.fct_measurement') and attname = 'additive_value'
        ) then
            update core.fct_measurement as facts
            set additive_value = {{ additive_value('facts') }}
            from {{ this }} as measures
            where facts.measure_code = measures.measure_code
                and facts.additive_value is distinct from {{ additive_value('facts') }};
        end if;
    end
    $renew$
{%- endmacro %}
