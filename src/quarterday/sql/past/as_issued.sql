-- The ledger as if a release, number 0, had been made on a day of all that partners had issued by then and that is
-- published since: what a report of that day would have said, had every return of the day been at hand and right.
create schema {ledger};

create view {ledger}.publication as
select
    publication_id,
    form,
    partner_code,
    period_type,
    period,
    load_id,
    release_id,
    known,
    daterange(lower(issued), null) as issued,
    period_start,
    period_end,
    period_key,
    quarter_key,
    true as is_current
from ledger.publication
where upper_inf(known)
    and issued @> {day};

create view {ledger}.load as
select * from ledger.load
where coalesce(issued_on, (received_at at time zone 'Europe/London')::date) <= {day};

create view {ledger}.release as
select
    0::bigint as release_id,
    {moment} as started_at,
    {moment} as published_at,
    null::text as run_id,
    (select code_version from ledger.release order by release_id desc limit 1) as code_version,
    (select count(*)::integer from {ledger}.publication) as load_count,
    'as issued by ' || {day} as reason,
    null::bigint[] as checked_loads,
    {day} as as_of,
    null::bigint as withdraws,
    null::timestamptz as reckoned_at,  -- verdicts count whenever they came
    null::text as asked_by;

create view {ledger}.release_load as
select distinct
    0::bigint as release_id,
    release_load.load_id
from ledger.release_load
inner join ledger.release on release_load.release_id = release.release_id
inner join {ledger}.load on release_load.load_id = load.load_id
where release.published_at is not null;

create view {ledger}.verdict as
select verdict.*
from ledger.verdict
inner join {ledger}.load on verdict.load_id = load.load_id;

create view {ledger}.load_event as
select load_event.*
from ledger.load_event
inner join {ledger}.load on load_event.load_id = load.load_id;

create view {ledger}.line_correction as
select line_correction.*
from ledger.line_correction
inner join {ledger}.load on line_correction.load_id = load.load_id;

-- The same release while it is still open: what the derived facts are worked out from.
create schema {build};

create view {build}.release as
select
    release_id,
    started_at,
    null::timestamptz as published_at,
    run_id,
    code_version,
    load_count,
    reason,
    checked_loads,
    as_of,
    withdraws,
    reckoned_at,
    asked_by
from {ledger}.release;

create function {build}.plan_publication(p_release_id bigint)
returns table (
    form text,
    partner_code text,
    period_type text,
    period daterange,
    load_id bigint,
    issued daterange,
    is_current boolean,
    is_new boolean
)
language sql
stable
security definer  -- readers ask through a view, and a function in a view still runs with the reader's rights
set search_path = pg_catalog, pg_temp
as $$
    select form, partner_code, period_type, period, load_id, issued, true, true
    from {ledger}.publication
$$;
