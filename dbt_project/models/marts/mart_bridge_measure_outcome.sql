-- Grain: one row per measure, outcome and first day.
{{ config(alias='bridge_measure_outcome') }}

with links as (

    select * from {{ ref('bridge_measure_outcome') }}

),

final as (

    select
        {{ promised_columns('links') }}
    from links

)

select * from final
