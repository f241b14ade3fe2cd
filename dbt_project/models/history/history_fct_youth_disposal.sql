-- Grain: one row per load, youth offending team and disposal, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_youth_disposal') }}

with disposals as (

    select * from {{ ref('fct_youth_disposal') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

final as (

    select
        {{ promised_columns('disposals', but=['publication_id', 'release_id', 'known_from', 'known_to', 'issued_on', 'superseded_on']) }},
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from disposals
    inner join publications
        on disposals.load_id = publications.load_id
        and disposals.period_key = publications.period_key
    where disposals.line_kind = 'disposal'

)

select * from final
