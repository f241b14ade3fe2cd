-- Grain: one row per reporting quarter, theme, term and RAG letter, with totals.
select
    overview.period_key,
    overview.theme,
    overview.theme_order,
    overview.term,
    overview.term_order,
    overview.rag,
    overview.rag_order,
    overview.computed_count,
    overview.printed_figure_id,
    overview.printed_text,
    overview.agrees
from mart.rpt_action_overview as overview
order by overview.period_key, overview.theme_order, overview.term_order, overview.rag_order
