-- Grain: one row per line of an admitted street crime file in the release being built whose places have keys. Every cell was seen to be
-- plainly written, so a text is as it was sent. The offset keeps the key, once worked out, from being worked out again for each
-- place in which it is asked.
with lines as (

    select * from {{ typed_beside('street_crime', 'sent') }}
    where load_id in ({{ loads_of_crimes().placed }})

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        lines.crime_id,
        lines.crime_type,
        lines.reported_by,
        lines.falls_within,
        lines.last_outcome,
        {{ place_key('lines.{}') }} as place_key
    from lines
    offset 0

)

select * from final
