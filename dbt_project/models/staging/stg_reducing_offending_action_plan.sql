-- Grain: one row per line of an admitted action plan in the release being built. The term as printed, and as it is read.
with lines as (

    select * from {{ source('typed', 'reducing_offending_action_plan') }}
    where {{ in_release() }}

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

corrections as (

    select * from {{ source('ledger', 'line_correction') }}
    where is_applied and column_name = 'term_printed'

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
        case when corrections.load_id is null then lines.term_printed else corrections.value_as_sent end as term_printed,
        lines.term_printed as term_read,
        corrections.reason as term_correction_reason,
        lines.carried_forward as carried_forward_as_sent,
        lines.due_year,
        lines.rag,
        lines.has_evidence,
        lines.lead
    from lines
    inner join loads on lines.load_id = loads.load_id
    left join corrections
        on lines.load_id = corrections.load_id
        and lines.line_number = corrections.line_number
        and lines.sheet is not distinct from corrections.sheet
    where {{ not_quarantined('lines') }}

)

select * from final
