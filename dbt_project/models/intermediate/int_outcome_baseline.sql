-- Grain: one row per outcome measure and area with a baseline. A year's count is prorated to a quarter; a rate never is.
with baselines as (

    select * from {{ ref('baselines') }}

),

outcome_values as (

    select * from {{ ref('int_outcome_value') }}

),

outcome_years as (

    select * from {{ ref('int_outcome_year') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

from_years as (

    select
        baselines.measure_code,
        outcome_years.area_code,
        outcome_years.value,
        outcome_years.value_qualifier
    from baselines
    inner join outcome_years
        on baselines.measure_code = outcome_years.measure_code
        and {{ financial_year_start('baselines.period_start') }} = outcome_years.year_start
    where baselines.period_type = 'financial_year'

),

from_other_periods as (

    select
        baselines.measure_code,
        outcome_values.area_code,
        outcome_values.value,
        outcome_values.value_qualifier
    from baselines
    inner join outcome_values
        on baselines.measure_code = outcome_values.measure_code
        and baselines.period_type = outcome_values.period_type
        and baselines.period_start = outcome_values.period_start
        and baselines.period_end = outcome_values.period_end
    where baselines.period_type <> 'financial_year'

),

known_values as (

    select * from from_years
    union all
    select * from from_other_periods

),

final as (

    select
        known_values.measure_code,
        known_values.area_code,
        {{ period_key('baselines.period_type', 'baselines.period_start', 'baselines.period_end') }} as baseline_period_key,
        known_values.value as baseline_value,
        case
            when known_values.value_qualifier <> 'exact' then null
            when measures.is_additive_over_time and baselines.period_type = 'financial_year' then trim_scale(known_values.value / 4)
            else known_values.value
        end as baseline_quarter_value,
        case when known_values.value_qualifier = 'exact' then known_values.value end as baseline_exact_value,
        baselines.period_type <> 'financial_year' as is_baseline_labelled_as_year
    from known_values
    inner join baselines on known_values.measure_code = baselines.measure_code
    inner join measures on known_values.measure_code = measures.measure_code
    where known_values.value is not null

)

select * from final
