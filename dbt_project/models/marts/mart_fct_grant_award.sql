-- Grain: one row per fund, financial year, round and status, as published now.
{{ config(alias='fct_grant_award') }}

with grant_awards as (

    select * from {{ ref('fct_grant_award') }}

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
        grant_awards.status
    from grant_awards
    where {{ is_published('grant_awards') }}

)

select * from final
