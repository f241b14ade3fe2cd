-- Grain: one row per force, month, type of crime, area and newest outcome, as published now.
{{ config(alias='fct_recorded_crime_count') }}

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
        publications.partner_code,
        publications.quarter_key as period_key,
        publications.period_start,
        publications.period_end,
        counts.area_code,
        counts.crime_type,
        counts.last_outcome,
        counts.crime_count
    from counts
    inner join publications on counts.load_id = publications.load_id

)

select * from final
