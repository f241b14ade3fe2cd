-- Grain: one row per priority of a plan.
{{ config(alias='dim_priority') }}

with priorities as (

    select * from {{ ref('dim_priority') }}

),

final as (

    select
        priorities.priority_code,
        priorities.plan_code,
        priorities.priority_slug,
        priorities.priority_name,
        priorities.priority_order,
        priorities.valid_from,
        priorities.valid_to
    from priorities

)

select * from final
