-- Grain: one row per force, month, type of crime, area and newest outcome, as published now.
{{ config(alias='fct_recorded_crime_count') }}

with counts as (

    select * from {{ ref('fct_recorded_crime_count') }}

),

-- Worked out once for each file, not for each of its rows.
months as materialized (

    select * from {{ ref('int_load_month') }} as files
    where {{ is_published('files') }}

),

final as (

    select
        counts.load_id,
        months.partner_code,
        months.period_key,
        months.period_start,
        months.period_end,
        counts.area_code,
        counts.crime_type,
        counts.last_outcome,
        counts.crime_count
    from counts
    inner join months on counts.load_id = months.load_id

)

select * from final
