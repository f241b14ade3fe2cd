-- What a release's derived facts were worked out from must be told by the ledger alone, or they can't be worked out again.
-- They count returns that stand rejected and returns that were expected, and both go on changing.
alter table ledger.release add column if not exists reckoned_at timestamptz;
comment on column ledger.release.reckoned_at is
'When the facts of the release were last built: verdicts and withdrawals of that moment are what its derived facts count.';
grant update (reckoned_at) on ledger.release to quarterday_builder;
-- Of a release that was built before this was kept, the end of the build comes nearest.
update ledger.release
set reckoned_at = coalesce(
    (select max(dbt_run.finished_at) from ledger.dbt_run where dbt_run.release_id = release.release_id), started_at
)
where reckoned_at is null and published_at is not null;

alter table ledger.expected_return add column if not exists expected_since timestamptz;
comment on column ledger.expected_return.expected_since is
'When the warehouse began to expect the return: the first time it was brought up to the code in or after the quarter.';
update ledger.expected_return
set expected_since = make_date(left(reporting_quarter, 4)::integer, 1 + 3 * right(reporting_quarter, 1)::integer % 12, 1)
    + case when right(reporting_quarter, 1) = '4' then interval '1 year' else interval '0' end
where expected_since is null;
alter table ledger.expected_return
    alter column expected_since set default clock_timestamp(), alter column expected_since set not null;
