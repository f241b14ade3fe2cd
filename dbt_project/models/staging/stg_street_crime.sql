-- Grain: one row per line of an admitted street crime file in the release being built. Lines alike in all are different incidents.
with lines as (

    select * from {{ source('typed', 'street_crime') }}
    where {{ in_release() }}

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        loads.partner_code,
        lines.crime_id,
        lines.crime_type,
        -- 'Stafford 001A' is in Stafford. No regular expression: there are millions of lines.
        case
            when right(lines.lsoa_name, 4) collate "C" between '000A' and '999Z' then left(lines.lsoa_name, -5)
            else lines.lsoa_name
        end as authority_name,
        lines.month,
        lines.reported_by,
        lines.falls_within,
        lines.longitude,
        lines.latitude,
        lines.location,
        lines.lsoa_code,
        lines.lsoa_name,
        lines.last_outcome
    from lines
    inner join loads on lines.load_id = loads.load_id
    where {{ not_quarantined('lines') }}

)

select * from final
