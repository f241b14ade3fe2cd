{# The columns that a view promises in its contract, of one relation: written once, in the YAML file beside the view.
   `renamed` says which column of the relation stands for a promised one. A unit test sees no contract: what there is to
   test stands in a model that the view selects from. #}
{% macro promised_columns(relation, but=[], renamed={}) -%}
    {%- for name in model.columns if name not in but %}
        {{ relation }}.{{ renamed[name] ~ " as " ~ name if name in renamed else name }}{{ "," if not loop.last }}
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

{# A relation with its value as mart.figure, of which sum and avg are refused, and beside it what may be added up. Needs a
   relation `measures`. #}
{% macro with_figures(relation) -%}
    select
        {{ relation }}.*,
        {{ relation }}.value::mart.figure as figure,
        -- Not joined, so that who doesn't ask for what may be added up plans nothing of it.
        {{ additive_value(relation, is_additive=relation ~ '.measure_code in (
            select measures.measure_code
            from measures
            where measures.is_additive_over_time and measures.is_additive_over_area
        )') }} as additive_value
    from {{ relation }}
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
