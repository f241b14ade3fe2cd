-- Grain: one row per form, partner, measure, breakdown, area, period and status, as published now.
-- Kept, so that who asks for a figure or two plans one relation, and passes over no superseded row: the publishing transaction
-- changes the rows of the loads that it publishes, supersedes or takes back (ledger.renew_current), and no release builds
-- anything here. It is asked for a measure over all periods of an area, and for a period's measures.
{{ config(
    unique_key='load_id',
    indexes=[
        {'columns': ['load_id']},
        {'columns': ['measure_code', 'breakdown_code', 'area_code', 'period_start']},
        {'columns': ['period_key', 'measure_code', 'breakdown_code']},
    ],
) }}

with measurements as (

    select * from {{ ref('int_fct_measurement_current') }}

),

final as (

    select
        {{ promised_columns('measurements') }}
    from measurements
    -- Who asks for a quarter's rows finds them side by side.
    order by measurements.period_key, measurements.load_id

)

select * from final
