-- A figure that was printed otherwise than we compute it is not published until somebody has said why:
-- docs/reconciliation.md. `quarterday reconcile --open` names the figures.
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
        and explanation is null

)

select * from final
