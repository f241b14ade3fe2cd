-- Grain: one row per printed cell of the action plan's matrix and way to count it: from the plan's rows, or from the
-- matrix's own inner cells.
with figures as (

    select * from {{ ref('int_figure_range') }}
    where theme is not null

),

actions as (

    select * from {{ ref('fct_action_status') }}

),

candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

current_actions as (

    select actions.*
    from actions
    inner join candidates
        on actions.load_id = candidates.load_id
        and candidates.period @> actions.period_end

),

quarters as (

    select distinct period_key from current_actions

),

from_rows as (

    select
        figures.printed_figure_id,
        'loaded_rows' as check_code,
        'recomputed' as link_kind,
        'mart.fct_action_status' as made_from,
        count(current_actions.action_key) as value
    from figures
    inner join quarters on figures.reporting_quarter = quarters.period_key
    left join current_actions
        on figures.reporting_quarter = current_actions.period_key
        and figures.theme in (current_actions.theme, 'Total')
        and figures.term in (current_actions.term, 'all')
        and figures.rag in (current_actions.rag, 'all')
    group by figures.printed_figure_id

),

inner_cells as (

    select * from figures
    where table_name <> 'figures'
        and theme <> 'Total'
        and term <> 'all'
        and rag <> 'all'

),

from_cells as (

    select
        figures.printed_figure_id,
        'printed_matrix' as check_code,
        'relation' as link_kind,
        'printed figures of ' || figures.document_code as made_from,
        sum(inner_cells.value) as value
    from figures
    inner join inner_cells
        on figures.document_code = inner_cells.document_code
        and figures.reporting_quarter = inner_cells.reporting_quarter
        and figures.theme in (inner_cells.theme, 'Total')
        and figures.term in (inner_cells.term, 'all')
        and figures.rag in (inner_cells.rag, 'all')
    where 'Total' = figures.theme
        or 'all' in (figures.term, figures.rag)
    group by
        figures.printed_figure_id,
        figures.document_code

),

final as (

    select
        printed_figure_id,
        check_code,
        link_kind,
        made_from,
        value::integer as part_count,
        value::numeric as value
    from from_rows
    union all
    select
        printed_figure_id,
        check_code,
        link_kind,
        made_from,
        value::integer as part_count,
        value::numeric as value
    from from_cells

)

select * from final
