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
comment on column ledger.correction_note.digest is 'SHA-256 of the figures, lines of registers and ratings that the release restates.';

grant select on ledger.correction_note to quarterday_loader, quarterday_builder, quarterday_reader;
grant insert, delete on ledger.correction_note to quarterday_builder;

-- Sign-off. A load that speaks again about what readers were told, or of which set-aside lines are to be taken in, is
-- assessed against what readers see now: what would it change, and does a rule (returns/sign_off_rules.csv) ask for a named
-- person's approval? Rows are only ever added; the newest assessment counts.
create table if not exists ledger.assessment (
    assessment_id bigint generated always as identity primary key,
    load_id bigint not null references ledger.load,
    against_release_id bigint references ledger.release,
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    restated_count integer not null,
    rules text[] not null,
    approvers text[] not null,
    told text not null,
    assessed_at timestamptz not null default clock_timestamp(),
    check (cardinality(rules) = 0 or cardinality(approvers) > 0)
);
comment on table ledger.assessment is 'Grain: one row per time a load was compared with what readers saw then.';
comment on column ledger.assessment.against_release_id is 'The newest published release of the time; null before the first.';
comment on column ledger.assessment.digest is 'SHA-256 of the figures, lines of registers and ratings that would be restated, and of the lines to be accepted.';
comment on column ledger.assessment.rules is 'The rules that ask for an approval; empty where none does.';
comment on column ledger.assessment.approvers is 'Who may decide: users whom each of the rules names.';
comment on column ledger.assessment.told is 'The changes as they are shown to who decides, in Markdown.';
create index if not exists assessment_load on ledger.assessment (load_id, assessment_id desc);

create table if not exists ledger.sign_off (
    sign_off_id bigint generated always as identity primary key,
    load_id bigint not null references ledger.load,
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    decision text not null check (decision in ('approved', 'declined')),
    decided_by text not null,
    reason text not null check (reason <> ''),
    rules text[] not null,
    run_id text,
    decided_at timestamptz not null default clock_timestamp()
);
comment on table ledger.sign_off is 'Grain: one row per decision of a named person on exactly the changes of a digest. The newest counts.';
create index if not exists sign_off_load on ledger.sign_off (load_id, sign_off_id desc);

create table if not exists ledger.sign_off_request (
    load_id bigint not null references ledger.load,
    digest text not null,
    run_id text not null,
    asked_at timestamptz not null default clock_timestamp(),
    primary key (load_id, digest)
);
comment on table ledger.sign_off_request is 'Which run of returns__sign_off asks about a load''s changes, so that nobody is asked twice.';

create table if not exists ledger.accepted_check (
    load_id bigint not null references ledger.load,
    check_id text not null,
    line_count bigint not null,
    reason text not null check (reason <> ''),
    accepted_by text not null,
    accepted_at timestamptz not null default clock_timestamp(),
    lapsed_at timestamptz,
    primary key (load_id, check_id)
);
comment on table ledger.accepted_check is
'Grain: one row per load and check whose set-aside lines are to be taken in by exception, once a named person approves of it.';
comment on column ledger.accepted_check.lapsed_at is 'When the exception was declined: the lines stay set aside.';

create or replace view ledger.quarantined_line as
select
    line_issue.load_id,
    line_issue.sheet,
    line_issue.line_number
from ledger.line_issue
where line_issue.action = 'quarantine_line'
    and not exists (
        select 1
        from ledger.accepted_check
        where accepted_check.load_id = line_issue.load_id
            and accepted_check.check_id = line_issue.check_id
            and accepted_check.lapsed_at is null
    );
comment on view ledger.quarantined_line is
'Grain: one row per finding that keeps a line out of the facts; a line is taken in when none is left.';

do $$
begin
    if not exists (
        select 1 from pg_constraint
        where conrelid = 'ledger.load_event'::regclass
            and conname = 'load_event_event_check'
            and pg_get_constraintdef(oid) like '%held%'
    ) then
        alter table ledger.load_event drop constraint if exists load_event_event_check;
        alter table ledger.load_event add constraint load_event_event_check check (event in (
            'registered', 'landed', 'admitted', 'rejected', 'released', 'withdrawn', 'held', 'approved', 'declined'
        ));
    end if;
end
$$;

-- Whether a load may be published. Opening a release asks it, and publishing asks it again in its own transaction.
create or replace function ledger.clearance(p_load_id bigint)
returns text
language sql
stable
as $$
    with newest_release as (
        select release.release_id
        from ledger.release
        where release.published_at is not null
        order by release.published_at desc, release.release_id desc
        limit 1
    ),
    newest_assessment as (
        select assessment.*
        from ledger.assessment
        where assessment.load_id = p_load_id
        order by assessment.assessment_id desc
        limit 1
    ),
    newest_decision as (
        select
            sign_off.decision,
            sign_off.digest,
            sign_off.decided_at
        from ledger.sign_off
        where sign_off.load_id = p_load_id
        order by sign_off.sign_off_id desc
        limit 1
    )
    select
        case
            -- For good, whatever is published later; but of a return with exceptions these are what was declined.
            when exists (
                select 1
                from newest_decision
                where newest_decision.decision = 'declined'
                    and not exists (
                        select 1
                        from ledger.accepted_check
                        where accepted_check.load_id = p_load_id
                            and accepted_check.lapsed_at >= newest_decision.decided_at
                    )
            )
                then 'declined'
            when not exists (
                    select 1 from ledger.accepted_check
                    where accepted_check.load_id = p_load_id and accepted_check.lapsed_at is null
                )
                and not exists (
                    select 1
                    from ledger.load
                    join ledger.load_period using (load_id)
                    join ledger.publication
                        on publication.form = load.form
                        and publication.partner_code = load.partner_code
                        and publication.period_type = load_period.period_type
                        and publication.period = daterange(load_period.period_start, load_period.period_end, '[]')
                        and publication.load_id <> load.load_id
                    where load.load_id = p_load_id
                        and upper_inf(publication.known)
                        and upper_inf(publication.issued)
                )
                then 'free'
            when not exists (select 1 from newest_assessment)
                or (select newest_assessment.against_release_id from newest_assessment)
                is distinct from (select newest_release.release_id from newest_release)
                or exists (
                    select 1
                    from ledger.accepted_check
                    join newest_assessment using (load_id)
                    where greatest(accepted_check.accepted_at, accepted_check.lapsed_at) > newest_assessment.assessed_at
                )
                then 'to assess'
            when (select cardinality(newest_assessment.rules) from newest_assessment) = 0 then 'free'
            when exists (
                select 1
                from newest_decision
                join newest_assessment using (digest)
                where newest_decision.decision = 'approved'
            )
                then 'approved'
            else 'to sign off'
        end
$$;
comment on function ledger.clearance(bigint) is
'free: nothing restated, or no rule asks; approved or declined: by a named person; to sign off: waits for one; to assess: not compared with what readers see now.';

grant select on ledger.assessment, ledger.sign_off, ledger.sign_off_request, ledger.accepted_check, ledger.quarantined_line
    to quarterday_loader, quarterday_builder, quarterday_reader;
grant insert on ledger.assessment, ledger.sign_off, ledger.sign_off_request to quarterday_builder;
grant update (lapsed_at) on ledger.accepted_check to quarterday_builder;
grant insert on ledger.accepted_check to quarterday_loader;
