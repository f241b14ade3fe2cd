-- Grain: one row: how many lines of a register's return are not in the one that takes its place, and the other way; and
-- whether all that go were provisional. Lines alike in all are counted, not told apart.
with lines as (
    select
        load_id,
        to_jsonb(line) - 'load_id' - 'sheet' - 'line_number' as content
    from {} as line
    where load_id in (%(old)s, %(new)s)
),

counts as (
    select
        content,
        count(*) filter (where load_id = %(old)s) - count(*) filter (where load_id = %(new)s) as surplus
    from lines
    group by content
)

select
    coalesce(sum(greatest(surplus, 0)), 0)::bigint as gone,
    coalesce(sum(greatest(-surplus, 0)), 0)::bigint as fresh,
    coalesce(bool_and(content ->> 'status' = any(%(provisional)s)) filter (where surplus > 0), false) as were_provisional
from counts
