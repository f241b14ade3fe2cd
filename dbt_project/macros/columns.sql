{# The columns that a view promises in its contract, of one relation: written once, in the YAML file beside the view.
   A unit test sees no contract: what there is to test stands in a model that the view selects from. #}
{% macro promised_columns(relation, but=[]) -%}
    {%- for name in model.columns if name not in but %}
        {{ relation }}.{{ name }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}
