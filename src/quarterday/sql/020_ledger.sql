-- The ledger. Rows are inserted and never deleted by a load or a release; only an open interval is ever closed.

create table if not exists ledger.load (
    load_id bigint generated always as identity primary key,
    file_sha256 text not null check (file_sha256 ~ '^[0-9a-f]{64}$'),
    file_name text not null,
    file_bytes bigint not null,
    archive_path text not null,
    partner_code text not null,
    form text,
    edition text,
    reporting_quarter text check (reporting_quarter ~ '^\d{4}-\d{2}-Q[1-4]$'),
    issued_on date,
    received_at timestamptz not null default clock_timestamp()
);
comment on table ledger.load is
'One row per return ever received. The same bytes from the same partner as the same form and quarter are one load, however
often they arrive; under a name that makes another return of them, they are another.';
comment on column ledger.load.archive_path is 'Where the bytes are kept, below the archive root.';
comment on column ledger.load.form is 'Null when no form claims the file; such a load is rejected on arrival.';
comment on column ledger.load.reporting_quarter is 'The financial quarter the return reports on; for other periods, the quarter in which the period ends.';
comment on column ledger.load.issued_on is 'The day the partner issued the return, read from the return; the day of receipt where it says none.';

create index if not exists load_form_quarter on ledger.load (form, reporting_quarter);
-- A file that was refused for its name or its folder may be sent again as it is, rightly named.
alter table ledger.load drop constraint if exists load_file_sha256_key;
create unique index if not exists load_once on ledger.load (
    file_sha256, partner_code, coalesce(form, file_name), coalesce(reporting_quarter, ''), coalesce(edition, '')
);

create table if not exists ledger.arrival (
    arrival_id bigint generated always as identity primary key,
    load_id bigint not null references ledger.load,
    inbox_path text not null,
    file_modified_at timestamptz not null,
    arrived_at timestamptz not null default clock_timestamp(),
    was_known boolean not null,
    unique (inbox_path, file_modified_at, load_id)
);
comment on table ledger.arrival is
'One row per time a file arrived in the inbox; was_known when its bytes had arrived before. A sweep that was cut off before
it cleared the inbox finds the same path, time and bytes again, which is the same arrival.';

create table if not exists ledger.load_event (
    load_event_id bigint generated always as identity primary key,
    load_id bigint not null references ledger.load,
    event text not null check (event in ('registered', 'landed', 'admitted', 'rejected', 'released', 'withdrawn')),
    happened_at timestamptz not null default clock_timestamp(),
    run_id text,
    detail text
);
comment on table ledger.load_event is 'What happened to a load, in order. The newest event is its state.';
create index if not exists load_event_load on ledger.load_event (load_id, load_event_id desc);

create table if not exists ledger.verdict (
    load_id bigint primary key references ledger.load,
    verdict text not null check (verdict in ('admitted', 'admitted_with_quarantine', 'rejected')),
    line_count bigint not null,
    quarantined_line_count bigint not null,
    issue_count bigint not null,
    contract_version text,
    judged_at timestamptz not null default clock_timestamp()
);
comment on table ledger.verdict is 'One row per judged load. A load is judged once; repair is only by a new return.';

create table if not exists ledger.plain_load (
    load_id bigint primary key references ledger.load,
    typed_by text not null
);
comment on table ledger.plain_load is 'Loads of which every cell was seen to be empty or plainly written, so that casts type it; typed_by is the hash of the view that does.';

create table if not exists ledger.check_result (
    load_id bigint not null references ledger.load,
    check_id text not null,
    action text not null check (action in ('reject_return', 'quarantine_line', 'flag')),
    severity text not null check (severity in ('critical', 'warning', 'info')),
    has_passed boolean not null,
    failing_count bigint not null,
    statement text not null,
    primary key (load_id, check_id)
);
comment on table ledger.check_result is 'One row per load and check run on it.';

create table if not exists ledger.line_issue (
    line_issue_id bigint generated always as identity primary key,
    load_id bigint not null references ledger.load,
    check_id text not null,
    action text not null check (action in ('reject_return', 'quarantine_line', 'flag')),
    sheet text,
    line_number integer,
    column_name text,
    expected text not null,
    found text,
    remedy text not null
);
comment on table ledger.line_issue is 'What the partner must mend: where, what was expected, what was found, what to do.';
comment on column ledger.line_issue.line_number is 'Row of the sheet or line of the file, counted from 1 as a person sees it. Null when the whole return is meant.';
comment on column ledger.line_issue.column_name is 'The heading as the partner wrote it.';
create index if not exists line_issue_load on ledger.line_issue (load_id);

create table if not exists ledger.load_period (
    load_id bigint not null references ledger.load,
    period_type text not null check (period_type in (
        'financial_quarter', 'financial_year', 'calendar_year', 'calendar_month', 'rolling_year', 'date_range', 'to_date', 'as_at'
    )),
    period_start date not null,
    period_end date not null check (period_end >= period_start),
    primary key (load_id, period_type, period_start, period_end)
);
comment on table ledger.load_period is 'The periods an admitted load speaks about; publication supersedes period by period. Both dates belong to the period.';

create table if not exists ledger.expected_return (
    form text not null,
    partner_code text not null,
    reporting_quarter text not null check (reporting_quarter ~ '^\d{4}-\d{2}-Q[1-4]$'),
    due_on date not null,
    primary key (form, partner_code, reporting_quarter)
);
comment on table ledger.expected_return is 'Which return is due from whom and when, from the contracts.';

create table if not exists ledger.partner (
    partner_code text primary key,
    partner_name text not null,
    partner_type text not null
);
comment on table ledger.partner is 'Who sends returns, from returns/partners.csv.';

create table if not exists ledger.form_priority (
    form text not null,
    priority_code text not null,
    primary key (form, priority_code)
);
comment on table ledger.form_priority is 'Which priority a form serves under each plan, from the contracts.';

create table if not exists ledger.release (
    release_id bigint generated always as identity primary key,
    started_at timestamptz not null default clock_timestamp(),
    published_at timestamptz,
    run_id text,
    code_version text not null,
    load_count integer,
    reason text not null default 'returns admitted'
);
comment on table ledger.release is 'One row per release; published_at is null until its one transaction has committed.';
create unique index if not exists release_one_open on ledger.release ((published_at is null)) where published_at is null;

alter table ledger.release add column if not exists checked_loads bigint[];
comment on column ledger.release.checked_loads is
'The loads whose facts were built and checked. Only a release of exactly these loads can be published.';

alter table ledger.release add column if not exists as_of date;
comment on column ledger.release.as_of is
'The day, in London, on which the release was opened or last taken up again: what was due or late, it reckons for this day.';
update ledger.release set as_of = (started_at at time zone 'Europe/London')::date where as_of is null;

alter table ledger.release add column if not exists withdraws bigint references ledger.release;
comment on column ledger.release.withdraws is
'The release whose returns this one takes back; what they had superseded speaks again. Null for a release of returns.';
create unique index if not exists release_withdrawn_once on ledger.release (withdraws) where withdraws is not null;

create table if not exists ledger.release_load (
    release_id bigint not null references ledger.release,
    load_id bigint not null references ledger.load,
    primary key (release_id, load_id)
);
comment on table ledger.release_load is 'The admitted loads that a release brings in.';

create table if not exists ledger.publication (
    publication_id bigint generated always as identity primary key,
    form text not null,
    partner_code text not null,
    period_type text not null,
    period daterange not null,
    load_id bigint not null references ledger.load,
    release_id bigint not null references ledger.release,
    known tstzrange not null,
    issued daterange not null check (not isempty(issued)),
    constraint publication_one_version_at_a_time exclude using gist (
        form with =, partner_code with =, period_type with =, period with =, known with &&, issued with &&
    )
);
comment on table ledger.publication is
'Which load speaks for a form, partner and period: known is when this warehouse said so, issued is when the partner said so.
Published now: upper_inf(known) and upper_inf(issued).';
create index if not exists publication_load on ledger.publication (load_id);
-- What is current is most of it and never told by a column alone: without these PostgreSQL expects one row in two hundred of it,
-- and asks for the rows of each publication one by one.
create statistics if not exists ledger.publication_current (mcv) on (upper_inf(known)), (upper_inf(issued)) from ledger.publication;
create statistics if not exists ledger.publication_known on (upper(known)) from ledger.publication;

create table if not exists ledger.dbt_run (
    release_id bigint not null references ledger.release,
    node_id text not null,
    status text not null,
    seconds numeric not null,
    row_count bigint,
    message text,
    finished_at timestamptz not null default clock_timestamp()
);
comment on table ledger.dbt_run is 'One row per dbt node and release build.';

create table if not exists ledger.form_pause (
    form_pause_id bigint generated always as identity primary key,
    form text not null,
    paused_at timestamptz not null default clock_timestamp(),
    paused_by text not null,
    reason text not null check (reason <> ''),
    resumed_at timestamptz,
    resumed_by text,
    check ((resumed_at is null) = (resumed_by is null))
);
comment on table ledger.form_pause is
'Grain: one row per pause of a form. While it lasts the form''s returns are registered and archived, and neither landed nor judged.';
create unique index if not exists form_pause_one_open on ledger.form_pause (form) where resumed_at is null;

-- The state of every load, for the work lists, the board and fct_return.
create or replace view ledger.load_state as
select
    load.load_id,
    load.file_sha256,
    load.file_name,
    load.partner_code,
    load.form,
    load.edition,
    load.reporting_quarter,
    load.issued_on,
    load.received_at,
    case
        when latest.event in ('registered', 'landed')
            and exists (
                select 1 from ledger.form_pause where form_pause.form = load.form and form_pause.resumed_at is null
            )
            then 'paused'
        else latest.event
    end as state,
    latest.happened_at as state_at,
    latest.detail,
    verdict.verdict,
    verdict.line_count,
    verdict.quarantined_line_count,
    verdict.issue_count
from ledger.load
join lateral (
    select load_event.event, load_event.happened_at, load_event.detail
    from ledger.load_event
    where load_event.load_id = load.load_id
    order by load_event.load_event_id desc
    limit 1
) as latest on true
left join ledger.verdict on verdict.load_id = load.load_id;
comment on view ledger.load_state is
'Grain: one row per load, with its newest event and its verdict. A return without a verdict whose form is paused is paused.';

grant select on all tables in schema ledger to quarterday_loader, quarterday_builder;
grant insert on ledger.load, ledger.arrival, ledger.load_event, ledger.verdict, ledger.check_result,
    ledger.line_issue, ledger.load_period, ledger.plain_load, ledger.expected_return to quarterday_loader;
grant update (due_on) on ledger.expected_return to quarterday_loader;
grant insert, update (resumed_at, resumed_by) on ledger.form_pause to quarterday_loader;
-- A check that was cut off is run again from the start, so its unfinished findings may be replaced.
grant delete on ledger.check_result, ledger.line_issue, ledger.load_period, ledger.plain_load to quarterday_loader;
grant insert on ledger.release, ledger.release_load, ledger.publication, ledger.dbt_run, ledger.load_event to quarterday_builder;
grant delete on ledger.release_load, ledger.dbt_run to quarterday_builder;
grant update (published_at, load_count, run_id, code_version, checked_loads, as_of) on ledger.release to quarterday_builder;
grant update (known) on ledger.publication to quarterday_builder;

-- The reader's views over the ledger run with the reader's own rights; without usage of this schema it cannot name these itself.
grant select on ledger.load, ledger.arrival, ledger.load_event, ledger.verdict, ledger.expected_return, ledger.release,
    ledger.release_load, ledger.load_period, ledger.publication, ledger.load_state to quarterday_reader;
