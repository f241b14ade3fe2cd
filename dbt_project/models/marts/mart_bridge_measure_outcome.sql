-- Grain: one row per measure, outcome and first day.
{{ config(alias='bridge_measure_outcome') }}

with links as (

    select * from {{ ref('bridge_measure_outcome') }}

),

final as (

    select
        links.measure_code,
        links.outcome_code,
        links.valid_from,
        links.valid_to
    from links

)

select * from final
