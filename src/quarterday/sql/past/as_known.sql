-- The ledger as this warehouse knew it at a moment. The marts' views are made again on top of these.
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
    tstzrange(lower(known), case when upper(known) <= {moment} then upper(known) end) as known,
    issued,
    period_start,
    period_end,
    period_key,
    quarter_key,
    (upper_inf(known) or upper(known) > {moment}) and upper_inf(issued) as is_current
from ledger.publication
where lower(known) <= {moment};

create view {ledger}.release as
select
    release_id,
    started_at,
    case when published_at <= {moment} then published_at end as published_at,
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
where started_at <= {moment};

create view {ledger}.release_load as
select release_load.*
from ledger.release_load
inner join ledger.release on release_load.release_id = release.release_id
where release.published_at <= {moment};

create view {ledger}.load as
select * from ledger.load
where received_at <= {moment};

create view {ledger}.verdict as
select * from ledger.verdict
where judged_at <= {moment};

create view {ledger}.load_event as
select * from ledger.load_event
where happened_at <= {moment};

create view {ledger}.line_correction as
select line_correction.*
from ledger.line_correction
inner join ledger.verdict on line_correction.load_id = verdict.load_id
where verdict.judged_at <= {moment};
