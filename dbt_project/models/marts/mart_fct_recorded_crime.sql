-- Grain: one row per crime or incident of a force and month, as published now.
{{ config(alias='fct_recorded_crime') }}

with crimes as (

    select * from {{ ref('fct_recorded_crime') }}

),

-- Worked out once for each file, not for each of its lines.
months as materialized (

    select * from {{ ref('int_load_month') }} as files
    where {{ is_published('files') }}

),

final as (

    select
        crimes.load_id,
        crimes.sheet,
        crimes.line_number,
        months.partner_code,
        crimes.crime_id,
        crimes.crime_type,
        crimes.area_code,
        months.period_key,
        months.period_start,
        months.period_end,
        crimes.reported_by,
        crimes.falls_within,
        crimes.longitude,
        crimes.latitude,
        crimes.location,
        crimes.lsoa_code,
        crimes.lsoa_name,
        crimes.last_outcome
    from crimes
    inner join months on crimes.load_id = months.load_id

)

select * from final
