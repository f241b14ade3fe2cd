-- Grain: one row per form, partner, measure, breakdown, area, period and status, as published now.
{{ config(alias='fct_measurement') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where upper_inf(known)
        and upper_inf(issued)

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
        and figures.period_type = publications.period_type
        and daterange(figures.period_start, figures.period_end, '[]') = publications.period

)

select * from final
