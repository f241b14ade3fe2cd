-- Grain: one row per load, force, quarter and offence, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_recorded_offence') }}

with offences as (

    select * from {{ ref('fct_recorded_offence') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

final as (

    select
        offences.load_id,
        offences.sheet,
        offences.line_number,
        offences.line_count,
        offences.partner_code,
        offences.force_name,
        offences.area_code,
        offences.period_key,
        offences.period_start,
        offences.period_end,
        offences.offence_code,
        offences.offence_description,
        offences.offence_subgroup,
        offences.offence_group,
        offences.offence_count,
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from offences
    inner join publications
        on offences.load_id = publications.load_id
        and publications.period @> offences.period_end

)

select * from final
