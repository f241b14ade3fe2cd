-- Grain: one row per cell of a released return that is read otherwise than it was sent.
with corrections as (

    select * from {{ source('ledger', 'line_correction') }}
    where is_applied

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

partners as (

    select * from {{ ref('dim_partner') }}

),

periods as (

    select * from {{ ref('mart_dim_period') }}

),

released_loads as (

    select
        release_loads.load_id,
        min(releases.published_at) as released_at
    from {{ source('ledger', 'release_load') }} as release_loads
    inner join {{ source('ledger', 'release') }} as releases on release_loads.release_id = releases.release_id
    where releases.published_at is not null
    group by release_loads.load_id

),

final as (

    select
        corrections.load_id,
        corrections.correction_id,
        loads.form,
        loads.partner_code,
        partners.partner_name,
        loads.reporting_quarter as period_key,
        periods.period_label,
        periods.financial_quarter_sort as period_sort,
        loads.issued_on,
        released_loads.released_at,
        corrections.sheet,
        corrections.line_number,
        corrections.column_name,
        corrections.heading as column_heading,
        corrections.value_as_sent,
        corrections.value_corrected,
        corrections.reason,
        corrections.source as source_note,
        corrections.asked as asked_note,
        corrections.decided_on
    from corrections
    inner join loads on corrections.load_id = loads.load_id
    inner join released_loads on corrections.load_id = released_loads.load_id
    left join partners on loads.partner_code = partners.partner_code
    left join periods on loads.reporting_quarter = periods.period_key

)

select * from final
