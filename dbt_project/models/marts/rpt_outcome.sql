-- Grain: one row per outcome of the plan of its day, measure, area and financial quarter, as of the newest release; with all names.
with outcome_quarters as (

    select * from {{ ref('mart_fct_outcome') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

areas as (

    select * from {{ ref('mart_dim_area') }}

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

partners as (

    select * from {{ ref('dim_partner') }}

),

-- Results alone; a target or a plan is no figure that is restated.
measurements as (

    select * from {{ ref('mart_fct_measurement') }}
    where breakdown_code = 'all'
        and status not in ('target', 'plan')

),

released_loads as (

    select distinct
        loads.load_id,
        loads.issued_on
    from {{ source('ledger', 'load') }} as loads
    inner join {{ source('ledger', 'release_load') }} as release_loads on loads.load_id = release_loads.load_id
    inner join {{ source('ledger', 'release') }} as releases on release_loads.release_id = releases.release_id
    where releases.published_at is not null

),

versions as (

    select
        facts.form,
        facts.partner_code,
        facts.measure_code,
        facts.area_code,
        facts.period_key,
        facts.value,
        facts.load_id,
        released_loads.issued_on
    from {{ ref('fct_measurement') }} as facts
    inner join released_loads on facts.load_id = released_loads.load_id
    where facts.breakdown_code = 'all'
        and facts.status not in ('target', 'plan')

),

restated_figures as (

    select distinct
        measurements.measure_code,
        measurements.period_key,
        measurements.area_code
    from measurements
    inner join released_loads on measurements.load_id = released_loads.load_id
    inner join versions
        on measurements.form = versions.form
        and measurements.partner_code = versions.partner_code
        and measurements.measure_code = versions.measure_code
        and measurements.area_code = versions.area_code
        and measurements.period_key = versions.period_key
        and (versions.issued_on, versions.load_id) < (released_loads.issued_on, released_loads.load_id)
        and measurements.value is distinct from versions.value

),

-- A whole is restated when one of its parts is.
restated_areas as (

    select
        measure_code,
        period_key,
        area_code
    from restated_figures
    union
    select
        restated_figures.measure_code,
        restated_figures.period_key,
        areas.rolls_up_to as area_code
    from restated_figures
    inner join areas on restated_figures.area_code = areas.area_code
    where areas.rolls_up_to is not null

),

senders as (

    select
        measure_code,
        period_key,
        min(partner_code) as partner_code,
        count(distinct partner_code) as partner_count
    from measurements
    group by measure_code, period_key

),

final as (

    select
        outcome_quarters.release_id,
        plans.plan_code,
        plans.plan_name,
        priorities.priority_code,
        priorities.priority_name,
        priorities.priority_order,
        plan_outcomes.outcome_code,
        plan_outcomes.outcome_label,
        plan_outcomes.outcome_type,
        plan_outcomes.outcome_order,
        outcome_quarters.measure_code,
        measures.measure_name,
        measures.unit,
        measures.unit_of_count,
        measures.direction,
        outcome_quarters.area_code,
        areas.area_name,
        areas.area_type,
        outcome_quarters.period_key,
        periods.period_label,
        periods.financial_year,
        periods.period_start,
        periods.period_end,
        periods.financial_quarter_sort as period_sort,
        partners.partner_code,
        partners.partner_name,
        outcome_quarters.value,
        outcome_quarters.additive_value,
        outcome_quarters.value_qualifier,
        outcome_quarters.value_flag,
        outcome_quarters.numerator,
        outcome_quarters.denominator,
        outcome_quarters.baseline_quarter_value,
        outcome_quarters.change,
        outcome_quarters.change_pct,
        outcome_quarters.change_direction,
        outcome_quarters.target_quarter_value,
        outcome_quarters.is_target_met,
        outcome_quarters.rag_computed,
        outcome_quarters.rag_declared,
        nullif(strpos('RAG', outcome_quarters.rag_computed), 0) as rag_order,
        outcome_quarters.signal,
        outcome_quarters.status,
        outcome_quarters.lag_state,
        outcome_quarters.available_on,
        outcome_quarters.aggregation_label,
        restated_areas.measure_code is not null as is_restated,
        outcome_quarters.load_id,
        outcome_quarters.part_load_count
    from outcome_quarters
    inner join measures on outcome_quarters.measure_code = measures.measure_code
    inner join areas on outcome_quarters.area_code = areas.area_code
    inner join periods on outcome_quarters.period_key = periods.period_key
    inner join bridge
        on outcome_quarters.measure_code = bridge.measure_code
        and periods.period_end between bridge.valid_from and coalesce(bridge.valid_to, 'infinity')
    inner join plan_outcomes on bridge.outcome_code = plan_outcomes.outcome_code
    inner join priorities on plan_outcomes.priority_code = priorities.priority_code
    inner join plans on priorities.plan_code = plans.plan_code
    left join senders
        on outcome_quarters.measure_code = senders.measure_code
        and outcome_quarters.period_key = senders.period_key
        and senders.partner_count = 1
        and outcome_quarters.part_load_count is not null
    left join partners on senders.partner_code = partners.partner_code
    left join restated_areas
        on outcome_quarters.measure_code = restated_areas.measure_code
        and outcome_quarters.period_key = restated_areas.period_key
        and outcome_quarters.area_code = restated_areas.area_code

)

select * from final
