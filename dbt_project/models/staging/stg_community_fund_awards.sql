-- Grain: one row per line of an admitted fund awards return in the release being built. Renames only.
with lines as (

    select * from {{ source('typed', 'community_fund_awards') }}
    where {{ in_release() }}

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        lines.fund_code,
        left(lines.financial_year, 4) || '-' || right(lines.financial_year, 2) as financial_year,
        lines.funding_round,
        lines.round_count::integer as round_count,
        lines.round_count_flag,
        lines.available_gbp,
        lines.available_gbp_flag,
        lines.awarded_gbp,
        lines.awarded_gbp_flag,
        lines.award_count::integer as award_count,
        lines.award_count_flag,
        lines.status
    from lines
    where {{ not_quarantined('lines') }}

)

select * from final
