-- What connectors have fetched, so that each version of a remote file is fetched once.
create table if not exists ledger.fetched_file (
    fetched_file_id bigint generated always as identity primary key,
    connector text not null,
    remote_path text not null,
    version text not null,
    file_sha256 text not null check (file_sha256 ~ '^[0-9a-f]{64}$'),
    partner_code text not null,
    file_name text not null,
    fetched_at timestamptz not null default clock_timestamp(),
    unique (connector, remote_path, version)
);
comment on table ledger.fetched_file is
'Grain: one row per connector, remote path and version of the file there. It was brought into the partner''s inbox folder whole;
whether it was registered since is in ledger.load, by its hash and partner.';
comment on column ledger.fetched_file.version is
'What told this version from another: size and time of change in a folder or by SFTP, the ETag elsewhere. Empty where the server
told nothing; such a file is looked at each time.';

grant select on ledger.fetched_file to quarterday_loader, quarterday_builder;
grant insert, update (file_sha256, fetched_at) on ledger.fetched_file to quarterday_loader;
