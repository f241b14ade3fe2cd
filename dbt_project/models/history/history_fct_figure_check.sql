-- Grain: one row per release, printed figure and check of it, of every published release, with when it was known.
{{ config(alias='fct_figure_check') }}

with checks as (

    select * from {{ ref('fct_figure_check') }}

),

releases as (

    {{ published_releases() }}

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
        checks.explanation,
        releases.known_from,
        releases.known_to
    from checks
    inner join releases on checks.release_id = releases.release_id

)

select * from final
