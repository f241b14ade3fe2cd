-- Grain: one row per priority and financial quarter of its plan: how many of its outcomes are red, amber, green or unrated.
-- An outcome is as bad as its worst measure; without a rated measure it is unrated.
with release as (

    select * from {{ ref('int_release') }}

),

outcome_quarters as (

    select * from {{ ref('fct_outcome') }}

),

periods as (

    select * from {{ ref('dim_period') }}
    where period_type = 'financial_quarter'

),

bridge as (

    select * from {{ ref('bridge_measure_outcome') }}

),

outcomes as (

    select * from {{ ref('dim_outcome') }}

),

priorities as (

    select * from {{ ref('dim_priority') }}

),

measure_ratings as (

    select
        bridge.outcome_code,
        outcome_quarters.period_key,
        outcome_quarters.rag_computed as rag
    from outcome_quarters
    inner join release on outcome_quarters.release_id = release.release_id
    inner join periods on outcome_quarters.period_key = periods.period_key
    inner join bridge
        on outcome_quarters.measure_code = bridge.measure_code
        and periods.period_end between bridge.valid_from and coalesce(bridge.valid_to, 'infinity')
    where outcome_quarters.area_code = 'pcc_area'

),

outcome_ratings as (

    select
        outcomes.priority_code,
        outcomes.outcome_code,
        periods.period_key,
        case
            when bool_or(measure_ratings.rag = 'R') then 'R'
            when bool_or(measure_ratings.rag = 'A') then 'A'
            when bool_or(measure_ratings.rag = 'G') then 'G'
        end as rag
    from outcomes
    inner join priorities on outcomes.priority_code = priorities.priority_code
    inner join periods on periods.period_end between priorities.valid_from and priorities.valid_to
    left join measure_ratings
        on outcomes.outcome_code = measure_ratings.outcome_code
        and periods.period_key = measure_ratings.period_key
    group by outcomes.priority_code, outcomes.outcome_code, periods.period_key

),

counted as (

    select
        priority_code,
        period_key,
        count(*) filter (where rag = 'R') as outcome_red_count,
        count(*) filter (where rag = 'A') as outcome_amber_count,
        count(*) filter (where rag = 'G') as outcome_green_count,
        count(*) filter (where rag is null) as outcome_unrated_count
    from outcome_ratings
    group by priority_code, period_key

),

final as (

    select
        priority_code,
        period_key,
        outcome_red_count,
        outcome_amber_count,
        outcome_green_count,
        outcome_unrated_count,
        -- A priority is no better than its worst outcome that could be rated.
        case
            when outcome_red_count > 0 then 'R'
            when outcome_amber_count > 0 then 'A'
            when outcome_green_count > 0 then 'G'
        end as rag_rolled_up
    from counted

)

select * from final
