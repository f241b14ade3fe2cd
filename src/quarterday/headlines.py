"""The few tables that the demo prints: what a commissioner's office asks first, from ``mart`` as the reader sees it."""

from __future__ import annotations

FIRST_TIME_ENTRANTS = """
with cells as (
    select *
    from mart.rpt_outcome_against_baseline
    where measure_code = 'first_time_entrants'
),

missing as (
    select
        area_code,
        left(period_key, 7) as year_key,
        string_agg(
            right(period_key, 2) || ' ' || replace(lag_state, '_', ' ')
            || coalesce(' (' || to_char(available_on, 'FMDD Mon YYYY') || ')', ''),
            ', ' order by column_sort
        ) as quarters
    from cells
    where column_type = 'quarter' and lag_state <> 'available'
    group by area_code, left(period_key, 7)
)

select
    replace(cells.area_name, 'commissioner''s', 'PCC') as area,
    case when cells.column_type = 'rag' then 'RAG declared' else cells.column_label end as period,
    cells.computed_value as computed,
    coalesce(cells.printed_text, 'none') as printed,
    cells.difference as differs,
    cells.computed_rag as "RAG",
    case
        when cells.lag_state = 'available' then 'available'
        when cells.reason = 'quarter_not_available' then 'no total yet: ' || missing.quarters
        else replace(coalesce(cells.reason, cells.lag_state), '_', ' ')
    end as state
from cells
left join missing
    on cells.area_code = missing.area_code
    and cells.period_key = missing.year_key
where cells.column_type in ('baseline', 'annual', 'rag')
order by cells.area_code, cells.column_sort
"""
ACTION_OVERVIEW = """
select
    theme,
    sum(computed_count) filter (where rag = 'R') as red,
    sum(computed_count) filter (where rag = 'A') as amber,
    sum(computed_count) filter (where rag = 'G') as green,
    sum(computed_count) filter (where rag = 'W') as white,
    sum(computed_count) filter (where rag = 'all') as actions,
    sum(carried_forward_count) filter (where rag = 'all') as carried_forward
from mart.rpt_action_overview
where term = 'all' and period_key = (select max(period_key) from mart.rpt_action_overview)
group by theme, theme_order
order by theme_order
"""
DIFFERENCES = """
select theme, term, rag, computed_count as computed, coalesce(printed_text, '(blank)') as printed, difference
from mart.rpt_action_overview
where not agrees
order by theme_order, term_order, rag_order
"""
PRIORITIES = """
select
    period_key as quarter,
    replace(split_part(priority_code, '.', 2), '_', ' ') as priority,
    rag_rolled_up as rag,
    action_red_count as red,
    action_amber_count as amber,
    action_green_count as green,
    award_year_gbp as awards_gbp,
    nullif(award_missing_count, 0) as unknown,
    return_in_count as returns_in,
    return_late_count as late
from mart.fct_priority
where period_key in ('2016-17-Q4', '2017-18-Q3', '2017-18-Q4')
order by period_key, priority_code
"""

HEADLINES = (
    ("First-time entrants to youth justice, computed and as printed", FIRST_TIME_ENTRANTS),
    ("Reducing offending action plan: actions by theme", ACTION_OVERVIEW),
    ("Where the printed overview differs from its own rows", DIFFERENCES),
    ("Priorities (mart.fct_priority)", PRIORITIES),
)
