-- What a release changed of what readers had been told, in the words that go out with it.
create table if not exists ledger.correction_note (
    release_id bigint primary key references ledger.release,
    revision_kind text not null check (revision_kind in ('scheduled revision', 'unscheduled correction')),
    markdown text not null,
    html text not null,
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    written_at timestamptz not null default clock_timestamp()
);
comment on table ledger.correction_note is
'The draft correction note of a release that restates something, as it was written before the release was published.
Of a release that is built again the note is written again; a published one keeps its note.';
comment on column ledger.correction_note.digest is 'SHA-256 of what the release changes; the same again only if the very same would change.';

grant select on ledger.correction_note to quarterday_loader, quarterday_builder, quarterday_reader;
grant insert, delete on ledger.correction_note to quarterday_builder;
