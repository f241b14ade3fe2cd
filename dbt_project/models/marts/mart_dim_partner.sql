-- Grain: one row per partner that sends returns.
{{ config(alias='dim_partner') }}

with partners as (

    select * from {{ ref('dim_partner') }}

),

final as (

    select
        partners.partner_code,
        partners.partner_name,
        partners.partner_type
    from partners

)

select * from final
