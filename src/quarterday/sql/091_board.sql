-- The board: where every return stands. Each state is defined here and nowhere else: the page, the terminal and the
-- notices read these views. mart.fct_return tells readers less, from the same ledger; a test holds the two together.

create table if not exists ledger.commission (
    form text not null,
    partner_code text not null,
    cadence text not null,
    lag_quarters integer not null check (lag_quarters >= 0),
    commissioned_from date,
    commissioned_to date,
    primary key (form, partner_code)
);
comment on table ledger.commission is
'Grain: one row per form and partner that sends it: how often, and between which days a return is owed, from the contracts.';
comment on column ledger.commission.commissioned_from is 'Null where no return is ever due; what comes in is taken all the same.';
grant select on ledger.commission to quarterday_loader, quarterday_builder;

create index if not exists task_run_failed on ledger.task_run (dag_id, partition_key) where state = 'failed';

-- A financial quarter as a number that counts up by one, and back: quarters are compared and shifted by it.
create or replace function ledger.quarter_number(quarter_key text)
returns integer
language sql
immutable
parallel safe
return left(quarter_key, 4)::integer * 4 + right(quarter_key, 1)::integer - 1;

create or replace function ledger.quarter_key(quarter_number integer)
returns text
language sql
immutable
parallel safe
return (quarter_number / 4)::text || '-' || lpad(((quarter_number / 4 + 1) % 100)::text, 2, '0')
    || '-Q' || (quarter_number % 4 + 1)::text;

create or replace function ledger.quarter_start(quarter_number integer)
returns date
language sql
immutable
parallel safe
return (make_date(quarter_number / 4, 4, 1) + (quarter_number % 4) * interval '3 months')::date;

create or replace function ledger.quarter_of(a_day date)
returns integer
language sql
immutable
parallel safe
return extract(year from a_day - interval '3 months')::integer * 4
    + (extract(month from a_day - interval '3 months')::integer - 1) / 3;

create or replace view ledger.open_failure as
with failures as (

    select *
    from ledger.task_run
    where task_run.state = 'failed'

)

select distinct on (failures.dag_id, failures.partition_key)
    failures.dag_id,
    failures.partition_key,
    failures.task_id,
    failures.run_id,
    failures.try_number,
    failures.message,
    coalesce(failures.ended_at, failures.started_at) as failed_at
from failures
where not exists (
    select 1
    from ledger.task_run as later
    where later.dag_id = failures.dag_id
        and later.started_at > failures.started_at
        and (
            later.partition_key = failures.partition_key
            or later.partition_key is null and failures.partition_key is null
            -- Releases are taken up by whichever quarter's run comes next.
            or failures.dag_id = 'quarter__release'
        )
)
order by failures.dag_id asc, failures.partition_key asc, failures.started_at desc;
comment on view ledger.open_failure is
'Grain: one row per DAG and partition key of which the newest task failed, so that nothing has gone on since.';

create or replace view ledger.load_standing as
with newest as (

    -- As ledger.load_state has it, for all loads at once: looking each one's up takes twice as long.
    select distinct on (load_event.load_id)
        load_event.load_id,
        load_event.event,
        load_event.happened_at,
        load_event.detail
    from ledger.load_event
    order by load_event.load_id asc, load_event.load_event_id desc

),

states as (

    select
        load.load_id,
        load.partner_code,
        load.form,
        load.reporting_quarter,
        load.issued_on,
        load.received_at,
        newest.event as state,
        newest.happened_at as state_at,
        newest.detail,
        verdict.verdict,
        verdict.quarantined_line_count
    from ledger.load
    join newest on load.load_id = newest.load_id
    left join ledger.verdict on load.load_id = verdict.load_id

),

load_failures as (

    select * from ledger.open_failure
    where open_failure.dag_id = 'returns__load'

),

sign_off_failures as (

    select * from ledger.open_failure
    where open_failure.dag_id = 'returns__sign_off'

),

release_failure as (

    select * from ledger.open_failure
    where open_failure.dag_id = 'quarter__release'
    order by open_failure.failed_at desc
    limit 1

),

-- Lines that stay set aside, of returns some of whose lines may have been taken in by exception.
exceptions as (

    select
        asked.load_id,
        asked.is_lapsed,
        (
            select count(distinct (quarantined_line.sheet, quarantined_line.line_number))
            from ledger.quarantined_line
            where quarantined_line.load_id = asked.load_id
        ) as left_count
    from (
        select
            accepted_check.load_id,
            bool_and(accepted_check.lapsed_at is not null) as is_lapsed
        from ledger.accepted_check
        group by accepted_check.load_id
    ) as asked

),

told as (

    select
        states.load_id,
        states.partner_code,
        states.form,
        states.reporting_quarter,
        states.issued_on,
        states.received_at,
        states.state as event,
        states.state_at,
        states.detail,
        states.verdict,
        case
            when states.verdict is distinct from 'admitted_with_quarantine' then 0
            when exceptions.load_id is not null and states.state in ('approved', 'released') then exceptions.left_count
            else states.quarantined_line_count
        end as set_aside_count,
        -- Exceptions that were declined leave the return as it was before they were asked for.
        states.state = 'declined' and coalesce(exceptions.is_lapsed, false) as is_as_before,
        coalesce(load_failures.dag_id, sign_off_failures.dag_id, failed_release.dag_id) as failed_dag_id,
        coalesce(load_failures.task_id, sign_off_failures.task_id, failed_release.task_id) as failed_task_id,
        coalesce(load_failures.run_id, sign_off_failures.run_id, failed_release.run_id) as failed_run_id,
        coalesce(load_failures.message, sign_off_failures.message, failed_release.message) as failed_message,
        coalesce(load_failures.failed_at, sign_off_failures.failed_at, failed_release.failed_at) as failed_at
    from states
    left join exceptions on states.load_id = exceptions.load_id
    left join load_failures
        on states.form || '|' || states.reporting_quarter = load_failures.partition_key
        and states.state_at <= load_failures.failed_at
    left join sign_off_failures
        on states.form || '|' || states.reporting_quarter || '|' || states.load_id = sign_off_failures.partition_key
        and states.state_at <= sign_off_failures.failed_at
        and states.state = 'held'
    left join release_failure as failed_release
        on states.state in ('admitted', 'approved')
        and states.state_at <= failed_release.failed_at

)

select
    told.load_id,
    told.partner_code,
    told.form,
    told.reporting_quarter,
    told.issued_on,
    told.received_at,
    case
        when told.event = 'withdrawn' then 'withdrawn'
        when told.failed_dag_id is not null then 'failed'
        when told.event in ('registered', 'landed') then 'received'
        when told.event = 'rejected' then 'rejected'
        when told.event = 'held' then 'waiting for sign-off'
        when told.event = 'declined' and not told.is_as_before then 'declined'
        when told.set_aside_count > 0 then 'quarantined'
        when told.event = 'released' then 'released'
        else 'admitted'
    end as state,
    told.state_at,
    told.detail,
    told.event,
    told.verdict,
    told.event = 'released' as is_released,
    told.set_aside_count,
    -- Withdrawn and declined returns speak for nobody: what stands is the version before, or nothing.
    told.event <> 'withdrawn' and (told.event <> 'declined' or told.is_as_before) as is_standing,
    told.failed_dag_id,
    told.failed_task_id,
    told.failed_run_id,
    told.failed_message,
    told.failed_at
from told;
comment on view ledger.load_standing is 'Grain: one row per load, with its state as the board shows it.';

create or replace view ledger.board_cell as
with today as (

    select (clock_timestamp() at time zone 'Europe/London')::date as on_day

),

standing as (

    select
        load_standing.load_id,
        load_standing.form,
        load_standing.partner_code,
        load_standing.reporting_quarter,
        load_standing.state,
        load_standing.state_at,
        load_standing.is_standing,
        load_standing.is_released,
        load_standing.set_aside_count,
        load_standing.failed_dag_id,
        load_standing.failed_run_id
    from ledger.load_standing
    where load_standing.form is not null and load_standing.reporting_quarter is not null

),

versions as (

    select
        standing.form,
        standing.partner_code,
        standing.reporting_quarter,
        count(*) as version_count,
        count(*) filter (where standing.is_released) as released_count,
        max(standing.load_id) filter (where standing.is_standing) as standing_load_id,
        max(standing.load_id) as newest_load_id
    from standing
    group by standing.form, standing.partner_code, standing.reporting_quarter

),

expected as (

    select * from ledger.expected_return

),

commissions as (

    select * from ledger.commission

),

senders as (

    select form, partner_code from commissions
    union
    select form, partner_code from expected
    union
    select form, partner_code from versions

),

span as (

    select
        least(
            min(ledger.quarter_number(spoken.reporting_quarter)),
            (select ledger.quarter_of(min(commissions.commissioned_from)) from commissions)
        ) as first_quarter,
        greatest(
            max(ledger.quarter_number(spoken.reporting_quarter)),
            (select ledger.quarter_of(today.on_day) from today)
        ) as last_quarter
    from (
        select reporting_quarter from expected
        union
        select reporting_quarter from versions
    ) as spoken

),

quarters as (

    select
        numbered.quarter_number,
        ledger.quarter_key(numbered.quarter_number) as reporting_quarter,
        ledger.quarter_start(numbered.quarter_number) as starts_on,
        ledger.quarter_start(numbered.quarter_number + 1) - 1 as ends_on
    from span
    cross join generate_series(span.first_quarter, span.last_quarter) as numbered (quarter_number)

),

-- One row for each place in the table, whichever of the three knows it: put together by one aggregate, because the planner
-- can't tell how many there are and joins them badly.
known as (

    select
        senders.form,
        senders.partner_code,
        quarters.reporting_quarter,
        null::date as due_on,
        0::bigint as version_count,
        0::bigint as released_count,
        null::bigint as standing_load_id,
        null::bigint as newest_load_id
    from senders
    cross join quarters
    union all
    select
        expected.form,
        expected.partner_code,
        expected.reporting_quarter,
        expected.due_on,
        0,
        0,
        null,
        null
    from expected
    union all
    select
        versions.form,
        versions.partner_code,
        versions.reporting_quarter,
        null,
        versions.version_count,
        versions.released_count,
        versions.standing_load_id,
        versions.newest_load_id
    from versions

),

places as materialized (

    select
        known.form,
        known.partner_code,
        known.reporting_quarter,
        max(known.due_on) as due_on,
        max(known.version_count)::integer as version_count,
        max(known.released_count)::integer as released_count,
        max(known.standing_load_id) as standing_load_id,
        max(known.newest_load_id) as newest_load_id
    from known
    group by known.form, known.partner_code, known.reporting_quarter

),

joined as (

    select
        places.form,
        places.partner_code,
        places.reporting_quarter,
        quarters.quarter_number,
        quarters.starts_on,
        quarters.ends_on,
        places.due_on,
        commissions.commissioned_from,
        commissions.commissioned_to,
        -- The first day on which the return can be had, where its figures appear quarters later.
        case
            when commissions.lag_quarters > 0 and places.due_on is not null
                then ledger.quarter_start(quarters.quarter_number + commissions.lag_quarters + 1) - 1
        end as available_on,
        places.version_count,
        places.released_count,
        places.newest_load_id,
        speaking.load_id as standing_load_id,
        speaking.state as standing_state,
        speaking.state_at,
        coalesce(speaking.set_aside_count, 0) as set_aside_count,
        speaking.failed_dag_id,
        speaking.failed_run_id
    from places
    join quarters on places.reporting_quarter = quarters.reporting_quarter
    left join commissions
        on places.form = commissions.form
        and places.partner_code = commissions.partner_code
    left join standing as speaking on places.standing_load_id = speaking.load_id

)

select
    joined.form,
    joined.partner_code,
    joined.reporting_quarter,
    joined.due_on,
    joined.available_on,
    case
        when joined.standing_state = 'released' and joined.released_count > 1 then 'restated'
        when joined.standing_state is not null then joined.standing_state
        when joined.due_on is null and (
            joined.ends_on < joined.commissioned_from or joined.starts_on > joined.commissioned_to
        ) then 'not commissioned'
        when joined.due_on is null then 'not due'
        when today.on_day < joined.available_on then 'not available until'
        when today.on_day <= joined.ends_on then 'not due'
        when today.on_day > joined.due_on then 'late'
        else 'due'
    end as state,
    greatest(joined.released_count - 1, 0) as restated_count,
    coalesce(joined.standing_load_id, joined.newest_load_id) as load_id,
    joined.state_at,
    joined.released_count > 0 as is_released,
    joined.set_aside_count,
    joined.version_count,
    joined.quarter_number,
    joined.failed_dag_id,
    joined.failed_run_id
from joined
cross join today;
comment on view ledger.board_cell is
'Grain: one row per form, partner and financial quarter, from the first in which anything was owed or came in until today''s.
state: of the newest return that stands (neither withdrawn nor declined); without one, whether it is due. A return of which
lines are set aside is quarantined until they are taken in or replaced, released or not: see is_released.';
comment on column ledger.board_cell.restated_count is 'How often a later version was released than the first.';
comment on column ledger.board_cell.load_id is 'The newest load that stands; where none does, the newest that was taken back. Null where none came.';
comment on column ledger.board_cell.is_released is 'Whether readers see a version of this return, though it may not be the newest.';

grant select on ledger.open_failure, ledger.load_standing, ledger.board_cell to quarterday_loader, quarterday_builder;
