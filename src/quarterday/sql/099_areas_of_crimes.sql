-- A row of the fact of crimes says its area also where its place is a key, so that who asks for an area need not look up each line's
-- place. Of a load released without, the release's table is written once more: rows that are changed where they stand would leave
-- it twice its size. A load has the area in all such rows or in none, so one row tells.
do $$
declare
    lacking bigint[];
    heir record;
    columns text;
begin
    if to_regclass('core.dim_crime_place') is null or to_regclass('core.fct_recorded_crime') is null then
        return;
    end if;
    select array_agg(load.load_id)
    into lacking
    from (select distinct load_id from core.dim_crime_place where area_code is not null) as load
    cross join lateral (
        select crime.area_code is null as is_lacking
        from core.fct_recorded_crime as crime
        join core.dim_crime_place as place using (load_id, place_key)
        where crime.load_id = load.load_id
            and place.area_code is not null
        limit 1
    ) as crime
    where crime.is_lacking;
    if lacking is null then
        return;
    end if;
    -- Better to stop than to have readers queue behind it.
    perform set_config('lock_timeout', '5s', true);
    lock table core.fct_recorded_crime in access exclusive mode;

    update only core.fct_recorded_crime as crime
    set area_code = place.area_code
    from core.dim_crime_place as place
    where crime.load_id = any(lacking)
        and place.load_id = crime.load_id
        and place.place_key = crime.place_key;

    for heir in
        select pg_class.oid as id, pg_class.oid::regclass as name, pg_class.relname
        from pg_inherits
        join pg_class on pg_class.oid = pg_inherits.inhrelid
        join pg_constraint on pg_constraint.conrelid = pg_class.oid and pg_constraint.conname = 'loads_of_release'
        where pg_inherits.inhparent = 'core.fct_recorded_crime'::regclass
            and string_to_array(substring(pg_get_constraintdef(pg_constraint.oid) from '[{]([0-9,]*)[}]'), ',')::bigint[] && lacking
    loop
        select string_agg(
            case attname
                when 'area_code' then 'coalesce(crime.area_code, place.area_code)'
                else 'crime.' || quote_ident(attname)
            end,
            ', ' order by attnum
        )
        into columns
        from pg_attribute
        where attrelid = heir.id and attnum > 0 and not attisdropped;
        execute format('create table core.renewed (like %s including constraints)', heir.name);
        execute format(
            'insert into core.renewed select %s from %s as crime left join core.dim_crime_place as place using (load_id, place_key)',
            columns, heir.name
        );
        execute format('drop table %s', heir.name);
        execute format('alter table core.renewed rename to %I', heir.relname);
        execute format(
            'alter table core.%I owner to quarterday_builder, alter column load_id set (n_distinct = 1000), '
            'inherit core.fct_recorded_crime',
            heir.relname
        );
        execute format('create index on core.%I (load_id, area_code)', heir.relname);
        execute format('analyze core.%I', heir.relname);
    end loop;
end
$$;
