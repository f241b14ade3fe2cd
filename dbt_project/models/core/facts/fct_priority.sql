-- Grain: one row per release, priority and financial quarter in which the priority's plan held.
{{ config(unique_key='release_id') }}

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

actions as (

    select * from {{ ref('fct_action_status') }}

),

awards as (

    select * from {{ ref('fct_grant_award') }}

),

funds as (

    select * from {{ ref('dim_fund') }}

),

forms as (

    select * from {{ ref('forms') }}

),

candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

expected_returns as (

    select * from {{ source('ledger', 'expected_return') }}

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

outcome_counts as (

    select * from {{ ref('int_priority_outcome') }}

),

action_counts as (

    select
        actions.period_key,
        forms.priority_slug,
        count(*) filter (where actions.rag = 'R') as action_red_count,
        count(*) filter (where actions.rag = 'A') as action_amber_count,
        count(*) filter (where actions.rag = 'G') as action_green_count,
        count(*) filter (where actions.rag = 'W') as action_white_count
    from actions
    inner join forms on forms.form = 'reducing_offending_action_plan'
    where exists (
        select 1 from candidates
        where candidates.load_id = actions.load_id and candidates.period @> actions.period_end
    )
    group by actions.period_key, forms.priority_slug

),

award_sums as (

    select
        awards.period_key as financial_year,
        funds.priority_slug,
        sum(awards.awarded_gbp) as award_year_gbp
    from awards
    inner join funds on awards.fund_code = funds.fund_code
    where awards.status <> 'plan'
        and exists (
            select 1 from candidates
            where candidates.load_id = awards.load_id and candidates.period @> awards.period_end
        )
    group by awards.period_key, funds.priority_slug

),

returns_in as (

    select distinct
        loads.form,
        loads.partner_code,
        loads.reporting_quarter
    from candidates
    inner join loads on candidates.load_id = loads.load_id

),

return_counts as (

    select
        expected_returns.reporting_quarter as period_key,
        forms.priority_slug,
        count(*) filter (where expected_returns.due_on <= release.as_of) as return_due_count,
        count(returns_in.form) as return_in_count,
        count(*) filter (where expected_returns.due_on < release.as_of and returns_in.form is null) as return_late_count
    from expected_returns
    cross join release
    inner join forms on expected_returns.form = forms.form
    left join returns_in
        on expected_returns.form = returns_in.form
        and expected_returns.partner_code = returns_in.partner_code
        and expected_returns.reporting_quarter = returns_in.reporting_quarter
    group by expected_returns.reporting_quarter, forms.priority_slug

),

spine as (

    select distinct period_key from outcome_counts
    union
    select period_key from action_counts
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
        coalesce(return_counts.return_due_count, 0)::integer as return_due_count,
        coalesce(return_counts.return_in_count, 0)::integer as return_in_count,
        coalesce(return_counts.return_late_count, 0)::integer as return_late_count
    from spine
    cross join release
    inner join periods on spine.period_key = periods.period_key
    inner join priorities
        on periods.period_end between priorities.valid_from and priorities.valid_to
    left join outcome_counts
        on priorities.priority_code = outcome_counts.priority_code
        and periods.period_key = outcome_counts.period_key
    left join action_counts
        on priorities.priority_slug = action_counts.priority_slug
        and periods.period_key = action_counts.period_key
    left join award_sums
        on priorities.priority_slug = award_sums.priority_slug
        and periods.financial_year = award_sums.financial_year
    left join return_counts
        on priorities.priority_slug = return_counts.priority_slug
        and periods.period_key = return_counts.period_key

)

select * from final
