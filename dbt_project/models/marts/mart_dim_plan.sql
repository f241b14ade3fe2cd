-- Grain: one row per police and crime plan.
{{ config(alias='dim_plan') }}

with plans as (

    select * from {{ ref('dim_plan') }}

),

final as (

    select
        plans.plan_code,
        plans.plan_name,
        plans.valid_from,
        plans.valid_to
    from plans

)

select * from final
