-- Grain: one row per street crime file, type of crime, area and newest outcome, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_recorded_crime_count') }}

with counts as (

    select * from {{ ref('fct_recorded_crime_count') }}

),

-- Worked out once for each file and publication, not for each of its rows.
versions as materialized (

    select
        months.load_id,
        months.partner_code,
        months.period_key,
        months.period_start,
        months.period_end,
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from {{ ref('int_load_month') }} as months
    inner join {{ source('ledger', 'publication') }} as publications
        on months.load_id = publications.load_id
        and publications.period @> months.period_end

),

final as (

    select
        counts.load_id,
        versions.partner_code,
        versions.period_key,
        versions.period_start,
        versions.period_end,
        counts.area_code,
        counts.crime_type,
        counts.last_outcome,
        counts.crime_count,
        versions.publication_id,
        versions.release_id,
        versions.known_from,
        versions.known_to,
        versions.issued_on,
        versions.superseded_on
    from counts
    inner join versions on counts.load_id = versions.load_id

)

select * from final
