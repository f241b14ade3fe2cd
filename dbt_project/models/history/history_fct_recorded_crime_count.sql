-- Grain: one row per street crime file, type of crime, area and newest outcome, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_recorded_crime_count') }}

with counts as (

    select * from {{ ref('fct_recorded_crime_count') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where form = 'street_crime'

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
        counts.crime_count,
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from counts
    inner join publications on counts.load_id = publications.load_id

)

select * from final
