-- Grain: one row per measure, with the first and last day of which a figure of it is published.
{{ config(alias='dim_measure') }}

with measures as (

    select * from {{ ref('dim_measure') }}

),

measurements as (

    select * from {{ ref('mart_fct_measurement') }}

),

spans as (

    select
        measure_code,
        min(period_start) as first_day,
        max(period_end) as last_day
    from measurements
    where value is not null
        and status not in ('target', 'plan')
    group by measure_code

),

described as (

    select
        measures.*,
        spans.first_day,
        spans.last_day
    from measures
    left join spans on measures.measure_code = spans.measure_code

),

final as (

    select
        {{ promised_columns('described') }}
    from described

)

select * from final
