-- Grain: one row per outcome measure, area and financial year, as of the newest release.
{{ config(alias='fct_outcome_year') }}

with outcome_years as (

    select * from {{ ref('fct_outcome_year') }}

),

final as (

    select
        outcome_years.release_id,
        outcome_years.measure_code,
        outcome_years.area_code,
        outcome_years.period_key,
        outcome_years.value,
        outcome_years.value_qualifier,
        outcome_years.numerator,
        outcome_years.denominator,
        outcome_years.quarter_count,
        outcome_years.value_to_date,
        outcome_years.baseline_period_key,
        outcome_years.baseline_value,
        outcome_years.compared_with,
        outcome_years.change,
        outcome_years.change_pct,
        outcome_years.rag_computed,
        outcome_years.aggregation,
        outcome_years.reason,
        outcome_years.status,
        outcome_years.load_id,
        outcome_years.sheet,
        outcome_years.line_number,
        outcome_years.part_load_count
    from outcome_years
    where outcome_years.release_id = {{ newest_release() }}

)

select * from final
