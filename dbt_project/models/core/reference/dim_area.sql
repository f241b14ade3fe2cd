-- Grain: one row per area, with the areas of each level that it lies in: worked out here once, not for each reader.
{{ config(unique_key='area_code') }}

with recursive areas as (

    select * from {{ ref('areas') }}

),

-- Every area with itself and all it lies in.
lineage as (

    select
        areas.area_code as of_area,
        areas.area_code,
        areas.area_type,
        areas.parent_area_code
    from areas
    union all
    select
        lineage.of_area,
        areas.area_code,
        areas.area_type,
        areas.parent_area_code
    from lineage
    inner join areas on lineage.parent_area_code = areas.area_code

),

levels as (

    select
        of_area,
        min(area_code) filter (where area_type = 'district') as district_code,
        min(area_code) filter (
            where area_type in ('county', 'unitary_authority', 'metropolitan_borough', 'london_borough')
        ) as authority_code,
        min(area_code) filter (where area_type = 'police_force_area') as force_area_code,
        -- Inner and Outer London are regions within London: the wider one counts.
        max(area_code) filter (where area_type = 'region' and area_code not like 'E13%') as region_code,
        min(area_code) filter (where area_type = 'country') as nation_code
    from lineage
    group by of_area

),

placed as (

    select
        areas.*,
        levels.district_code,
        levels.authority_code,
        levels.force_area_code,
        levels.region_code,
        levels.nation_code
    from areas
    inner join levels on areas.area_code = levels.of_area

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
        valid_to,
        district_code,
        authority_code,
        force_area_code,
        region_code,
        nation_code
    from placed

)

select * from final
