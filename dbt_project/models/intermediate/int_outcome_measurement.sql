-- Grain: one row per outcome measure, area and period as sent, of what would be current. Plans and targets are no results.
with measurements as (

    select * from {{ ref('fct_measurement') }}

),

candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

outcome_measures as (

    select distinct measure_code from {{ ref('bridge_measure_outcome') }}

),

current_lines as (

    select
        measurements.*,
        candidates.issued_on,
        -- Two partners may both report a measure for an area; the one that issued last speaks for it.
        row_number() over (
            partition by measurements.measure_code, measurements.area_code, measurements.period_key
            order by candidates.issued_on desc, measurements.load_id desc, measurements.line_number desc
        ) as recency
    from measurements
    inner join candidates
        on measurements.load_id = candidates.load_id
        and measurements.period_type = candidates.period_type
        and daterange(measurements.period_start, measurements.period_end, '[]') = candidates.period
    -- An array, so that the index leads to these lines past all others.
    where measurements.measure_code = any(array(select outcome_measures.measure_code from outcome_measures))
        and measurements.breakdown_code = 'all'
        and measurements.status not in ('target', 'plan')

),

final as (

    select
        form,
        measure_code,
        area_code,
        period_type,
        period_start,
        period_end,
        value,
        value_qualifier,
        value_flag,
        numerator,
        denominator,
        status,
        declared_rag,
        issued_on,
        load_id,
        sheet,
        line_number
    from current_lines
    where recency = 1

)

select * from final
