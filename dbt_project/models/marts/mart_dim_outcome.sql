-- Grain: one row per outcome of a priority.
{{ config(alias='dim_outcome') }}

with outcomes as (

    select * from {{ ref('dim_outcome') }}

),

final as (

    select
        outcomes.outcome_code,
        outcomes.priority_code,
        outcomes.outcome_order,
        outcomes.outcome_type,
        outcomes.outcome_label
    from outcomes

)

select * from final
