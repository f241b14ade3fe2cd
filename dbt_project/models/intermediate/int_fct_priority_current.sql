-- Grain: one row per priority and financial quarter, as of the newest release.
-- What fct_priority_current keeps; the marts of the past ask this itself.
{{ config(materialized='view') }}

with priorities as (

    select * from {{ ref('fct_priority') }}

),

final as (

    select priorities.*
    from priorities
    where priorities.release_id = {{ newest_release() }}

)

select * from final
