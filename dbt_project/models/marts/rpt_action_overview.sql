-- Grain: one row per reporting quarter, theme, term and RAG letter, with totals ('Total', 'all'). Counts are of action rows.
with actions as (

    select * from {{ ref('mart_fct_action_status') }}

),

periods as (

    select * from {{ ref('mart_dim_period') }}

),

terms as (

    select * from {{ ref('dim_term') }}

),

printed as (

    select * from {{ ref('mart_fct_published_figure') }}
    where table_name = 'action_overview'

),

action_details as (

    select * from {{ ref('mart_dim_action') }}

),

quarters as (

    select distinct period_key from actions

),

themes as (

    select distinct
        theme,
        theme_order
    from action_details
    union all
    select
        'Total' as theme,
        99 as theme_order

),

term_levels as (

    select
        term,
        term_order
    from terms
    union all
    select
        'all' as term,
        9 as term_order

),

rag_levels as (

    select
        levels.rag,
        levels.rag_order
    from (values ('R', 1), ('A', 2), ('G', 3), ('W', 4), ('all', 9)) as levels (rag, rag_order)

),

spine as (

    select
        quarters.period_key,
        themes.theme,
        themes.theme_order,
        term_levels.term,
        term_levels.term_order,
        rag_levels.rag,
        rag_levels.rag_order
    from quarters
    cross join themes
    cross join term_levels
    cross join rag_levels

),

counted as (

    select
        spine.period_key,
        spine.theme,
        spine.theme_order,
        spine.term,
        spine.term_order,
        spine.rag,
        spine.rag_order,
        count(actions.action_key)::integer as computed_count,
        count(actions.action_key) filter (where actions.is_carried_forward)::integer as carried_forward_count
    from spine
    left join actions
        on spine.period_key = actions.period_key
        and spine.theme in (actions.theme, 'Total')
        and spine.term in (actions.term, 'all')
        and spine.rag in (actions.rag, 'all')
    group by
        spine.period_key,
        spine.theme,
        spine.theme_order,
        spine.term,
        spine.term_order,
        spine.rag,
        spine.rag_order

),

final as (

    select
        counted.period_key,
        periods.period_label,
        periods.financial_quarter_sort as period_sort,
        counted.theme,
        counted.theme_order,
        counted.term,
        counted.term_order,
        counted.rag,
        counted.rag_order,
        counted.computed_count,
        counted.carried_forward_count,
        printed.printed_figure_id,
        printed.printed_text,
        printed.printed_value,
        case
            when printed.printed_figure_id is not null then counted.computed_count - coalesce(printed.printed_value, 0)
        end as difference,
        -- A blank cell of the printed matrix is a nought.
        case
            when printed.printed_figure_id is null then null
            else counted.computed_count = coalesce(printed.printed_value, 0)
        end as agrees
    from counted
    inner join periods on counted.period_key = periods.period_key
    left join printed
        on counted.period_key = printed.reporting_quarter
        and counted.theme = printed.theme
        and counted.term = printed.term
        and counted.rag = printed.rag

)

select * from final
