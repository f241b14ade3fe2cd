-- Grain: one row per line of an admitted workbook of disposals, printed totals included.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with lines as (

    select * from {{ ref('stg_yjb_disposals') }}
    where load_id in ({{ loads_to_take('yjb_disposals') }})

),

areas as (

    select * from {{ ref('dim_area') }}

),

-- The nation's sheet repeats the regions, and a region's sheet has its own block before those of its teams.
levelled as (

    select
        *,
        case
            when region_name = 'National' and area_name = region_name then 'nation'
            when region_name = 'National' or area_name = region_name then 'region'
            else 'team'
        end as area_level
    from lines

),

-- A team is called like the authority that it serves; several have one team in some places, and then there is no such area.
places as (

    select
        area_code,
        area_name,
        case when area_type in ('region', 'country') then 'region' else 'team' end as area_level,
        valid_from,
        valid_to
    from areas
    where area_type in ('region', 'country', 'county', 'unitary_authority', 'metropolitan_borough', 'london_borough')

),

final as (

    select
        lines.load_id,
        lines.sheet,
        lines.line_number,
        lines.partner_code,
        lines.period_key,
        lines.period_start,
        lines.period_end,
        lines.area_level,
        lines.region_name,
        lines.area_name,
        places.area_code,
        lines.disposal_group,
        -- What stands without a disposal beside a sub-heading is nought in all we have seen; else it is of the group.
        coalesce(lines.disposal, lines.disposal_group) as disposal,
        case
            when lines.disposal_group = 'TOTAL' then 'total'
            when lines.area_level <> 'team' then 'sum'
            when coalesce(lines.disposal, lines.disposal_group) = lines.disposal_group and coalesce(lines.disposal_count, 0) = 0 then 'empty'
            else 'disposal'
        end as line_kind,
        lines.disposal_count,
        lines.disposal_count_flag,
        lines.age_10_14_count,
        lines.age_10_14_count_flag,
        lines.age_15_count,
        lines.age_15_count_flag,
        lines.age_16_count,
        lines.age_16_count_flag,
        lines.age_17_plus_count,
        lines.age_17_plus_count_flag,
        lines.female_count,
        lines.female_count_flag,
        lines.male_count,
        lines.male_count_flag,
        lines.gender_not_known_count,
        lines.gender_not_known_count_flag,
        lines.white_count,
        lines.white_count_flag,
        lines.mixed_count,
        lines.mixed_count_flag,
        lines.asian_count,
        lines.asian_count_flag,
        lines.black_count,
        lines.black_count_flag,
        lines.chinese_or_other_count,
        lines.chinese_or_other_count_flag,
        lines.ethnicity_not_known_count,
        lines.ethnicity_not_known_count_flag
    from levelled as lines
    left join places
        on lines.area_name = places.area_name
        and lines.area_level = places.area_level
        and lines.period_end between places.valid_from and coalesce(places.valid_to, 'infinity')

)

select * from final
