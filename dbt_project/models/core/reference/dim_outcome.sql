-- Grain: one row per outcome of a priority.
{{ config(unique_key='outcome_code') }}

with outcomes as (

    select * from {{ ref('outcomes') }}

),

final as (

    select
        outcome_code,
        priority_code,
        outcome_order,
        outcome_type,
        outcome_label
    from outcomes

)

select * from final
