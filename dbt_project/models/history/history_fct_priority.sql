-- Grain: one row per release, priority and financial quarter, of every published release, with when it was known.
{{ config(alias='fct_priority') }}

with priorities as (

    select * from {{ ref('fct_priority') }}

),

releases as (

    {{ published_releases() }}

),

final as (

    select
        {{ promised_columns('priorities', but=['known_from', 'known_to']) }},
        releases.known_from,
        releases.known_to
    from priorities
    inner join releases on priorities.release_id = releases.release_id

)

select * from final
