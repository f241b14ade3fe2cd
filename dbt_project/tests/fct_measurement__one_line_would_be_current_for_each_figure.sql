-- The grain of mart.fct_measurement, tested on what would be current before anyone sees it. Of what stands already, only the
-- periods are looked at that a form and partner has again: all others were, when they came.
with measurements as (

    select * from {{ ref('fct_measurement') }}

),

candidates as (

    select
        candidates.*,
        {{ period_key('period_type', 'lower(period)', 'upper(period) - 1') }} as period_key
    from {{ ref('int_candidate_publication') }} as candidates

),

touched as materialized (

    select * from candidates
    where exists (
        select 1
        from candidates as new_candidates
        where new_candidates.is_new
            and new_candidates.form = candidates.form
            and new_candidates.partner_code = candidates.partner_code
            and new_candidates.period_key = candidates.period_key
    )

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
    inner join touched
        on measurements.load_id = touched.load_id
        and measurements.period_type = touched.period_type
        and daterange(measurements.period_start, measurements.period_end, '[]') = touched.period
    where measurements.load_id = any(array(select touched.load_id from touched))
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
