-- Grain: one row per large street crime file and place that its lines name.
-- A file of millions of lines names some thousands of places: its rows of the fact hold a key in place of these columns.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with places as (

    select * from {{ ref('stg_street_crime_place') }}

),

months as (

    select * from {{ ref('int_load_month') }}

),

areas as (

    select * from {{ ref('dim_area') }}
    where area_type in ('district', 'unitary_authority', 'metropolitan_borough', 'london_borough')

),

authorities as materialized (

    {{ authorities_of_files() }}

),

final as (

    select
        places.load_id,
        places.place_key,
        places.longitude,
        places.latitude,
        places.location,
        places.lsoa_code,
        places.lsoa_name,
        authorities.area_code
    from places
    left join authorities
        on places.authority_name = authorities.area_name
        and places.load_id = any(authorities.load_ids)

)

select * from final
