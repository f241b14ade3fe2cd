-- Grain: one row per crime or incident of a force and month, as published now.
{{ config(alias='fct_recorded_crime') }}

with crimes as (

    select * from {{ ref('fct_recorded_crime') }}

),

places as (

    select * from {{ ref('dim_crime_place') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where is_current
        and form = 'street_crime'

),

final as (

    select
        crimes.load_id,
        crimes.sheet,
        crimes.line_number,
        publications.partner_code,
        crimes.crime_id,
        crimes.crime_type,
        crimes.area_code,
        publications.quarter_key as period_key,
        publications.period_start,
        publications.period_end,
        crimes.reported_by,
        crimes.falls_within,
        coalesce(crimes.longitude, places.longitude) as longitude,
        coalesce(crimes.latitude, places.latitude) as latitude,
        coalesce(crimes.location, places.location) as location,
        coalesce(crimes.lsoa_code, places.lsoa_code) as lsoa_code,
        coalesce(crimes.lsoa_name, places.lsoa_name) as lsoa_name,
        crimes.last_outcome
    from crimes
    -- The quarter is the load's own; said of both, one that a reader names keeps the planner from the tables of others.
    inner join publications
        on crimes.load_id = publications.load_id
        and crimes.period_key = publications.quarter_key
    -- A row with a key has nothing else of its place but the area, and one without has no key.
    left join places
        on crimes.load_id = places.load_id
        and crimes.place_key = places.place_key

)

select * from final
