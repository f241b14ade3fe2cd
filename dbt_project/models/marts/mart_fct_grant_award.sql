-- Grain: one row per fund, financial year, round and status, as published now.
{{ config(alias='fct_grant_award') }}

with grant_awards as (

    select * from {{ ref('fct_grant_award') }}

),

final as (

    select
        {{ promised_columns('grant_awards') }}
    from grant_awards
    where {{ is_published('grant_awards') }}

)

select * from final
