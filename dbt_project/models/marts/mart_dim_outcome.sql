-- Grain: one row per outcome of a priority.
{{ config(alias='dim_outcome') }}

with outcomes as (

    select * from {{ ref('dim_outcome') }}

),

final as (

    select
        {{ promised_columns('outcomes') }}
    from outcomes

)

select * from final
