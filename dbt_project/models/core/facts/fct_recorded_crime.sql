-- Grain: one row per line of a street crime file: load and line. Its quarter by area and type is a count of rows.
-- Of millions of rows a file: what is alike in all lines of a file, its partner and month, is in the ledger and comes back
-- in the views. The quarter alone is written, as it leads readers past the tables of other releases. What is asked of lines stands
-- first: to find a column, those before it have to be passed. So does the key of the place: the planner leaves out the join of
-- places that nobody asks for, but goes on to read what it would have joined by. Nothing is known yet of how many lines a fresh
-- load has; taken for few, they would be sorted, or looked up one by one in what they are joined to. Neither keys nor a btree are
-- kept up row by row for a large release, and one sort in memory makes the index; tests of the release hold what keys would. Where
-- the places of a large file have keys, its rows have nothing of a place but the key and the area, which is asked of lines more
-- than all else. One process writes: handed from helpers to it, rows cost more of a processor than the helpers take off.
{{ config(
    incremental_strategy='replace_loads',
    unique_key='load_id',
    pre_hook="set local enable_mergejoin = off; set local enable_nestloop = off; set local jit = off; set local max_parallel_workers_per_gather = 0; set local max_parallel_maintenance_workers = 0; set local maintenance_work_mem = '256MB'",
    post_hook="{{ finish_table_of_release() }}",
    meta={'form': 'street_crime'},
    indexes=[{'columns': ['load_id']}],
) }}

with crimes as (

    select * from {{ ref('stg_street_crime') }}

),

placed as (

    select * from {{ ref('stg_street_crime_placed') }}

),

places as (

    select * from {{ ref('dim_crime_place') }}

),

months as (

    select * from {{ ref('int_load_month') }}

),

areas as (

    select * from {{ ref('dim_area') }}
    where area_type in ('district', 'unitary_authority', 'metropolitan_borough', 'london_borough')

),

-- Those that there were in the month of each file.
authorities as materialized (

    {{ authorities_of_files() }}

),

final as (

    select
        crimes.load_id,
        crimes.line_number,
        {{ quarter_of_load('street_crime', 'crimes.load_id') }} as period_key,
        null::bigint as place_key,
        crimes.crime_id,
        crimes.crime_type,
        authorities.area_code,
        crimes.last_outcome,
        crimes.sheet,
        crimes.reported_by,
        crimes.falls_within,
        crimes.longitude,
        crimes.latitude,
        crimes.location,
        crimes.lsoa_code,
        crimes.lsoa_name
    from crimes
    left join authorities
        on crimes.authority_name = authorities.area_name
        and crimes.load_id = any(authorities.load_ids)

    union all

    select
        placed.load_id,
        placed.line_number,
        {{ quarter_of_load('street_crime', 'placed.load_id') }} as period_key,
        placed.place_key,
        placed.crime_id,
        placed.crime_type,
        places.area_code,
        placed.last_outcome,
        placed.sheet,
        placed.reported_by,
        placed.falls_within,
        null as longitude,
        null as latitude,
        null as location,
        null as lsoa_code,
        null as lsoa_name
    from placed
    left join places
        on placed.load_id = places.load_id
        and placed.place_key = places.place_key

)

select * from final
