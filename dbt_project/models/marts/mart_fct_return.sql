-- Grain: one row per form, partner and financial quarter in which a return was due or came in. Live from the ledger.
{{ config(alias='fct_return') }}

with expected_returns as (

    select * from {{ source('ledger', 'expected_return') }}

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

verdicts as (

    select * from {{ source('ledger', 'verdict') }}

),

releases as (

    select * from {{ source('ledger', 'release') }}

),

release_loads as (

    select * from {{ source('ledger', 'release_load') }}

),

released_loads as (

    select distinct release_loads.load_id
    from release_loads
    inner join releases on release_loads.release_id = releases.release_id
    where releases.published_at is not null

),

withdrawn_loads as (

    select distinct load_id
    from {{ source('ledger', 'load_event') }}
    where event = 'withdrawn'

),

judged_loads as (

    select
        loads.load_id,
        loads.form,
        loads.partner_code,
        loads.reporting_quarter,
        loads.issued_on,
        loads.received_at,
        verdicts.verdict,
        verdicts.line_count,
        verdicts.quarantined_line_count,
        verdicts.issue_count,
        released_loads.load_id is not null as was_released,
        -- The version that counts: what was released, then what was admitted, then the newest arrival.
        row_number() over (
            partition by loads.form, loads.partner_code, loads.reporting_quarter
            order by
                released_loads.load_id is not null desc,
                coalesce(verdicts.verdict in ('admitted', 'admitted_with_quarantine'), false) desc,
                loads.issued_on desc nulls last,
                loads.load_id desc
        ) as version_rank
    from loads
    left join verdicts on loads.load_id = verdicts.load_id
    left join released_loads on loads.load_id = released_loads.load_id
    left join withdrawn_loads on loads.load_id = withdrawn_loads.load_id
    where loads.form is not null
        and loads.reporting_quarter is not null
        and withdrawn_loads.load_id is null

),

versions as (

    select
        form,
        partner_code,
        reporting_quarter,
        count(*) as version_count,
        count(*) filter (where was_released) as released_version_count,
        count(*) filter (where verdict = 'rejected') as rejected_version_count,
        min(received_at) as first_received_at
    from judged_loads
    group by form, partner_code, reporting_quarter

),

joined as (

    select
        form,
        partner_code,
        reporting_quarter,
        (
            make_date(left(reporting_quarter, 4)::integer, 4, 1)
            + right(reporting_quarter, 1)::integer * interval '3 months' - interval '1 day'
        )::date as quarter_end,
        expected_returns.due_on,
        versions.first_received_at,
        coalesce(versions.version_count, 0)::integer as version_count,
        coalesce(versions.released_version_count, 0)::integer as released_version_count,
        coalesce(versions.rejected_version_count, 0)::integer as rejected_version_count,
        newest.load_id,
        newest.issued_on,
        newest.verdict,
        newest.line_count,
        newest.quarantined_line_count,
        newest.issue_count
    from expected_returns
    full join versions using (form, partner_code, reporting_quarter)
    left join (select * from judged_loads where version_rank = 1) as newest using (form, partner_code, reporting_quarter)

),

final as (

    select
        form,
        partner_code,
        reporting_quarter as period_key,
        due_on,
        first_received_at,
        issued_on,
        verdict,
        version_count,
        released_version_count,
        rejected_version_count,
        line_count,
        quarantined_line_count,
        issue_count,
        load_id,
        case
            when released_version_count > 1 then 'restated'
            when released_version_count = 1 then 'released'
            when verdict in ('admitted', 'admitted_with_quarantine') then 'admitted'
            when verdict = 'rejected' then 'rejected'
            when version_count > 0 then 'received'
            when current_date > due_on then 'late'
            when current_date > quarter_end then 'due'
            else 'not due'
        end as state
    from joined

)

select * from final
