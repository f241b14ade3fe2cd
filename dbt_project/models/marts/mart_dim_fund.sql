-- Grain: one row per fund.
{{ config(alias='dim_fund') }}

with funds as (

    select * from {{ ref('dim_fund') }}

),

final as (

    select
        {{ promised_columns('funds') }}
    from funds

)

select * from final
