-- Grain: one row per police and crime plan.
{{ config(unique_key='plan_code') }}

with plans as (

    select * from {{ ref('plans') }}

),

final as (

    select
        plan_code,
        plan_name,
        valid_from,
        valid_to
    from plans

)

select * from final
