-- Grain: one row per form, partner, measure, breakdown, area, period and status, as published now.
-- What fct_measurement_current keeps; the marts of the past ask this itself.
{{ config(materialized='view') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where is_current

),

final as (

    select measurements.*
    from measurements
    inner join publications
        on measurements.load_id = publications.load_id
        and measurements.period_key = publications.period_key

)

select * from final
