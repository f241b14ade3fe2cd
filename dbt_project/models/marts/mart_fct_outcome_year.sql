-- Grain: one row per outcome measure, area and financial year, as of the newest release.
{{ config(alias='fct_outcome_year') }}

with outcome_years as (

    select * from {{ ref('fct_outcome_year') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

figures as (

    {{ with_figures('outcome_years') }}

),

final as (

    select
        {{ promised_columns('figures', renamed={'value': 'figure'}) }}
    from figures
    where figures.release_id = {{ newest_release() }}

)

select * from final
