-- A release's own table of crimes says of its loads what the planner does better not to find out for itself. Asked by way of what is
-- published, it doesn't know which tables hold a load: told of a thousand loads, it expects little of each, looks for them in the
-- index and reads no table whole. Told that they lie anywhere, it takes the pages of a load together, as the server reads them
-- sixteen at a time, and not one by one in the order of the index. A server before 18 can't be told that; it is told the number,
-- which holds once it has looked for itself.
create or replace function ledger.describe_loads(p_own_table regclass)
returns void
language plpgsql
as $$
begin
    execute format('alter table %s alter column load_id set (n_distinct = 1000)', p_own_table);
    if to_regproc('pg_catalog.pg_restore_attribute_stats') is null then
        return;
    end if;
    execute format('alter table %s alter column load_id set statistics 0', p_own_table);
    execute
        'select pg_restore_attribute_stats('
        '''schemaname'', nspname::text, ''relname'', relname::text, ''attname'', ''load_id'', ''inherited'', false, '
        '''null_frac'', 0::real, ''avg_width'', 8, ''n_distinct'', 1000::real, ''correlation'', 0::real) '
        'from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = $1'
    using p_own_table;
end
$$;
comment on function ledger.describe_loads(regclass) is 'Tells the planner of the loads in the own table of a large release of crimes.';

-- Also of what was restored from a backup, which holds no such statistics.
do $$
declare
    own_table regclass;
begin
    for own_table in
        select pg_class.oid::regclass
        from pg_inherits
        join pg_class on pg_class.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = to_regclass('core.fct_recorded_crime')
            and not exists (
                select 1 from pg_stats
                where pg_stats.schemaname = pg_class.relnamespace::regnamespace::text
                    and pg_stats.tablename = pg_class.relname
                    and pg_stats.attname = 'load_id'
                    and pg_stats.n_distinct = 1000
                    and pg_stats.correlation = 0
            )
    loop
        perform ledger.describe_loads(own_table);
    end loop;
end
$$;

-- Its index leads to a load's lines, and among them to those of an area: files have the lines of an area side by side. Readers go on
-- while the indexes are made. From when an older one goes until the migration is done they wait, so these go last; better to stop than
-- to have readers queue behind a wait.
do $$
declare
    own_table regclass;
    older regclass;
begin
    for own_table in
        select inhrelid::regclass
        from pg_inherits
        where inhparent = to_regclass('core.fct_recorded_crime')
            and not exists (
                select 1 from pg_index
                where indrelid = inhrelid and pg_get_indexdef(indexrelid) like '% USING btree (load_id, area_code)'
            )
    loop
        execute format('create index on %s (load_id, area_code)', own_table);
    end loop;
    for older in
        select indexrelid::regclass
        from pg_inherits
        join pg_index on indrelid = inhrelid
        where inhparent = to_regclass('core.fct_recorded_crime')
            and pg_get_indexdef(indexrelid) like '% USING btree (load_id)'
        order by indrelid
    loop
        perform set_config('lock_timeout', '5s', true);
        execute format('drop index %s', older);
    end loop;
end
$$;
