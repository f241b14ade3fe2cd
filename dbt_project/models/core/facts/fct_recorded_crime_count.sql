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

places as (

    select * from {{ ref('dim_crime_place') }}
    where load_id in ({{ loads_to_take('street_crime') }})

),

-- Of the lines of a place one number is left before its area is looked up.
counted as (

    select
        load_id,
        crime_type,
        last_outcome,
        area_code,
        place_key,
        count(*) as crime_count
    from crimes
    group by load_id, crime_type, last_outcome, area_code, place_key

),

final as (

    select
        counted.load_id,
        sum(counted.crime_count)::bigint as crime_count,
        counted.crime_type,
        coalesce(counted.area_code, places.area_code) as area_code,
        counted.last_outcome
    from counted
    left join places
        on counted.load_id = places.load_id
        and counted.place_key = places.place_key
    group by counted.load_id, counted.crime_type, coalesce(counted.area_code, places.area_code), counted.last_outcome
    -- Who asks for a load's rows finds them side by side.
    order by counted.load_id

)

select * from final
