-- A difference that is explained, or with a return, is no reason to stop, and no reason to be forgotten.
{{ config(severity='warn') }}

with checks as (

    select * from {{ ref('fct_figure_check') }}

),

final as (

    select
        printed_figure_id,
        check_code,
        cause
    from checks
    where release_id = {{ open_release() }}
        and verdict = 'differs'
        and not (is_inside_document and explanation is null)

)

select * from final
