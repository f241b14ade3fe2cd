-- Grain: one row per release, outcome measure, area and financial quarter, of every published release, with when it was known.
{{ config(alias='fct_outcome') }}

with outcomes as (

    select * from {{ ref('fct_outcome') }}

),

releases as (

    {{ published_releases() }}

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
        outcomes.part_load_count,
        releases.known_from,
        releases.known_to
    from outcomes
    inner join releases on outcomes.release_id = releases.release_id

)

select * from final
