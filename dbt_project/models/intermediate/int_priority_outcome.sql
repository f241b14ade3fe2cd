-- Grain: one row per priority and financial quarter with outcome measures: how many of them are red, amber, green or unrated.
with release as (

    select * from {{ ref('int_release') }}

),

outcome_quarters as (

    select * from {{ ref('fct_outcome') }}

),

periods as (

    select * from {{ ref('dim_period') }}

),

bridge as (

    select * from {{ ref('bridge_measure_outcome') }}

),

outcomes as (

    select * from {{ ref('dim_outcome') }}

),

counted as (

    select
        outcomes.priority_code,
        outcome_quarters.period_key,
        count(*) filter (where outcome_quarters.rag_computed = 'R') as outcome_red_count,
        count(*) filter (where outcome_quarters.rag_computed = 'A') as outcome_amber_count,
        count(*) filter (where outcome_quarters.rag_computed = 'G') as outcome_green_count,
        count(*) filter (where outcome_quarters.rag_computed is null) as outcome_unrated_count
    from outcome_quarters
    inner join release on outcome_quarters.release_id = release.release_id
    inner join periods on outcome_quarters.period_key = periods.period_key
    inner join bridge
        on outcome_quarters.measure_code = bridge.measure_code
        and periods.period_end between bridge.valid_from and coalesce(bridge.valid_to, 'infinity')
    inner join outcomes on bridge.outcome_code = outcomes.outcome_code
    where outcome_quarters.area_code = 'pcc_area'
    group by outcomes.priority_code, outcome_quarters.period_key

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
