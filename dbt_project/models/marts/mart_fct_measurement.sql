-- Grain: one row per form, partner, measure, breakdown, area, period and status, as published now.
{{ config(alias='fct_measurement') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where is_current

),

final as (

    select
        {{ promised_columns('measurements', renamed={'value': 'value::mart.figure'}) }}
    from measurements
    inner join publications
        on measurements.load_id = publications.load_id
        and measurements.period_key = publications.period_key

)

select * from final
