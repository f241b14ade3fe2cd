-- Grain: one row per area.
{{ config(alias='dim_area') }}

with areas as (

    select * from {{ ref('dim_area') }}

),

final as (

    select
        areas.area_code,
        areas.ons_code,
        areas.area_name,
        areas.area_type,
        areas.parent_area_code,
        areas.rolls_up_to,
        areas.valid_from,
        areas.valid_to
    from areas

)

select * from final
