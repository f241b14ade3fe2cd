-- Grain: one row per outcome measure, area and financial quarter, as of the newest release.
-- What fct_outcome_current keeps; the marts of the past ask this itself.
{{ config(materialized='view') }}

with outcomes as (

    select * from {{ ref('fct_outcome') }}

),

final as (

    select outcomes.*
    from outcomes
    where outcomes.release_id = {{ newest_release() }}

)

select * from final
