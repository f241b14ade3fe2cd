-- Grain: one row per line of an admitted action plan in the release being built. Renames only.
with lines as (

    select * from {{ source('typed', 'reducing_offending_action_plan') }}
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
        lines.action_number::integer as action_number,
        loads.reporting_quarter,
        lines.theme,
        lines.reference::integer as reference,
        lines.action_label,
        lines.term_printed,
        lines.carried_forward as carried_forward_as_sent,
        lines.due_year,
        lines.rag,
        lines.has_evidence,
        lines.lead
    from lines
    inner join loads on lines.load_id = loads.load_id
    where {{ not_quarantined('lines') }}

)

select * from final
