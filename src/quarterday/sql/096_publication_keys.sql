-- The key of a period, from which no label as sent is ever taken. Dates are written out by hand: to_char() counts as depending on
-- the session, and a column that is kept may not.
create or replace function ledger.quarter_key(day date) returns text
language sql immutable parallel safe
return extract(year from day - interval '3 months')::integer::text
    || '-' || lpad((extract(year from day + interval '9 months')::integer % 100)::text, 2, '0')
    || '-Q' || extract(quarter from day - interval '3 months')::integer::text;
comment on function ledger.quarter_key(date) is 'The financial quarter of a day, such as 2017-18-Q3.';

create or replace function ledger.day_key(day date) returns text
language sql immutable parallel safe
return lpad(extract(year from day)::integer::text, 4, '0')
    || '-' || lpad(extract(month from day)::integer::text, 2, '0')
    || '-' || lpad(extract(day from day)::integer::text, 2, '0');
comment on function ledger.day_key(date) is 'A day as ISO 8601 writes it.';

create or replace function ledger.period_key(period_type text, period_start date, period_end date) returns text
language sql immutable parallel safe
return case period_type
    when 'financial_quarter' then ledger.quarter_key(period_start)
    when 'financial_year' then left(ledger.quarter_key(period_start), 7)
    when 'as_at' then 'as_at:' || ledger.day_key(period_end)
    else period_type || ':' || ledger.day_key(period_start) || '/' || ledger.day_key(period_end)
end;
comment on function ledger.period_key(text, date, date) is 'The key of dim_period: two dates and a type.';

-- Facts are joined to what is published by load and period: a hash or an index knows keys and dates, and no ranges. Last of all
-- migrations: nobody reads the marts from here to the end of the transaction, the first time.
do $$
begin
    if not exists (
        select 1 from pg_attribute where attrelid = 'ledger.publication'::regclass and attname = 'is_current'
    ) then
        -- The table is small and is written once more; better to stop than to have readers queue behind it.
        perform set_config('lock_timeout', '5s', true);
        alter table ledger.publication
            add column period_start date generated always as (lower(period)) stored,
            add column period_end date generated always as (upper(period) - 1) stored,
            add column period_key text generated always as (
                ledger.period_key(period_type, lower(period), upper(period) - 1)
            ) stored,
            add column quarter_key text generated always as (ledger.quarter_key(lower(period))) stored,
            add column is_current boolean generated always as (upper_inf(known) and upper_inf(issued)) stored;
        create index publication_period on ledger.publication (period_key);
        create index publication_quarter on ledger.publication (quarter_key);
    end if;
end
$$;
comment on column ledger.publication.period_key is 'The period as facts and dim_period name it.';
comment on column ledger.publication.quarter_key is 'The financial quarter in which the period begins.';
comment on column ledger.publication.is_current is 'Published now: neither taken back nor superseded.';
