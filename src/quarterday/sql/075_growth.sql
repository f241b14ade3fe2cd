-- What keeps the cost of a release from growing with the history, on a warehouse whose facts were made without it.
-- New facts have it from dbt: see docs/decisions/0030.

-- The table of a large release of crimes names its loads in a check.
do $$
declare
    own_table regclass;
    loads text;
begin
    for own_table, loads in
        select pg_inherits.inhrelid::regclass, string_agg(release_load.load_id::text, ',' order by release_load.load_id)
        from pg_inherits
        join pg_class on pg_class.oid = pg_inherits.inhrelid
        join ledger.release_load on pg_class.relname = 'fct_recorded_crime_release_' || release_load.release_id
        where pg_inherits.inhparent = to_regclass('core.fct_recorded_crime')
            and not exists (
                select 1 from pg_constraint
                where pg_constraint.conrelid = pg_inherits.inhrelid and pg_constraint.conname = 'loads_of_release'
            )
        group by pg_inherits.inhrelid
    loop
        execute format('alter table %s add constraint loads_of_release check (load_id = any(%L::bigint[]))', own_table, '{' || loads || '}');
    end loop;
end
$$;

-- The planner takes it that a load may be in none of these tables, and looks for it in each by index: see 100_reads_of_crimes.sql.
do $$
declare
    own_table regclass;
begin
    for own_table in
        select pg_inherits.inhrelid::regclass
        from pg_inherits
        join pg_attribute on pg_attribute.attrelid = pg_inherits.inhrelid and pg_attribute.attname = 'load_id'
        where pg_inherits.inhparent = to_regclass('core.fct_recorded_crime')
            and pg_attribute.attoptions is null
    loop
        execute format('alter table %s alter column load_id set (n_distinct = 1000)', own_table);
        execute format('create index on %s using brin (load_id, line_number) with (pages_per_range = 16)', own_table);
        execute format('analyze %s (load_id)', own_table);
    end loop;
end
$$;

-- The fact of small releases is asked for single loads, and measurements for a measure's whole or parts, or for a period's.
do $$
declare
    wanted record;
begin
    for wanted in
        select *
        from (
            values
            ('fct_recorded_crime', '(load_id)'),
            ('fct_measurement', '(measure_code, breakdown_code, period_start)'),
            ('fct_measurement', '(period_key, load_id, measure_code, breakdown_code)')
        ) as indexes (fact, columns)
    loop
        if to_regclass('core.' || wanted.fact) is not null and not exists (
            select 1 from pg_indexes
            where schemaname = 'core' and tablename = wanted.fact and indexdef like '% USING btree ' || wanted.columns
        ) then
            execute format('create index on core.%I %s', wanted.fact, wanted.columns);
        end if;
    end loop;
end
$$;
