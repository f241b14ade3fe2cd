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
        grant_awards.load_id,
        grant_awards.sheet,
        grant_awards.line_number,
        grant_awards.fund_code,
        grant_awards.period_key,
        grant_awards.period_start,
        grant_awards.period_end,
        grant_awards.funding_round,
        grant_awards.round_count,
        grant_awards.round_count_flag,
        grant_awards.award_count,
        grant_awards.award_count_flag,
        grant_awards.available_gbp,
        grant_awards.available_gbp_flag,
        grant_awards.awarded_gbp,
        grant_awards.awarded_gbp_flag,
        grant_awards.status,
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
