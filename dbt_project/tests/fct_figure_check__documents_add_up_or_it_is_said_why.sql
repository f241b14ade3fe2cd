-- A report that contradicts itself is not published beside our figures until somebody has said why: docs/reconciliation.md.
-- A return that contradicts a report is no fault of the release: it is published, and the figure stands open.
-- `quarterday reconcile --open` names both.
with checks as (

    select * from {{ ref('fct_figure_check') }}

),

final as (

    select
        printed_figure_id,
        check_code,
        computed_value,
        difference
    from checks
    where release_id = {{ open_release() }}
        and verdict = 'differs'
        and is_inside_document
        and explanation is null

)

select * from final
