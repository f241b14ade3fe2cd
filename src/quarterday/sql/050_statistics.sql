-- The planner's statistics hold common values of every table a role may select from, also of tables that it can't name:
-- the reader could learn figures there before they are published. Taking the views away needs a superuser, which the owner
-- of the embedded server is. On a server where it is none, an administrator runs the two statements.
do $$
begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        revoke select on pg_catalog.pg_stats, pg_catalog.pg_stats_ext, pg_catalog.pg_stats_ext_exprs from public;
        grant select on pg_catalog.pg_stats to quarterday_builder;
    else
        raise warning 'readers can see statistics of unpublished rows: as a superuser revoke select on pg_stats from public';
    end if;
end
$$;
