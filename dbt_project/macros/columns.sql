{# The columns that a view promises in its contract, of one relation: written once, in the YAML file beside the view.
   `renamed` says which column of the relation stands for a promised one. A unit test sees no contract: what there is to
   test stands in a model that the view selects from. #}
{% macro promised_columns(relation, but=[], renamed={}) -%}
    {%- for name in model.columns if name not in but %}
        {{ relation }}.{{ renamed[name] ~ " as " ~ name if name in renamed else name }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# A relation with its value as mart.figure, of which sum and avg are refused, and beside it what may be added up: exact
   results of measures that are additive over time and area, of periods that don't hold the one before: a count to date does,
   and so does a rolling year. Needs a relation `measures`. #}
{% macro with_figures(relation) -%}
    select
        {{ relation }}.*,
        {{ relation }}.value::mart.figure as figure,
        case
            when measures.is_additive_over_time
                and measures.is_additive_over_area
                and {{ relation }}.value_qualifier = 'exact'
                and {{ relation }}.status not in ('target', 'plan')
                and not starts_with({{ relation }}.period_key, 'to_date:')
                and not starts_with({{ relation }}.period_key, 'rolling_year:')
                then {{ relation }}.value
        end as additive_value
    from {{ relation }}
    -- Every measure is known; as a left join it is left out where nobody asks for what may be added up.
    left join measures on {{ relation }}.measure_code = measures.measure_code
{%- endmacro %}
