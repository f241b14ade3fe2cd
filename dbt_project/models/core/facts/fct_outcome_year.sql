-- Grain: one row per release, outcome measure, area and financial year.
{{ config(unique_key='release_id') }}

with release as (

    select * from {{ ref('int_release') }}

),

outcome_years as (

    select * from {{ ref('int_outcome_year') }}

),

outcome_baselines as (

    select * from {{ ref('int_outcome_baseline') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

rules as (

    select * from {{ ref('int_rag_rule') }}

),

compared as (

    select
        release.release_id,
        outcome_years.measure_code,
        outcome_years.area_code,
        outcome_years.year_start::text || '-' || right((outcome_years.year_start + 1)::text, 2) as period_key,
        outcome_years.value,
        outcome_years.value_qualifier,
        outcome_years.numerator,
        outcome_years.denominator,
        outcome_years.quarter_count,
        outcome_years.value_to_date,
        outcome_years.aggregation,
        outcome_years.reason,
        outcome_baselines.baseline_period_key,
        outcome_baselines.baseline_value,
        case when outcome_years.value_qualifier = 'exact' then outcome_years.value - outcome_baselines.baseline_exact_value end
            as change,
        -- A year that is not over is held against as many quarters of the baseline as it has.
        case
            when measures.is_additive_over_time and outcome_years.quarter_count > 0 then outcome_years.value_to_date
            when outcome_years.value_qualifier = 'exact' then outcome_years.value
        end as rated_value,
        case
            when measures.is_additive_over_time and outcome_years.quarter_count > 0
                then outcome_baselines.baseline_quarter_value * outcome_years.quarter_count
            else outcome_baselines.baseline_exact_value
        end as rated_baseline,
        rules.better_sign,
        rules.green_at_least_pct,
        rules.amber_at_least_pct
    from outcome_years
    cross join release
    inner join measures on outcome_years.measure_code = measures.measure_code
    inner join rules on outcome_years.measure_code = rules.measure_code
    left join outcome_baselines
        on outcome_years.measure_code = outcome_baselines.measure_code
        and outcome_years.area_code = outcome_baselines.area_code

),

measured as (

    select
        compared.*,
        round(100 * compared.change / nullif(compared.baseline_value, 0), 1) as change_pct,
        compared.better_sign
        * round(100 * (compared.rated_value - compared.rated_baseline) / nullif(compared.rated_baseline, 0), 1) as improvement_pct
    from compared

),

final as (

    select
        release_id,
        measure_code,
        area_code,
        period_key,
        value,
        case when value is not null then value_qualifier end as value_qualifier,
        numerator,
        denominator,
        quarter_count,
        value_to_date,
        baseline_period_key,
        baseline_value,
        change,
        change_pct,
        -- The baseline's own year is no progress against itself.
        case
            when period_key is distinct from baseline_period_key then {{ rag_from('measured.improvement_pct', 'measured') }}
        end as rag_computed,
        aggregation,
        reason
    from measured

)

select * from final
