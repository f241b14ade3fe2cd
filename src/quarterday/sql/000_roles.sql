-- Roles of the warehouse. Passwords are set by quarterday.warehouse from the secrets folder.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['quarterday_loader', 'quarterday_builder', 'quarterday_reader'] loop
        if not exists (select 1 from pg_roles where rolname = role_name) then
            execute format('create role %I login', role_name);
        end if;
    end loop;
    -- The group of partners' logins; quarterday_reader is the group of BI logins, and a login itself.
    if not exists (select 1 from pg_roles where rolname = 'quarterday_partner') then
        create role quarterday_partner nologin;
    end if;
end
$$;

alter role quarterday_reader set default_transaction_read_only = on;
alter role quarterday_reader set statement_timeout = '5min';
alter role quarterday_reader set search_path = mart;
-- A dashboard asks several statements in one transaction and must find one release in all of them, though another is
-- published in between. A session that only reads never fails for it, and holds nobody up.
alter role quarterday_reader set default_transaction_isolation = 'repeatable read';

-- All of these are only the reader's defaults: a session can set them away. That it can write nothing rests on
-- rights. PostgreSQL lets everybody make large objects and write to its log of changes, so that right is taken away in
-- this database. Only a superuser can; on a server whose owner is none, ask its administrator to revoke the same.
do $$
declare
    writer regprocedure;
begin
    for writer in
        select oid from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and proname in (
                'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_truncate', 'lo_truncate64', 'lo_unlink',
                'lowrite', 'pg_logical_emit_message'
            )
            and pg_has_role(proowner, 'usage')
            and has_function_privilege('quarterday_reader', oid, 'execute')
    loop
        execute format('revoke execute on function %s from public', writer);
    end loop;
end
$$;
