-- Grain: one row per priority and financial quarter, as of the newest release.
{{ config(alias='fct_priority') }}

with priorities as (

    select * from {{ ref('fct_priority_current') }}

),

final as (

    select
        {{ promised_columns('priorities') }}
    from priorities

)

select * from final
