-- Grain: one row per crime or incident of a force and month, as published now.
{{ config(alias='fct_recorded_crime') }}

with crimes as (

    select * from {{ ref('fct_recorded_crime') }}

),

final as (

    select
        crimes.load_id,
        crimes.sheet,
        crimes.line_number,
        crimes.partner_code,
        crimes.crime_id,
        crimes.crime_type,
        crimes.area_code,
        crimes.period_key,
        crimes.period_start,
        crimes.period_end,
        crimes.reported_by,
        crimes.falls_within,
        crimes.longitude,
        crimes.latitude,
        crimes.location,
        crimes.lsoa_code,
        crimes.lsoa_name,
        crimes.last_outcome
    from crimes
    where {{ is_published('crimes') }}

)

select * from final
