-- The ledger as it would be if a release of some loads were published now: what readers would see then.
-- `build` holds the release while it is open, from which derived facts are worked out; `ledger` holds it published.
create schema {build};

create view {build}.release as
select
    release_id,
    started_at,
    published_at,
    run_id,
    code_version,
    load_count,
    reason,
    checked_loads,
    as_of,
    withdraws,
    reckoned_at,
    asked_by
from ledger.release
where published_at is not null
union all
select
    {release_id}::bigint as release_id,
    {moment} as started_at,
    null::timestamptz as published_at,
    null::text as run_id,
    null::text as code_version,
    null::integer as load_count,
    'as if released'::text as reason,
    null::bigint[] as checked_loads,
    {day} as as_of,
    (select withdraws from ledger.release where release_id = {release_id}) as withdraws,
    null::timestamptz as reckoned_at,
    null::text as asked_by;

create view {build}.release_load as
select
    release_load.release_id,
    release_load.load_id
from ledger.release_load
inner join ledger.release on release_load.release_id = release.release_id
where release.published_at is not null
union all
select
    {release_id}::bigint as release_id,
    loads.load_id
from unnest({loads}) as loads (load_id);

-- The rule of who speaks for which period is the publishing one, read over these two.
create function {build}.plan_anew(p_release_id bigint)
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
as {plan};

-- Every derived fact asks for the plan, some of them several times.
create table {build}.planned as
select * from {build}.plan_anew({release_id});

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
as $$ select * from {build}.planned $$;

create schema {ledger};

create view {ledger}.publication as
select
    null::bigint as publication_id,
    form,
    partner_code,
    period_type,
    period,
    load_id,
    {release_id}::bigint as release_id,
    tstzrange({moment}, null) as known,
    issued,
    lower(period) as period_start,
    upper(period) - 1 as period_end,
    ledger.period_key(period_type, lower(period), upper(period) - 1) as period_key,
    ledger.quarter_key(lower(period)) as quarter_key,
    is_current
from {build}.planned;

create view {ledger}.release as
select
    release_id,
    started_at,
    coalesce(published_at, {moment}) as published_at,
    run_id,
    code_version,
    load_count,
    reason,
    checked_loads,
    as_of,
    withdraws,
    reckoned_at,
    asked_by
from {build}.release;

create view {ledger}.release_load as
select * from {build}.release_load;
