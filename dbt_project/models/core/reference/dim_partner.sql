-- Grain: one row per partner that sends returns.
{{ config(unique_key='partner_code') }}

with partners as (

    select * from {{ source('ledger', 'partner') }}

),

final as (

    select
        partner_code,
        partner_name,
        partner_type
    from partners

)

select * from final
