-- Grain: one row per fund.
{{ config(unique_key='fund_code') }}

with funds as (

    select * from {{ ref('funds') }}

),

final as (

    select
        fund_code,
        fund_name,
        valid_from,
        valid_to
    from funds

)

select * from final
