-- Grain: one row per line of a street crime file: load and line. Its quarter by area and type is a count of rows.
{{ config(unique_key='load_id', indexes=[{'columns': ['period_start', 'area_code']}]) }}

with crimes as (

    select * from {{ ref('stg_street_crime') }}

),

authorities as (

    select * from {{ ref('dim_area') }}
    where area_type in ('district', 'unitary_authority', 'metropolitan_borough', 'london_borough')

),

final as (

    select
        crimes.load_id,
        crimes.sheet,
        crimes.line_number,
        crimes.partner_code,
        crimes.crime_id,
        crimes.crime_type,
        authorities.area_code,
        {{ financial_quarter_key('crimes.month_start') }} as period_key,
        crimes.month_start as period_start,
        (crimes.month_start + interval '1 month' - interval '1 day')::date as period_end,
        crimes.reported_by,
        crimes.falls_within,
        crimes.longitude,
        crimes.latitude,
        crimes.location,
        crimes.lsoa_code,
        crimes.lsoa_name,
        crimes.last_outcome
    from crimes
    left join authorities
        on crimes.authority_name = authorities.area_name
        and crimes.month_start between authorities.valid_from and coalesce(authorities.valid_to, 'infinity')

)

select * from final
