-- Grain: one row per outcome measure, area and financial year, as of the newest release.
{{ config(alias='fct_outcome_year') }}

with outcome_years as (

    select * from {{ ref('fct_outcome_year') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

final as (

    select
        {{ promised_columns('outcome_years', worked_out=figure_columns('outcome_years')) }}
    from outcome_years
    where outcome_years.release_id = {{ newest_release() }}

)

select * from final
