-- Grain: one row per priority and financial quarter in which a return was due: how many were due, are in, are late, stand rejected.
-- A return is in once it was released, or is in the release being built; that a later one restates it changes nothing.
with release as (

    select * from {{ ref('int_release') }}

),

expected_returns as (

    select * from {{ source('ledger', 'expected_return') }}

),

periods as (

    select * from {{ ref('dim_period') }}
    where period_type = 'financial_quarter'

),

form_priorities as (

    select * from {{ ref('int_form_priority') }}

),

releases as (

    select * from {{ source('ledger', 'release') }}

),

release_loads as (

    select * from {{ source('ledger', 'release_load') }}

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

verdicts as (

    select * from {{ source('ledger', 'verdict') }}

),

-- What has come since the build began is left out, so that the ledger can tell later what was counted.
withdrawn_before as (

    select events.load_id
    from {{ source('ledger', 'load_event') }} as events
    cross join release
    where events.event = 'withdrawn'
        and (events.happened_at > release.reckoned_at) is not true

),

-- Also those that the release being built takes back: their event is written when it is published.
withdrawals as (

    select load_id from withdrawn_before
    union
    select release_loads.load_id
    from release
    inner join releases on release.release_id = releases.release_id
    inner join release_loads on releases.withdraws = release_loads.release_id

),

returns_in as (

    select distinct
        loads.form,
        loads.partner_code,
        loads.reporting_quarter
    from loads
    inner join release_loads on loads.load_id = release_loads.load_id
    inner join releases on release_loads.release_id = releases.release_id
    cross join release
    where (releases.published_at is not null or releases.release_id = release.release_id)
        and not exists (select 1 from withdrawals where withdrawals.load_id = loads.load_id)

),

-- Sent, judged and sent back, with nothing better since.
returns_rejected as (

    select
        loads.form,
        loads.partner_code,
        loads.reporting_quarter
    from loads
    inner join verdicts on loads.load_id = verdicts.load_id
    cross join release
    where (verdicts.judged_at > release.reckoned_at) is not true
        and not exists (select 1 from withdrawals where withdrawals.load_id = loads.load_id)
    group by loads.form, loads.partner_code, loads.reporting_quarter
    having bool_and(verdicts.verdict = 'rejected')

),

final as (

    select
        form_priorities.priority_code,
        expected_returns.reporting_quarter as period_key,
        count(*) filter (where expected_returns.due_on <= release.as_of)::integer as return_due_count,
        count(returns_in.form)::integer as return_in_count,
        count(*) filter (
            where expected_returns.due_on < release.as_of and returns_in.form is null
        )::integer as return_late_count,
        count(returns_rejected.form) filter (where returns_in.form is null)::integer as return_rejected_count
    from expected_returns
    cross join release
    inner join periods on expected_returns.reporting_quarter = periods.period_key
    inner join form_priorities
        on expected_returns.form = form_priorities.form
        and periods.period_end between form_priorities.valid_from and coalesce(form_priorities.valid_to, 'infinity')
    left join returns_in
        on expected_returns.form = returns_in.form
        and expected_returns.partner_code = returns_in.partner_code
        and expected_returns.reporting_quarter = returns_in.reporting_quarter
    left join returns_rejected
        on expected_returns.form = returns_rejected.form
        and expected_returns.partner_code = returns_rejected.partner_code
        and expected_returns.reporting_quarter = returns_rejected.reporting_quarter
    group by form_priorities.priority_code, expected_returns.reporting_quarter

)

select * from final
