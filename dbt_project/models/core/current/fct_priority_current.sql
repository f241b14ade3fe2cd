-- Grain: one row per priority and financial quarter, as of the newest release.
-- Kept as fct_outcome_current is, and for the same reason.
{{ config(unique_key='release_id') }}

with priorities as (

    select * from {{ ref('int_fct_priority_current') }}

),

final as (

    select
        {{ promised_columns('priorities') }}
    from priorities
    order by priorities.period_key

)

select * from final
