-- Grain: one row per release, outcome measure, area and financial year, of every published release, with when it was known.
{{ config(alias='fct_outcome_year') }}

with outcome_years as (

    select * from {{ ref('fct_outcome_year') }}

),

releases as (

    {{ published_releases() }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

figures as (

    {{ with_figures('outcome_years') }}

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
