-- Grain: one row per priority and financial quarter, as of the newest release.
{{ config(alias='fct_priority') }}

with priorities as (

    select * from {{ ref('fct_priority') }}

),

final as (

    select
        {{ promised_columns('priorities') }}
    from priorities
    where priorities.release_id = {{ newest_release() }}

)

select * from final
