-- Grain: one row per priority and financial quarter, as of the newest release; with all names.
with priority_quarters as (

    select * from {{ ref('mart_fct_priority') }}

),

priorities as (

    select * from {{ ref('dim_priority') }}

),

plans as (

    select * from {{ ref('dim_plan') }}

),

periods as (

    select * from {{ ref('mart_dim_period') }}

),

final as (

    select
        priority_quarters.release_id,
        plans.plan_code,
        plans.plan_name,
        priority_quarters.priority_code,
        priorities.priority_name,
        priorities.priority_order,
        priority_quarters.period_key,
        periods.period_label,
        periods.financial_year,
        periods.period_start,
        periods.period_end,
        periods.financial_quarter_sort as period_sort,
        priority_quarters.rag_rolled_up,
        nullif(strpos('RAG', priority_quarters.rag_rolled_up), 0) as rag_order,
        priority_quarters.outcome_red_count,
        priority_quarters.outcome_amber_count,
        priority_quarters.outcome_green_count,
        priority_quarters.outcome_unrated_count,
        priority_quarters.action_red_count,
        priority_quarters.action_amber_count,
        priority_quarters.action_green_count,
        priority_quarters.action_white_count,
        priority_quarters.award_year_gbp,
        priority_quarters.award_missing_count,
        priority_quarters.budget_year_gbp,
        priority_quarters.outturn_year_gbp,
        priority_quarters.outturn_missing_count,
        priority_quarters.return_due_count,
        priority_quarters.return_in_count,
        priority_quarters.return_late_count,
        priority_quarters.return_rejected_count
    from priority_quarters
    inner join priorities on priority_quarters.priority_code = priorities.priority_code
    inner join plans on priorities.plan_code = plans.plan_code
    inner join periods on priority_quarters.period_key = periods.period_key

)

select * from final
