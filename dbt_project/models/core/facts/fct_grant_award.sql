-- Grain: one row per line of a fund awards return: load, fund, financial year, round and status.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with award_lines as (

    select * from {{ ref('stg_community_fund_awards') }}

),

final as (

    select
        load_id,
        sheet,
        line_number,
        fund_code,
        financial_year as period_key,
        make_date(left(financial_year, 4)::integer, 4, 1) as period_start,
        make_date(left(financial_year, 4)::integer + 1, 3, 31) as period_end,
        funding_round,
        round_count,
        round_count_flag,
        award_count,
        award_count_flag,
        available_gbp,
        available_gbp_flag,
        awarded_gbp,
        awarded_gbp_flag,
        status
    from award_lines

)

select * from final
