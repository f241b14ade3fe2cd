-- Grain: one row per police and crime plan.
{{ config(alias='dim_plan') }}

with plans as (

    select * from {{ ref('dim_plan') }}

),

final as (

    select
        {{ promised_columns('plans') }}
    from plans

)

select * from final
