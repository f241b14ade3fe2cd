-- What a large load repeats together, such as a place's name, code and coordinates, is listed once for each combination when
-- the load is judged; facts may then hold a key of it in place of the cells.
create table if not exists landing.repeated_cells (
    load_id bigint not null,
    cells jsonb not null
);
create index if not exists repeated_cells_load on landing.repeated_cells (load_id);
comment on table landing.repeated_cells is 'Grain: one row per load and combination of the cells that it repeats together, as sent, by column. Only of loads in which each combination is plainly right.';
grant select, insert, delete on landing.repeated_cells to quarterday_loader;

-- A fact of crimes that was made before: rows that have a place_key have no place of their own.
do $$
begin
    if to_regclass('core.fct_recorded_crime') is not null then
        alter table core.fct_recorded_crime add column if not exists place_key bigint;
        alter table core.fct_recorded_crime alter column location drop not null;
    end if;
end
$$;
