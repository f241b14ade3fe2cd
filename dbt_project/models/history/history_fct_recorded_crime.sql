-- Grain: one row per line of a street crime file, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_recorded_crime') }}

with crimes as (

    select * from {{ ref('fct_recorded_crime') }}

),

places as (

    select * from {{ ref('dim_crime_place') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where form = 'street_crime'

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
        crimes.last_outcome,
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
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
