-- Grain: one row per period.
{{ config(alias='dim_period') }}

with periods as (

    select * from {{ ref('dim_period') }}

),

final as (

    select
        {{ promised_columns('periods') }}
    from periods

)

select * from final
