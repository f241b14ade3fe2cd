-- Grain: one row per priority of a plan.
{{ config(alias='dim_priority') }}

with priorities as (

    select * from {{ ref('dim_priority') }}

),

final as (

    select
        {{ promised_columns('priorities') }}
    from priorities

)

select * from final
