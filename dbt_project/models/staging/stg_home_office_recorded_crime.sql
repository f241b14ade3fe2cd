-- Grain: one row per line of an admitted recorded crime file in the release being built. Renames only.
with lines as (

    select * from {{ source('typed', 'home_office_recorded_crime') }}
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
        lines.force_name,
        replace(lines.financial_year, '/', '-') || '-Q' || lines.financial_quarter as period_key,
        lines.offence_code,
        lines.offence_description,
        lines.offence_subgroup,
        lines.offence_group,
        lines.offences as offence_count
    from lines
    inner join loads on lines.load_id = loads.load_id
    where {{ not_quarantined('lines') }}

)

select * from final
