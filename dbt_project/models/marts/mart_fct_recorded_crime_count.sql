-- Grain: one row per force, month, type of crime, area and newest outcome, as published now.
{{ config(alias='fct_recorded_crime_count') }}

with counts as (

    select * from {{ ref('fct_recorded_crime_count_current') }}

),

final as (

    select
        load_id,
        partner_code,
        period_key,
        period_start,
        period_end,
        area_code,
        crime_type,
        last_outcome,
        crime_count
    from counts

)

select * from final
