-- What was read otherwise than it was sent, and why. Written when a load is judged, so that a load keeps the corrections
-- that it was judged with, whatever becomes of the form's file of corrections.
create table if not exists ledger.line_correction (
    load_id bigint not null references ledger.load,
    correction_id text not null,
    is_applied boolean not null,
    sheet text,
    line_number integer,
    column_number integer,
    column_name text not null,
    heading text not null,
    expected_as_sent text,
    value_as_sent text,
    value_corrected text,
    found text,
    reason text not null,
    source text not null,
    asked text not null,
    decided_on date not null,
    primary key (load_id, correction_id)
);
comment on table ledger.line_correction is
'One row per load and correction that concerns it. is_applied: the typed view gives value_corrected in place of
value_as_sent. Otherwise the return no longer says what the correction expects, and found says what it does say.';
comment on column ledger.line_correction.column_name is 'Column of the landing table.';
comment on column ledger.line_correction.column_number is 'For indicator forms the column of the sheet, from 1.';
create unique index if not exists line_correction_once on ledger.line_correction (
    load_id, coalesce(sheet, ''), line_number, coalesce(column_number, 0), column_name
) where is_applied;

grant select, insert, delete on ledger.line_correction to quarterday_loader;
grant select on ledger.line_correction to quarterday_builder, quarterday_reader;

-- A load that was judged before its correction was known is read again as another load of the same bytes.
alter table ledger.load add column if not exists corrects_load_id bigint references ledger.load;
comment on column ledger.load.corrects_load_id is
'The load of the same file that this one takes the place of, read with corrections that came after its verdict.';
do $$
begin
    if pg_get_indexdef('ledger.load_once'::regclass) not like '%corrects_load_id%' then
        drop index ledger.load_once;
        create unique index load_once on ledger.load (
            file_sha256, partner_code, coalesce(form, file_name), coalesce(reporting_quarter, ''), coalesce(edition, ''),
            coalesce(corrects_load_id, 0)
        );
    end if;
end
$$;
