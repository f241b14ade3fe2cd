-- What was made public as open data, file by file, and which figures were left out of it. Readers see neither.
create table if not exists ledger.open_data (
    release_id bigint primary key references ledger.release,
    made_at timestamptz not null default clock_timestamp(),
    code_version text not null,
    lost numeric not null,
    is_least boolean not null,
    given_away text[] not null
);
comment on table ledger.open_data is 'One row per release whose open data was made. Its number of row is the order in which they became public.';
comment on column ledger.open_data.lost is 'What was lost beyond the small counts themselves: the sum over the figures of one and the log of one and the figure.';
comment on column ledger.open_data.is_least is 'No less would have done. False where time ran out and a good choice was taken.';
comment on column ledger.open_data.given_away is 'Small counts that follow from what was public before, whatever is left out now.';

create table if not exists ledger.open_data_file (
    release_id bigint not null references ledger.open_data,
    path text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    byte_count bigint not null,
    primary key (release_id, path)
);
comment on table ledger.open_data_file is 'One row per file of a release''s open data, so that it can be seen to be the same when it is made again.';

create table if not exists ledger.suppression (
    release_id bigint not null references ledger.open_data,
    figure text not null,
    measure_code text not null,
    role text not null check (role in ('value', 'numerator', 'denominator', 'to_date', 'rate')),
    breakdown_code text not null,
    area_code text not null,
    period_start date not null,
    period_end date not null,
    value numeric not null,
    rule text not null check (rule in ('small_count', 'rate_of_small_count', 'protects', 'mean_of_rates')),
    threshold integer,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (release_id, figure)
);
comment on table ledger.suppression is
'One row per release and figure that was left out of its open data, with the figure: what, and why. Never public.';
comment on column ledger.suppression.rule is
'small_count: people, some and fewer than the threshold. rate_of_small_count: a rate of such. protects: shown, it would
let such a count be worked out. mean_of_rates: a mean in which a left-out rate counts.';

revoke all on ledger.open_data, ledger.open_data_file, ledger.suppression from quarterday_reader;
grant select on ledger.open_data, ledger.open_data_file, ledger.suppression to quarterday_builder;
