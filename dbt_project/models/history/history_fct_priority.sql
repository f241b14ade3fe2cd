-- Grain: one row per release, priority and financial quarter, of every published release, with when it was known.
{{ config(alias='fct_priority') }}

with priorities as (

    select * from {{ ref('fct_priority') }}

),

releases as (

    {{ published_releases() }}

),

final as (

    select
        priorities.release_id,
        priorities.priority_code,
        priorities.period_key,
        priorities.outcome_red_count,
        priorities.outcome_amber_count,
        priorities.outcome_green_count,
        priorities.outcome_unrated_count,
        priorities.rag_rolled_up,
        priorities.action_red_count,
        priorities.action_amber_count,
        priorities.action_green_count,
        priorities.action_white_count,
        priorities.award_year_gbp,
        priorities.award_missing_count,
        priorities.budget_year_gbp,
        priorities.outturn_year_gbp,
        priorities.outturn_missing_count,
        priorities.return_due_count,
        priorities.return_in_count,
        priorities.return_late_count,
        releases.known_from,
        releases.known_to
    from priorities
    inner join releases on priorities.release_id = releases.release_id

)

select * from final
