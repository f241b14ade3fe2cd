-- Grain: one row per line of a street crime file: load and line. Its quarter by area and type is a count of rows.
-- Of millions of rows a file: what is alike in all lines of a file, its partner and month, is in the ledger and comes back
-- in the views. Nothing is known yet of how many lines a fresh load has; taken for few, they would be sorted, or looked up one
-- by one in what they are joined to. Neither keys nor a btree are kept up row by row for a large release; tests of the release
-- hold what keys would. Where the places of a large file have keys, its rows have nothing of a place but the key.
{{ config(
    incremental_strategy='replace_loads',
    unique_key='load_id',
    pre_hook="set local enable_mergejoin = off; set local enable_nestloop = off; set local jit = off",
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
        crimes.sheet,
        crimes.line_number,
        crimes.crime_id,
        crimes.crime_type,
        authorities.area_code,
        crimes.reported_by,
        crimes.falls_within,
        crimes.longitude,
        crimes.latitude,
        crimes.location,
        crimes.lsoa_code,
        crimes.lsoa_name,
        crimes.last_outcome,
        null::bigint as place_key
    from crimes
    left join authorities
        on crimes.authority_name = authorities.area_name
        and crimes.load_id = any(authorities.load_ids)

    union all

    select
        placed.load_id,
        placed.sheet,
        placed.line_number,
        placed.crime_id,
        placed.crime_type,
        null as area_code,
        placed.reported_by,
        placed.falls_within,
        null as longitude,
        null as latitude,
        null as location,
        null as lsoa_code,
        null as lsoa_name,
        placed.last_outcome,
        placed.place_key
    from placed

)

select * from final
