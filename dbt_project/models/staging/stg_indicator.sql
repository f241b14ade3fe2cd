-- Grain: one row per number of an admitted indicator return in the release being built. Renames and keys only.
with lines as (

    select * from {{ source('typed', 'indicator') }}
    where {{ in_release_when_asked() }}

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

admitted as (

    select * from lines
    where {{ not_quarantined('lines') }}

),

final as (

    select
        admitted.load_id,
        coalesce(admitted.sheet, '') as sheet,
        admitted.line_number,
        admitted.column_number,
        admitted.column_name,
        admitted.form,
        loads.partner_code,
        admitted.measure_code,
        admitted.breakdown_code,
        admitted.area_code,
        {{ period_key('admitted.period_type', 'admitted.period_start', 'admitted.period_end') }} as period_key,
        admitted.period_type,
        admitted.period_start,
        admitted.period_end,
        admitted.value,
        admitted.value_qualifier,
        admitted.value_flag,
        admitted.value_as_sent,
        admitted.numerator,
        admitted.denominator,
        admitted.status,
        admitted.declared_rag,
        admitted.note
    from admitted
    inner join loads on admitted.load_id = loads.load_id

)

select * from final
