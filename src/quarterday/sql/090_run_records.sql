-- What ran, when, for how long and with what end. Written beside the work and read by the board and by dashboards; no
-- verdict and no release rests on it.

create table if not exists ledger.task_run (
    dag_id text not null,
    task_id text not null,
    run_id text not null,
    try_number integer not null check (try_number >= 0),
    partition_key text,
    state text not null check (state in ('running', 'success', 'failed', 'up_for_retry', 'skipped')),
    started_at timestamptz not null,
    ended_at timestamptz,
    seconds numeric,
    message text,
    code_version text not null,
    primary key (dag_id, run_id, task_id, try_number),
    constraint task_run_ends_unless_running check ((state = 'running') = (ended_at is null))
);
comment on table ledger.task_run is 'One row per try of an Airflow task. A task that was killed stands as running until ledger__reconcile closes it.';
comment on column ledger.task_run.task_id is 'The task as Airflow names it; a mapped one with its index in square brackets.';
comment on column ledger.task_run.partition_key is 'The key of the run, such as victim_gateway|2017-18-Q3. Null for a run without one.';
comment on column ledger.task_run.seconds is 'Seconds of work: what the task waited for a person in between is not counted. Null while it runs, and where it was killed.';
comment on column ledger.task_run.message is 'What the task failed with, why it was skipped, or what it waits for.';
comment on column ledger.task_run.code_version is 'The git commit of the code that ran.';
create index if not exists task_run_newest on ledger.task_run (started_at desc);
create index if not exists task_run_open on ledger.task_run (started_at) where state = 'running';
create index if not exists task_run_by_key on ledger.task_run (partition_key, started_at desc) where partition_key is not null;

create table if not exists ledger.suite_run (
    suite_run_id bigint generated always as identity primary key,
    load_id bigint references ledger.load,
    release_id bigint references ledger.release,
    check_count integer not null,
    failed_count integer not null,
    line_count bigint,
    profile_seconds numeric not null,
    suite_seconds numeric not null,
    ran_at timestamptz not null default clock_timestamp(),
    constraint suite_run_of_a_load_or_a_release check (num_nonnulls(load_id, release_id) = 1)
);
comment on table ledger.suite_run is
'One row per Great Expectations suite that ran: on a load, or on the facts of a release. All checks of a suite are counted in
one reading of the lines and asserted at once, so a single check has no duration of its own; its outcome is in check_result or
fact_check_result.';
comment on column ledger.suite_run.line_count is 'Typed lines that were looked at. Null for the facts of a release.';
comment on column ledger.suite_run.profile_seconds is 'Seconds that the database took to count the failures of all checks.';
comment on column ledger.suite_run.suite_seconds is 'Seconds that Great Expectations took to assert on the counts.';
create index if not exists suite_run_load on ledger.suite_run (load_id) where load_id is not null;
create index if not exists suite_run_release on ledger.suite_run (release_id) where release_id is not null;

create table if not exists ledger.fact_check_result (
    release_id bigint not null references ledger.release,
    check_id text not null,
    has_passed boolean not null,
    failing_count bigint not null,
    statement text not null,
    checked_at timestamptz not null default clock_timestamp(),
    primary key (release_id, check_id)
);
comment on table ledger.fact_check_result is 'One row per release and check on its facts, as they were checked last.';

grant select on ledger.task_run, ledger.suite_run, ledger.fact_check_result to quarterday_loader, quarterday_builder;
grant insert, update on ledger.task_run to quarterday_loader;
grant insert on ledger.suite_run to quarterday_loader, quarterday_builder;
grant insert, delete on ledger.fact_check_result to quarterday_builder;
