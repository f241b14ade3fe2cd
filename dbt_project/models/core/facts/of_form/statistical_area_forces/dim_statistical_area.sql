-- Grain: one row per load and statistical area.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with lines as (

    select * from {{ ref('stg_statistical_area_forces') }}
    where load_id in ({{ loads_to_take('statistical_area_forces') }})

),

areas as (

    select * from {{ ref('dim_area') }}

),

final as (

    select
        lines.load_id,
        lines.sheet,
        lines.line_number,
        lines.lsoa_code,
        lines.lsoa_name,
        lines.msoa_code,
        lines.msoa_name,
        lines.authority_code,
        lines.authority_name,
        areas.area_code,
        lines.region_code,
        lines.region_name,
        lines.force_name
    from lines
    left join areas on lines.authority_code = areas.ons_code

)

select * from final
