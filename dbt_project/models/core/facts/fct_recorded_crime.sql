-- Grain: one row per line of a street crime file: load and line. Its quarter by area and type is a count of rows.
-- Of millions of rows a file: neither keys nor a btree are kept up row by row; tests of the release hold what keys would.
-- Nothing is known yet of how many lines a fresh load has; taken for few, they would be sorted to be joined to months.
{{ config(
    incremental_strategy='replace_loads',
    unique_key='load_id',
    pre_hook="set local enable_mergejoin = off",
    indexes=[{'columns': ['load_id', 'line_number', 'period_start'], 'type': 'brin'}],
) }}

with crimes as (

    select * from {{ ref('stg_street_crime') }}

),

authorities as (

    select * from {{ ref('dim_area') }}
    where area_type in ('district', 'unitary_authority', 'metropolitan_borough', 'london_borough')

),

-- Every month that the form takes, so that its dates are worked out once and not for each line.
months as materialized (

    select
        to_char(first_day, 'YYYY-MM') as month,
        first_day::date as period_start,
        (first_day + interval '1 month' - interval '1 day')::date as period_end,
        {{ financial_quarter_key('first_day') }} as period_key
    from generate_series(timestamp '2000-01-01', timestamp '2099-12-01', interval '1 month') as series (first_day)

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
        months.period_key,
        months.period_start,
        months.period_end,
        crimes.reported_by,
        crimes.falls_within,
        crimes.longitude,
        crimes.latitude,
        crimes.location,
        crimes.lsoa_code,
        crimes.lsoa_name,
        crimes.last_outcome
    from crimes
    left join months on crimes.month = months.month
    left join authorities
        on crimes.authority_name = authorities.area_name
        and months.period_start between authorities.valid_from and coalesce(authorities.valid_to, 'infinity')

)

select * from final
