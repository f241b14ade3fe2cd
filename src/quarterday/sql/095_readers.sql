-- Who may read: a login per BI tool and per partner. The list is data of the ledger; quarterday.readers makes the roles.
-- BI logins are members of quarterday_reader. A partner's is a member of quarterday_partner, which may select from what the
-- dbt project says (meta: partners_see), and of that sees the rows of its own returns: docs/decisions/0045.
create table if not exists ledger.reader_login (
    reader_login_id bigint generated always as identity primary key,
    name text not null check (name ~ '^[a-z][a-z0-9_]{1,39}$'),
    partner_code text,
    statement_seconds integer not null check (statement_seconds > 0),
    idle_seconds integer not null check (idle_seconds > 0),
    connection_limit integer not null check (connection_limit > 0),
    made_at timestamptz not null default clock_timestamp(),
    made_by text not null,
    dropped_at timestamptz,
    dropped_by text,
    check ((dropped_at is null) = (dropped_by is null))
);
create unique index if not exists reader_login_name on ledger.reader_login (name) where dropped_at is null;
comment on table ledger.reader_login is 'Grain: one row per login given to a BI tool or a partner. Passwords are in the secrets folder alone.';
comment on column ledger.reader_login.partner_code is 'Whose figures the login may see; null for a BI tool, which sees all that is published.';
comment on column ledger.reader_login.idle_seconds is 'How long a session may sit in an open transaction before it is ended.';
revoke all on ledger.reader_login from quarterday_reader, quarterday_partner;
grant select on ledger.reader_login to quarterday_loader, quarterday_builder;

-- Who asks is told by the login with which the session began: no setting and no change of role alters that.
create or replace function ledger.partner_of_session()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select reader_login.partner_code
    from ledger.reader_login
    where 'quarterday_' || reader_login.name = session_user
        and reader_login.dropped_at is null
$$;
comment on function ledger.partner_of_session() is 'The partner whose login began the session; null for every other login.';

create or replace function ledger.loads_of_session()
returns bigint[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(load.load_id), '{}')
    from ledger.load
    where load.partner_code = ledger.partner_of_session()
$$;
comment on function ledger.loads_of_session() is 'The loads of the partner whose login began the session; none for every other login.';
revoke execute on function ledger.partner_of_session(), ledger.loads_of_session() from public;
grant execute on function ledger.partner_of_session(), ledger.loads_of_session() to quarterday_partner;

grant usage on schema mart, history, public to quarterday_partner;
grant select on ledger.load, ledger.load_event, ledger.verdict, ledger.load_period, ledger.release, ledger.release_load,
    ledger.publication, ledger.expected_return, ledger.line_correction to quarterday_partner;

-- The rows of the ledger below the views. Who is neither a partner nor the owner sees all, as before.
do $$
declare
    guarded record;
begin
    for guarded in
        select *
        from (
            values
            ('load', 'partner_code = (select ledger.partner_of_session())'),
            ('expected_return', 'partner_code = (select ledger.partner_of_session())'),
            ('load_event', 'load_id = any((select ledger.loads_of_session())::bigint[])'),
            ('verdict', 'load_id = any((select ledger.loads_of_session())::bigint[])'),
            ('load_period', 'load_id = any((select ledger.loads_of_session())::bigint[])'),
            ('release_load', 'load_id = any((select ledger.loads_of_session())::bigint[])'),
            ('publication', 'load_id = any((select ledger.loads_of_session())::bigint[])'),
            ('line_correction', 'load_id = any((select ledger.loads_of_session())::bigint[])'),
            ('release', 'true')  -- numbers and times of releases, which say nothing of anybody
        ) as tables (name, rule)
        where not exists (
            select 1 from pg_policy
            where polrelid = ('ledger.' || tables.name)::regclass and polname = 'partners_see_their_own'
        )
    loop
        execute format('alter table ledger.%I enable row level security', guarded.name);
        execute format(
            'create policy others_see_all on ledger.%I to quarterday_loader, quarterday_builder, quarterday_reader '
            'using (true) with check (true)',
            guarded.name
        );
        execute format(
            'create policy partners_see_their_own on ledger.%I for select to quarterday_partner using (%s)',
            guarded.name, guarded.rule
        );
    end loop;
end
$$;

-- A policy that lets all rows through still keeps the planner from some of its statistics. Where the owner may say so, who
-- sees all rows is asked no policy at all, so nobody but a partner pays for these.
do $$
declare
    role_name text;
begin
    if (select rolsuper or (rolcreaterole and rolbypassrls) from pg_roles where rolname = current_user) then
        for role_name in
            select rolname from pg_roles
            where rolname in ('quarterday_loader', 'quarterday_builder', 'quarterday_reader') and not rolbypassrls
        loop
            execute format('alter role %I bypassrls', role_name);
        end loop;
    end if;
end
$$;
