-- Grain: one row per form, partner, measure, breakdown, area, period and status, as published now.
{{ config(alias='fct_measurement') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where is_current

),

measures as (

    select * from {{ ref('dim_measure') }}

),

figures as (

    {{ with_figures('measurements') }}

),

final as (

    select
        {{ promised_columns('figures', renamed={'value': 'figure'}) }}
    from figures
    inner join publications
        on figures.load_id = publications.load_id
        and figures.period_key = publications.period_key

)

select * from final
