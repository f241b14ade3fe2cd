-- Grain: one row per line of an admitted street crime file in the release being built whose places have no keys. Lines alike in all are
-- different incidents.
-- Whose file it is and of which month, the ledger says once for all of its lines.
with lines as (

    {{ typed_lines('street_crime', loads_of_crimes()) }}

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        lines.crime_id,
        lines.crime_type,
        -- 'Stafford 001A' is in Stafford: without a look at the number, which costs more than all else about a line's area.
        left(lines.lsoa_name, -5) as authority_name,
        lines.reported_by,
        lines.falls_within,
        lines.longitude,
        lines.latitude,
        lines.location,
        lines.lsoa_code,
        lines.lsoa_name,
        lines.last_outcome
    from lines

)

select * from final
