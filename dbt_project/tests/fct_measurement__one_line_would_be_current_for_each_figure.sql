-- The grain of mart.fct_measurement, tested on what would be current before anyone sees it.
with measurements as (

    select * from {{ ref('fct_measurement') }}

),

candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

final as (

    select
        measurements.form,
        measurements.partner_code,
        measurements.measure_code,
        measurements.breakdown_code,
        measurements.area_code,
        measurements.period_key,
        measurements.status,
        count(*) as line_count
    from measurements
    inner join candidates
        on measurements.load_id = candidates.load_id
        and measurements.period_type = candidates.period_type
        and daterange(measurements.period_start, measurements.period_end, '[]') = candidates.period
    group by
        measurements.form,
        measurements.partner_code,
        measurements.measure_code,
        measurements.breakdown_code,
        measurements.area_code,
        measurements.period_key,
        measurements.status
    having count(*) > 1

)

select * from final
