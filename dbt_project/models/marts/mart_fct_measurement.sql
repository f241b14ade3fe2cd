-- Grain: one row per form, partner, measure, breakdown, area, period and status, as published now.
{{ config(alias='fct_measurement') }}

with measurements as (

    select * from {{ ref('fct_measurement_current') }}

),

final as (

    select
        {{ promised_columns('measurements', renamed={'value': 'value::mart.figure'}) }}
    from measurements

)

select * from final
