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
end
$$;

alter role quarterday_reader set default_transaction_read_only = on;
alter role quarterday_reader set statement_timeout = '5min';
alter role quarterday_reader set search_path = mart;
