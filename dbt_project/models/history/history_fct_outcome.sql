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

figures as (

    {{ with_figures('outcomes') }}

),

final as (

    select
        {{ promised_columns('figures', but=['known_from', 'known_to'], renamed={'value': 'figure'}) }},
        releases.known_from,
        releases.known_to
    from figures
    inner join releases on figures.release_id = releases.release_id

)

select * from final
