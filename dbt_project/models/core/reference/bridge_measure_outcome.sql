-- Grain: one row per measure, outcome and first day on which the measure speaks for the outcome.
{{ config(unique_key=['measure_code', 'outcome_code', 'valid_from']) }}

with measure_outcomes as (

    select * from {{ ref('measure_outcomes') }}

),

final as (

    select
        measure_code,
        outcome_code,
        valid_from,
        valid_to
    from measure_outcomes

)

select * from final
