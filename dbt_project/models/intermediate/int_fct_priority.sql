-- Grain: one row per release, priority and financial quarter in which the priority's plan held.
-- Of the release being built; fct_priority keeps them.
{{ config(materialized='view') }}

with release as (

    select * from {{ ref('int_release') }}

),

priorities as (

    select * from {{ ref('dim_priority') }}

),

periods as (

    select * from {{ ref('dim_period') }}
    where period_type = 'financial_quarter'

),

outcome_quarters as (

    select * from {{ ref('fct_outcome') }}

),

outcome_counts as (

    select * from {{ ref('int_priority_outcome') }}

),

action_counts as (

    select * from {{ ref('int_priority_action') }}

),

award_sums as (

    select * from {{ ref('int_priority_award') }}

),

budget_sums as (

    select * from {{ ref('int_priority_budget') }}

),

return_counts as (

    select * from {{ ref('int_priority_return') }}

),

-- Every quarter of which anything is known or expected.
spine as (

    select outcome_quarters.period_key
    from outcome_quarters
    inner join release on outcome_quarters.release_id = release.release_id
    union
    select period_key from action_counts
    union
    select period_key from award_sums
    union
    select period_key from budget_sums
    union
    select period_key from return_counts

),

final as (

    select
        release.release_id,
        priorities.priority_code,
        periods.period_key,
        coalesce(outcome_counts.outcome_red_count, 0)::integer as outcome_red_count,
        coalesce(outcome_counts.outcome_amber_count, 0)::integer as outcome_amber_count,
        coalesce(outcome_counts.outcome_green_count, 0)::integer as outcome_green_count,
        coalesce(outcome_counts.outcome_unrated_count, 0)::integer as outcome_unrated_count,
        outcome_counts.rag_rolled_up,
        coalesce(action_counts.action_red_count, 0)::integer as action_red_count,
        coalesce(action_counts.action_amber_count, 0)::integer as action_amber_count,
        coalesce(action_counts.action_green_count, 0)::integer as action_green_count,
        coalesce(action_counts.action_white_count, 0)::integer as action_white_count,
        award_sums.award_year_gbp,
        coalesce(award_sums.award_missing_count, 0)::integer as award_missing_count,
        budget_sums.budget_year_gbp,
        budget_sums.outturn_year_gbp,
        coalesce(budget_sums.outturn_missing_count, 0)::integer as outturn_missing_count,
        coalesce(return_counts.return_due_count, 0)::integer as return_due_count,
        coalesce(return_counts.return_in_count, 0)::integer as return_in_count,
        coalesce(return_counts.return_late_count, 0)::integer as return_late_count,
        coalesce(return_counts.return_rejected_count, 0)::integer as return_rejected_count
    from spine
    cross join release
    inner join periods on spine.period_key = periods.period_key
    inner join priorities
        on periods.period_end between priorities.valid_from and priorities.valid_to
    left join outcome_counts
        on priorities.priority_code = outcome_counts.priority_code
        and periods.period_key = outcome_counts.period_key
    left join action_counts
        on priorities.priority_code = action_counts.priority_code
        and periods.period_key = action_counts.period_key
    left join award_sums
        on priorities.priority_code = award_sums.priority_code
        and periods.period_key = award_sums.period_key
    left join budget_sums
        on priorities.priority_code = budget_sums.priority_code
        and periods.period_key = budget_sums.period_key
    left join return_counts
        on priorities.priority_code = return_counts.priority_code
        and periods.period_key = return_counts.period_key

)

select * from final
