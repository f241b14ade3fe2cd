-- Grain: one row per release, outcome measure, area and financial year.
-- Of the release being built; fct_outcome_year keeps them.
{{ config(materialized='view') }}

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
        outcome_years.status,
        outcome_years.part_load_count,
        outcome_years.load_id,
        outcome_years.sheet,
        outcome_years.line_number,
        -- The year's own figure is compared where there is one; a year that is not over, by what it has to date.
        case
            when outcome_years.value is null then outcome_years.value_to_date
            when outcome_years.value_qualifier = 'exact' then outcome_years.value
        end as rated_value,
        -- What is to date is held against as many quarters of the baseline as it has.
        case
            when not measures.is_additive_over_time then outcome_baselines.baseline_exact_value
            when outcome_years.value is null then outcome_baselines.baseline_quarter_value * nullif(outcome_years.quarter_count, 0)
            else outcome_baselines.baseline_quarter_value * 4
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
        compared.rated_value - compared.rated_baseline as change,
        100 * (compared.rated_value - compared.rated_baseline) / nullif(compared.rated_baseline, 0) as change_pct
    from compared

),

final as (

    select
        release_id,
        measure_code,
        area_code,
        period_key,
        case when aggregation = 'pooled' then round(value, 1) else value end as value,
        case when value is not null then value_qualifier end as value_qualifier,
        numerator,
        denominator,
        quarter_count,
        value_to_date,
        baseline_period_key,
        baseline_value,
        rated_baseline as compared_with,
        case when aggregation = 'pooled' then round(change, 1) else change end as change,
        round(change_pct, 1) as change_pct,
        {{ rag_against_baseline('measured') }} as rag_computed,
        aggregation,
        reason,
        status,
        load_id,
        sheet,
        line_number,
        part_load_count
    from measured

)

select * from final
