-- Grain: one row per priority of a plan.
{{ config(unique_key='priority_code') }}

with priorities as (

    select * from {{ ref('priorities') }}

),

plans as (

    select * from {{ ref('plans') }}

),

final as (

    select
        priorities.priority_code,
        priorities.plan_code,
        priorities.priority_slug,
        priorities.priority_name,
        priorities.priority_order,
        plans.valid_from,
        plans.valid_to
    from priorities
    inner join plans on priorities.plan_code = plans.plan_code

)

select * from final
