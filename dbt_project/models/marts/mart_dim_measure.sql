-- Grain: one row per measure, with the first and last day of which a figure of it is published.
{{ config(alias='dim_measure') }}

with measures as (

    select * from {{ ref('dim_measure') }}

),

covered as (

    select * from {{ ref('fct_measurement_period') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}
    where is_current

),

spans as (

    select
        covered.measure_code,
        min(covered.period_start) as first_day,
        max(covered.period_end) as last_day
    from covered
    inner join publications
        on covered.load_id = publications.load_id
        and covered.period_type = publications.period_type
        and covered.period_start = publications.period_start
        and covered.period_end = publications.period_end
    group by covered.measure_code

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
