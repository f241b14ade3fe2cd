-- From text as sent to a typed value. But for the last, none of these raises: what can't be read gives null, and the view's <column>_ok says so.

-- A cell as it is compared with marks and labels: small letters, single spaces, plain dashes.
create or replace function typed.plain(sent text)
returns text
language sql
immutable
parallel safe
return lower(btrim(translate(regexp_replace(coalesce(sent, ''), '[\s\u00a0]+', ' ', 'g'), '‐‑‒–—―−', '-------')));

-- What stands before a printed number and makes it more or less than that number.
create or replace function typed.qualifier(sent text)
returns text
language sql
immutable
parallel safe
return case (regexp_match(
    typed.plain(sent),
    '^(just under|just over|more than|at least|up to|over|about|around|approximately|approx\.?|circa|c\.|nearly|almost)\s*£?\s*\d'
))[1]
    when 'just under' then 'just_under'
    when 'just over' then 'just_over'
    when 'more than' then 'more_than'
    when 'at least' then 'at_least'
    when 'up to' then 'up_to'
    when 'over' then 'over'
    when 'nearly' then 'nearly'
    when 'almost' then 'almost'
    when 'about' then 'about'
    when 'around' then 'about'
    when 'approximately' then 'about'
    when 'approx' then 'about'
    when 'approx.' then 'about'
    when 'circa' then 'about'
    when 'c.' then 'about'
    else 'exact'
end;

-- The number without what stands around it: a qualifier before, a mark such as [p] behind.
create or replace function typed.bare(sent text)
returns text
language sql
immutable
parallel safe
return regexp_replace(
    regexp_replace(
        typed.plain(sent),
        '^(just under|just over|more than|at least|up to|over|about|around|approximately|approx\.?|circa|c\.|nearly|almost)\s*(?=£?\s*\d)', ''
    ),
    '(?<=\d%?)\s*\[(low|[bcekpruwxz])\]$', ''
);

-- A mark of the statistical service, alone or behind a number, without its brackets: [c] [x] [z] [low] [p] [r].
create or replace function typed.shorthand(sent text)
returns text
language sql
immutable
parallel safe
return (regexp_match(typed.plain(sent), '^(?:.*\d%?\s*)?\[(low|[bcekpruwxz])\]$'))[1];

-- A number as text that casts to numeric, or null: £, %, thousands separators and brackets for a negative are understood.
-- Commas must part thousands: '1,23' is no number, since nobody can say which was meant.
create or replace function typed.number_text(sent text)
returns text
language sql
immutable
parallel safe
return case
    when length(sent) > 60 then null
    when typed.plain(sent) ~ '^[-+]?\d+(\.\d+)?$' then typed.plain(sent)
    when typed.plain(sent) ~ '^\(?\s*[-+]?\s*£?\s*[-+]?(\d{1,3}([, ]\d{3})+|\d+)?(\.\d+)?(e[-+]?\d{1,2})?\s*%?\s*\)?$'
        and typed.plain(sent) ~ '^[^e]*\d'
        and (typed.plain(sent) ~ '^\(') = (typed.plain(sent) ~ '\)$')
        and regexp_count(split_part(typed.plain(sent), 'e', 1), '[-+(]') <= 1
        then case when typed.plain(sent) ~ '^\(' then '-' else '' end
            || regexp_replace(typed.plain(sent), '[£%, ()]', '', 'g')
end;

-- A date as text that PostgreSQL reads the same whatever its settings, or null. It may still be a day that doesn't exist.
create or replace function typed.date_text(sent text)
returns text
language sql
immutable
parallel safe
return case
    when typed.plain(sent) ~ '^\d{4}-\d{1,2}-\d{1,2}([t ]00:00(:00(\.0+)?)?)?$'
        then (regexp_match(typed.plain(sent), '^\d{4}-\d{1,2}-\d{1,2}'))[1]
    when typed.plain(sent) ~ '^\d{1,2}[/.-]\d{1,2}[/.-]\d{4}$'
        then regexp_replace(typed.plain(sent), '^(\d+).(\d+).(\d+)$', '\3-\2-\1')
    -- Two digits of a year: 70 to 99 are the last century's, as spreadsheets and POSIX have it.
    when typed.plain(sent) ~ '^\d{1,2}[/.-]\d{1,2}[/.-][7-9]\d$'
        then regexp_replace(typed.plain(sent), '^(\d+).(\d+).(\d+)$', '19\3-\2-\1')
    when typed.plain(sent) ~ '^\d{1,2}[/.-]\d{1,2}[/.-]\d{2}$'
        then regexp_replace(typed.plain(sent), '^(\d+).(\d+).(\d+)$', '20\3-\2-\1')
    when typed.plain(sent) ~ '^([a-z]+day,? )?\d{1,2}(st|nd|rd|th)?[ -][a-z]{3,9}\.?[ -]\d{4}$'
        then regexp_replace(
            typed.plain(sent), '^(?:[a-z]+day,? )?(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3})[a-z]*\.?[ -](\d{4})$', '\3-\2-\1'
        )
    -- A spreadsheet's serial number: days since 30 December 1899; 20000 is 1954, 79999 is 2119.
    when typed.plain(sent) ~ '^[2-7]\d{4}(\.0+)?$'
        then extract(year from date '1899-12-30' + left(typed.plain(sent), 5)::integer)::text
            || '-' || extract(month from date '1899-12-30' + left(typed.plain(sent), 5)::integer)::text
            || '-' || extract(day from date '1899-12-30' + left(typed.plain(sent), 5)::integer)::text
end;

create or replace function typed.boolean_of(sent text)
returns boolean
language sql
immutable
parallel safe
return case
    when typed.plain(sent) in ('yes', 'y', 'true', '1', '1.0') then true
    when typed.plain(sent) in ('no', 'n', 'false', '0', '0.0') then false
end;

grant execute on all functions in schema typed to quarterday_loader, quarterday_builder;

-- Whether a text is pairs of hexadecimal digits with small letters. Null is null.
create or replace function typed.is_hex(sent text)
returns boolean
language sql
stable
parallel safe
return case
    when pg_input_is_valid('\x' || sent, 'bytea') then encode(decode(sent, 'hex'), 'hex') = sent
    when sent is not null then false
end;

-- The same in half the time, for a statement that may fail: digits that are none raise an error.
create or replace function typed.is_hex_or_fails(sent text)
returns boolean
language sql
immutable
parallel safe
return encode(decode(sent, 'hex'), 'hex') = sent;
