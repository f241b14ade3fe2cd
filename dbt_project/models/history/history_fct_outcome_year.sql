-- Grain: one row per release, outcome measure, area and financial year, of every published release, with when it was known.
{{ config(alias='fct_outcome_year') }}

with outcome_years as (

    select * from {{ ref('fct_outcome_year') }}

),

releases as (

    {{ published_releases() }}

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
        outcome_years.part_load_count,
        releases.known_from,
        releases.known_to
    from outcome_years
    inner join releases on outcome_years.release_id = releases.release_id

)

select * from final
