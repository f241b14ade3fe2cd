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

final as (

    select
        {{ promised_columns('outcome_years', but=['known_from', 'known_to'], worked_out=figure_columns('outcome_years')) }},
        releases.known_from,
        releases.known_to
    from outcome_years
    inner join releases on outcome_years.release_id = releases.release_id

)

select * from final
