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

final as (

    select
        measurements.load_id,
        measurements.sheet,
        measurements.line_number,
        measurements.column_number,
        measurements.column_name,
        measurements.form,
        measurements.partner_code,
        measurements.measure_code,
        measurements.breakdown_code,
        measurements.area_code,
        measurements.period_key,
        measurements.period_type,
        measurements.period_start,
        measurements.period_end,
        measurements.value,
        measurements.value_qualifier,
        measurements.value_flag,
        measurements.value_as_sent,
        measurements.numerator,
        measurements.denominator,
        measurements.status,
        measurements.declared_rag,
        measurements.note
    from measurements
    inner join publications
        on measurements.load_id = publications.load_id
        and measurements.period_type = publications.period_type
        and daterange(measurements.period_start, measurements.period_end, '[]') = publications.period

)

select * from final
