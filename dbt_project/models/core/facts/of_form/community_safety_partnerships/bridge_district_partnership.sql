-- Grain: one row per load and local authority district.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with lines as (

    select * from {{ ref('stg_community_safety_partnerships') }}
    where load_id in ({{ loads_to_take('community_safety_partnerships') }})

),

areas as (

    select * from {{ ref('dim_area') }}

),

forces as (

    select * from {{ ref('dim_area') }}

),

final as (

    select
        lines.load_id,
        lines.sheet,
        lines.line_number,
        lines.district_code,
        lines.district_name,
        areas.area_code,
        lines.partnership_code,
        lines.partnership_name,
        lines.force_code,
        lines.force_name,
        forces.area_code as force_area_code,
        lines.list_number
    from lines
    left join areas on lines.district_code = areas.ons_code
    left join forces on lines.force_code = forces.ons_code

)

select * from final
