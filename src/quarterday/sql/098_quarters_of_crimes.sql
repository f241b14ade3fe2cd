-- A row of the fact of crimes says its quarter, by which readers are led past the tables of other releases. Of a fact that was made
-- without, each release's table is written once more, with what is asked of lines first, as new ones have it: rows that are
-- changed where they stand would leave the table twice its size.
do $$
declare
    heir record;
    columns text;
    constraints text;
    quarters text[];
begin
    if to_regclass('core.fct_recorded_crime') is null or exists (
        select 1 from pg_attribute
        where attrelid = to_regclass('core.fct_recorded_crime') and attname = 'period_key' and attnotnull
    ) then
        return;
    end if;
    -- Better to stop than to have readers queue behind it.
    perform set_config('lock_timeout', '5s', true);
    lock table core.fct_recorded_crime in access exclusive mode;
    create temporary table file on commit drop as
        select load_period.load_id, ledger.quarter_key(min(load_period.period_start)) as quarter_key
        from ledger.load_period
        join ledger.load using (load_id)
        where load.form = 'street_crime'
        group by load_period.load_id;
    analyze file;
    alter table core.fct_recorded_crime add column if not exists period_key text;

    update only core.fct_recorded_crime as crime
    set period_key = file.quarter_key
    from file
    where file.load_id = crime.load_id;

    for heir in
        select pg_class.oid as id, pg_class.oid::regclass as name, pg_class.relname
        from pg_inherits
        join pg_class on pg_class.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = 'core.fct_recorded_crime'::regclass
    loop
        select string_agg(
            case attname
                when 'period_key' then 'file.quarter_key as period_key'
                else 'crime.' || quote_ident(attname)
            end,
            ', ' order by array_position(
                array['load_id', 'line_number', 'period_key', 'place_key', 'crime_id', 'crime_type', 'area_code', 'last_outcome']::name[], attname
            ), attnum
        )
        into columns
        from pg_attribute
        where attrelid = heir.id and attnum > 0 and not attisdropped;
        select string_agg('add ' || pg_get_constraintdef(oid), ', ')
        into constraints
        from pg_constraint
        where conrelid = heir.id and contype = 'n';
        select concat_ws(', ', constraints, string_agg('add constraint ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid), ', '))
        into constraints
        from pg_constraint
        where conrelid = heir.id and contype = 'c' and conname <> 'quarters_of_release';
        -- A row whose load has no period would have no quarter: better that the migration stops at it than that the row is lost.
        execute format('create table core.renewed as select %s from %s as crime left join file using (load_id)', columns, heir.name);
        execute 'select array_agg(distinct period_key order by period_key) from core.renewed' into quarters;
        execute format('drop table %s', heir.name);
        execute format('alter table core.renewed rename to %I', heir.relname);
        execute format(
            'alter table core.%I %s, alter column period_key set not null, '
            'add constraint quarters_of_release check (period_key = any(%L::text[])), '
            'alter column load_id set (n_distinct = 1000), inherit core.fct_recorded_crime',
            heir.relname, constraints, quarters
        );
        execute format('alter table core.%I owner to quarterday_builder', heir.relname);
        execute format('create index on core.%I (load_id, area_code)', heir.relname);
        execute format('analyze core.%I', heir.relname);
    end loop;
    alter table core.fct_recorded_crime alter column period_key set not null;
end
$$;
