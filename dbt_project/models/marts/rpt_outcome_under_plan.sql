-- Grain: one row per reading, outcome of a plan, measure, area and financial quarter: the same figure under the plan of its day or today's.
with outcome_quarters as (

    select * from {{ ref('mart_fct_outcome') }}

),

periods as (

    select * from {{ ref('mart_dim_period') }}

),

bridge as (

    select * from {{ ref('bridge_measure_outcome') }}

),

plan_outcomes as (

    select * from {{ ref('dim_outcome') }}

),

priorities as (

    select * from {{ ref('dim_priority') }}

),

plans as (

    select * from {{ ref('dim_plan') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

areas as (

    select * from {{ ref('dim_area') }}

),

-- The newest plan that has begun; it goes on until there is another.
todays_plan as (

    select plan_code
    from plans
    where valid_from <= current_date
    order by valid_from desc
    limit 1

),

readings as (

    select
        'plan_of_its_day' as reading,
        outcome_quarters.measure_code,
        outcome_quarters.area_code,
        outcome_quarters.period_key,
        bridge.outcome_code
    from outcome_quarters
    inner join periods on outcome_quarters.period_key = periods.period_key
    inner join bridge
        on outcome_quarters.measure_code = bridge.measure_code
        and periods.period_end between bridge.valid_from and coalesce(bridge.valid_to, 'infinity')
    union all
    select
        'plan_of_today' as reading,
        outcome_quarters.measure_code,
        outcome_quarters.area_code,
        outcome_quarters.period_key,
        bridge.outcome_code
    from outcome_quarters
    inner join bridge on outcome_quarters.measure_code = bridge.measure_code
    inner join plan_outcomes on bridge.outcome_code = plan_outcomes.outcome_code
    inner join priorities on plan_outcomes.priority_code = priorities.priority_code
    inner join todays_plan on priorities.plan_code = todays_plan.plan_code

),

final as (

    select
        readings.reading,
        priorities.plan_code,
        plans.plan_name,
        priorities.priority_code,
        priorities.priority_name,
        priorities.priority_order,
        readings.outcome_code,
        plan_outcomes.outcome_type,
        plan_outcomes.outcome_label,
        plan_outcomes.outcome_order,
        readings.measure_code,
        measures.measure_name,
        readings.area_code,
        areas.area_name,
        readings.period_key,
        periods.period_label,
        periods.financial_quarter_sort as period_sort,
        outcome_quarters.value,
        outcome_quarters.numerator,
        outcome_quarters.denominator,
        outcome_quarters.lag_state,
        outcome_quarters.change_pct,
        outcome_quarters.rag_computed,
        outcome_quarters.signal
    from readings
    inner join outcome_quarters
        on readings.measure_code = outcome_quarters.measure_code
        and readings.area_code = outcome_quarters.area_code
        and readings.period_key = outcome_quarters.period_key
    inner join plan_outcomes on readings.outcome_code = plan_outcomes.outcome_code
    inner join priorities on plan_outcomes.priority_code = priorities.priority_code
    inner join plans on priorities.plan_code = plans.plan_code
    inner join measures on readings.measure_code = measures.measure_code
    inner join areas on readings.area_code = areas.area_code
    inner join periods on readings.period_key = periods.period_key

)

select * from final
