-- Grain: one row per release, outcome measure, area and financial quarter, of every published release, with when it was known.
{{ config(alias='fct_outcome') }}

with outcomes as (

    select * from {{ ref('fct_outcome') }}

),

releases as (

    {{ published_releases() }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

final as (

    select
        {{ promised_columns('outcomes', but=['known_from', 'known_to'], worked_out=figure_columns('outcomes')) }},
        releases.known_from,
        releases.known_to
    from outcomes
    inner join releases on outcomes.release_id = releases.release_id

)

select * from final
