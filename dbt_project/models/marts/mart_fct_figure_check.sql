-- Grain: one row per printed figure and check of it, as of the newest release.
{{ config(alias='fct_figure_check') }}

with checks as (

    select * from {{ ref('fct_figure_check') }}

),

final as (

    select
        checks.release_id,
        checks.printed_figure_id,
        checks.check_code,
        checks.link_kind,
        checks.made_from,
        checks.part_count,
        checks.computed_value,
        checks.computed_text,
        checks.computed_low,
        checks.computed_high,
        checks.difference,
        checks.verdict,
        checks.reason,
        checks.is_inside_document,
        checks.cause,
        checks.explanation
    from checks
    where checks.release_id = {{ newest_release() }}

)

select * from final
