-- Grain: one row per number of an admitted return: load, sheet, line and column, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_measurement') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

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
        measurements.note,
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from measurements
    inner join publications
        on measurements.load_id = publications.load_id
        and measurements.period_type = publications.period_type
        and daterange(measurements.period_start, measurements.period_end, '[]') = publications.period

)

select * from final
