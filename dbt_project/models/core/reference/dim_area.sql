-- Grain: one row per area.
{{ config(unique_key='area_code') }}

with areas as (

    select * from {{ ref('areas') }}

),

final as (

    select
        area_code,
        ons_code,
        area_name,
        area_type,
        parent_area_code,
        rolls_up_to,
        valid_from,
        valid_to
    from areas

)

select * from final
