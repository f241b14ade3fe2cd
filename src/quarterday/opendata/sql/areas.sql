-- Grain: one row per area.
select
    areas.area_code,
    areas.ons_code,
    areas.area_name,
    areas.area_type,
    areas.parent_area_code,
    areas.rolls_up_to,
    areas.valid_from,
    areas.valid_to
from mart.dim_area as areas
