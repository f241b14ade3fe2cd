-- Grain: one row per fund.
{{ config(alias='dim_fund') }}

with funds as (

    select * from {{ ref('dim_fund') }}

),

final as (

    select
        funds.fund_code,
        funds.fund_name,
        funds.valid_from,
        funds.valid_to
    from funds

)

select * from final
