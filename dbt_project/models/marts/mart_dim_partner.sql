-- Grain: one row per partner that sends returns.
{{ config(alias='dim_partner') }}

with partners as (

    select * from {{ ref('dim_partner') }}

),

final as (

    select
        {{ promised_columns('partners') }}
    from partners

)

select * from final
