-- What people are to be told: an outbox. A notice is written in the transaction of what it tells of, so that neither is
-- there without the other, and sent afterwards by quarterday.notifying.
create table if not exists ledger.notice (
    notice_id bigint generated always as identity primary key,
    cause text not null unique,
    kind text not null check (kind in (
        'rejected', 'quarantined', 'asked', 'failed', 'reminder', 'late', 'escalation', 'sign_off', 'released', 'restated'
    )),
    audience text not null check (audience in ('partner', 'office')),
    details jsonb not null default '{}',
    recipients text[] not null default '{}',
    subject text,
    body text,
    body_html text,
    created_at timestamptz not null default clock_timestamp(),
    tried_at timestamptz,
    tried_count integer not null default 0,
    sent_by text[] not null default '{}',
    sent_at timestamptz,
    error text
);
comment on table ledger.notice is
'Grain: one row per cause that somebody is to be told of: one message however often the task behind it is tried.';
comment on column ledger.notice.cause is 'What happened, such as "load 12 rejected"; the same cause is told once.';
comment on column ledger.notice.audience is 'partner: who sends the return, by the contract''s contact; office: whom returns/notices.csv names.';
comment on column ledger.notice.details is 'Numbers and codes from which the words are made: no value of a return.';
comment on column ledger.notice.recipients is 'Addresses, once the notice is written out.';
comment on column ledger.notice.subject is 'Null until the notice is written out, which is at the latest when it is sent or shown.';
comment on column ledger.notice.body is 'The message as plain text; body_html is the same for a mail.';
comment on column ledger.notice.sent_by is 'The channels that have taken it.';
comment on column ledger.notice.sent_at is 'When the last of its channels had taken it; null while one has not.';
comment on column ledger.notice.error is 'Why it could not be sent, the last time it was tried.';
create index if not exists notice_unsent on ledger.notice (notice_id) where sent_at is null;

create table if not exists ledger.notifying (
    is_only boolean primary key default true check (is_only),
    watched_since timestamptz not null default clock_timestamp(),
    sending_since timestamptz
);
comment on table ledger.notifying is 'Grain: one row. From when on late returns are told of, and from when on notices are sent.';
comment on column ledger.notifying.watched_since is 'Returns that were due before are history: nobody is reminded of them.';
comment on column ledger.notifying.sending_since is 'When notices were first sent. Those of more than a day before stay unsent.';
insert into ledger.notifying default values on conflict do nothing;

-- A return that is read again, with corrections or by exception, is news to nobody: its partner sent nothing.
create or replace function ledger.notice_of_verdict()
returns trigger
language plpgsql
as $$
begin
    insert into ledger.notice (cause, kind, audience, details)
    select
        'load ' || new.load_id || ' ' || said.kind,
        said.kind,
        'partner',
        jsonb_build_object('load_id', new.load_id)
    from (values (case new.verdict when 'rejected' then 'rejected' else 'quarantined' end)) as said (kind)
    where not exists (
        select 1 from ledger.load where load.load_id = new.load_id and load.corrects_load_id is not null
    )
    on conflict (cause) do nothing;
    return null;
end
$$;
create or replace trigger notice_of_verdict after insert on ledger.verdict
for each row when (new.verdict <> 'admitted') execute function ledger.notice_of_verdict();

create or replace function ledger.notice_of_release()
returns trigger
language plpgsql
as $$
begin
    insert into ledger.notice (cause, kind, audience, details)
    select
        'release ' || new.release_id || ' ' || said.kind,
        said.kind,
        'office',
        jsonb_build_object('release_id', new.release_id)
    from (values ('released'), ('restated')) as said (kind)
    where said.kind = 'released'
        or exists (select 1 from ledger.correction_note where correction_note.release_id = new.release_id)
    on conflict (cause) do nothing;
    return null;
end
$$;
create or replace trigger notice_of_release after update of published_at on ledger.release
for each row when (old.published_at is null and new.published_at is not null) execute function ledger.notice_of_release();

create or replace function ledger.notice_of_sign_off()
returns trigger
language plpgsql
as $$
begin
    insert into ledger.notice (cause, kind, audience, details)
    values (
        'load ' || new.load_id || ' sign-off ' || left(new.digest, 12),
        'sign_off',
        'office',
        jsonb_build_object('load_id', new.load_id, 'run_id', new.run_id)
    )
    on conflict (cause) do nothing;
    return null;
end
$$;
create or replace trigger notice_of_sign_off after insert on ledger.sign_off_request
for each row execute function ledger.notice_of_sign_off();

-- A return that was due in the watched time and of which nothing has come that stands or is still to be judged.
create or replace view ledger.missing_return as
select
    expected_return.form,
    expected_return.partner_code,
    expected_return.reporting_quarter,
    expected_return.due_on,
    (
        select max(load.load_id)
        from ledger.load
        join ledger.verdict using (load_id)
        where load.form = expected_return.form
            and load.partner_code = expected_return.partner_code
            and load.reporting_quarter = expected_return.reporting_quarter
            and verdict.verdict = 'rejected'
    ) as rejected_load_id
from ledger.expected_return
where not exists (
    select 1
    from ledger.load_state
    where load_state.form = expected_return.form
        and load_state.partner_code = expected_return.partner_code
        and load_state.reporting_quarter = expected_return.reporting_quarter
        and load_state.state not in ('rejected', 'withdrawn')
);
comment on view ledger.missing_return is
'Grain: one row per expected return of which nothing has come that stands or waits for its verdict; rejected_load_id is the last that was refused.';

grant select on ledger.notice, ledger.notifying, ledger.missing_return to quarterday_loader, quarterday_builder;
grant insert on ledger.notice to quarterday_loader, quarterday_builder;
grant update (recipients, subject, body, body_html, tried_at, tried_count, sent_by, sent_at, error) on ledger.notice to quarterday_loader;
grant update (sending_since) on ledger.notifying to quarterday_loader;
