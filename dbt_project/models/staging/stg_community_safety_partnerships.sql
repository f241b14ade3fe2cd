-- Grain: one row per line of a list of community safety partnerships. Renames only; what builds a table of it names the loads.
with lines as (

    select * from {{ source('typed', 'community_safety_partnerships') }}

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        lines.district_code,
        lines.district_name,
        lines.partnership_code,
        lines.partnership_name,
        lines.force_code,
        lines.force_name,
        lines.list_number::integer as list_number
    from lines
    where {{ not_quarantined('lines') }}

)

select * from final
