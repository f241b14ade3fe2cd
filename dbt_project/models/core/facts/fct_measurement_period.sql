-- Grain: one row per load, measure and period of which the load gives a figure that is no target: what is covered.
-- Who asks from when to when a measure is known reads some rows a load in place of its figures. The rows are a load's, so that the
-- ledger publishes, supersedes and withdraws them with its figures.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}
    where load_id in ({{ loads_to_take(fact=ref('fct_measurement')) }})

),

final as (

    select distinct
        load_id,
        measure_code,
        period_type,
        period_start,
        period_end
    from measurements
    where value is not null
        and status not in ('target', 'plan')

)

select * from final
