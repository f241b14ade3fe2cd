-- A fact of crimes that was made before partner and month came from the ledger keeps its columns for its old rows; new ones
-- have none but the quarter.
do $$
declare
    old_column text;
begin
    for old_column in
        select column_name
        from information_schema.columns
        where table_schema = 'core'
            and table_name = 'fct_recorded_crime'
            and column_name in ('partner_code', 'period_start', 'period_end')
            and is_nullable = 'NO'
    loop
        execute format('alter table core.fct_recorded_crime alter column %I drop not null', old_column);
    end loop;
end
$$;
