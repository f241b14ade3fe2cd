-- Grain: one row per load, fund, financial year, round and status, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_grant_award') }}

with grant_awards as (

    select * from {{ ref('fct_grant_award') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

final as (

    select
        {{ promised_columns('grant_awards', but=['publication_id', 'release_id', 'known_from', 'known_to', 'issued_on', 'superseded_on']) }},
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from grant_awards
    inner join publications
        on grant_awards.load_id = publications.load_id
        and publications.period @> grant_awards.period_end

)

select * from final
