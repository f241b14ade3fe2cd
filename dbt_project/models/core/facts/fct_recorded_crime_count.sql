-- Grain: one row per street crime file, type of crime, area and newest outcome: how many of its lines there are.
-- Who asks for quarters, areas or types over all history adds up some thousand rows a file in place of its millions. The rows are
-- a load's, so that the ledger publishes, supersedes and withdraws them with its lines. What is added up stands before the texts,
-- which differ in length and would have to be passed to find it.
{{ config(
    incremental_strategy='replace_loads',
    unique_key='load_id',
    pre_hook="set local enable_mergejoin = off; set local enable_nestloop = off; set local jit = off",
    indexes=[{'columns': ['load_id']}],
) }}

with crimes as (

    select * from {{ ref('fct_recorded_crime') }}
    where load_id in ({{ loads_to_take('street_crime') }})

),

final as (

    select
        load_id,
        count(*) as crime_count,
        crime_type,
        area_code,
        last_outcome
    from crimes
    group by load_id, crime_type, area_code, last_outcome
    -- Who asks for a load's rows finds them side by side.
    order by load_id

)

select * from final
