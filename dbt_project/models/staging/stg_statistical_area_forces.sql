-- Grain: one row per line of a list of statistical areas. Renames only; what builds a table of it names the loads.
with lines as (

    select * from {{ source('typed', 'statistical_area_forces') }}

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        lines.lsoa_code,
        lines.lsoa_name,
        lines.msoa_code,
        lines.msoa_name,
        lines.authority_code,
        lines.authority_name,
        lines.region_code,
        lines.region_name,
        lines.police_force as force_name
    from lines
    where {{ not_quarantined('lines') }}

)

select * from final
