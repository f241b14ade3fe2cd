-- Grain: one row per line of a budget return: load, body, budget line, financial year and status.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with budget_lines as (

    select * from {{ ref('stg_budget_outturn') }}

),

final as (

    select
        load_id,
        sheet,
        line_number,
        body,
        budget_line,
        financial_year as period_key,
        make_date(left(financial_year, 4)::integer, 4, 1) as period_start,
        make_date(left(financial_year, 4)::integer + 1, 3, 31) as period_end,
        status,
        body = 'PCC Group' as is_total,
        budget_gbp,
        budget_gbp_flag,
        outturn_gbp,
        outturn_gbp_flag,
        variance_gbp,
        variance_gbp_flag,
        variance_pct,
        variance_pct_flag,
        budget_gbp - outturn_gbp as variance_computed_gbp
    from budget_lines

)

select * from final
