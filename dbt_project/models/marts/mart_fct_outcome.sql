-- Grain: one row per outcome measure, area and financial quarter, as of the newest release.
{{ config(alias='fct_outcome') }}

with outcomes as (

    select * from {{ ref('fct_outcome') }}

),

final as (

    select
        outcomes.release_id,
        outcomes.measure_code,
        outcomes.area_code,
        outcomes.period_key,
        outcomes.value,
        outcomes.value_qualifier,
        outcomes.value_flag,
        outcomes.numerator,
        outcomes.denominator,
        outcomes.baseline_period_key,
        outcomes.baseline_value,
        outcomes.baseline_quarter_value,
        outcomes.is_baseline_labelled_as_year,
        outcomes.change,
        outcomes.change_pct,
        outcomes.status,
        outcomes.lag_state,
        outcomes.lag_state_as_sent,
        outcomes.available_on,
        outcomes.rag_computed,
        outcomes.rag_declared,
        outcomes.aggregation,
        outcomes.load_id,
        outcomes.sheet,
        outcomes.line_number,
        outcomes.part_load_count
    from outcomes
    where outcomes.release_id = {{ newest_release() }}

)

select * from final
