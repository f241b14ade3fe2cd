-- Grain: one row per force, month, type of crime, area and newest outcome, as published now.
-- What fct_recorded_crime_count_current keeps; the marts of the past ask this itself.
{{ config(materialized='view') }}

with counts as (

    select * from {{ ref('fct_recorded_crime_count') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where is_current
        and form = 'street_crime'

),

final as (

    select
        counts.load_id,
        counts.crime_count,
        publications.period_start,
        publications.period_end,
        publications.quarter_key as period_key,
        publications.partner_code,
        counts.crime_type,
        counts.area_code,
        counts.last_outcome
    from counts
    inner join publications on counts.load_id = publications.load_id

)

select * from final
