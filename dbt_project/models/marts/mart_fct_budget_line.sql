-- Grain: one row per body, budget line, financial year and status, as published now.
{{ config(alias='fct_budget_line') }}

with budget_lines as (

    select * from {{ ref('fct_budget_line') }}

),

final as (

    select
        budget_lines.load_id,
        budget_lines.sheet,
        budget_lines.line_number,
        budget_lines.body,
        budget_lines.budget_line,
        budget_lines.period_key,
        budget_lines.period_start,
        budget_lines.period_end,
        budget_lines.status,
        budget_lines.is_total,
        budget_lines.budget_gbp,
        budget_lines.budget_gbp_flag,
        budget_lines.outturn_gbp,
        budget_lines.outturn_gbp_flag,
        budget_lines.variance_gbp,
        budget_lines.variance_gbp_flag,
        budget_lines.variance_pct,
        budget_lines.variance_pct_flag,
        budget_lines.variance_computed_gbp
    from budget_lines
    where {{ is_published('budget_lines') }}

)

select * from final
