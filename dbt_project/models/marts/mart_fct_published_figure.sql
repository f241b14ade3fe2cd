-- Grain: one row per figure printed in a report, with the check that decides what is said of it.
{{ config(alias='fct_published_figure') }}

with figures as (

    select * from {{ ref('fct_published_figure') }}

),

checks as (

    select * from {{ ref('mart_fct_figure_check') }}

),

-- A difference comes first, an open one before an explained one; then the check that rests on the most.
ranked as (

    select
        checks.*,
        count(*) filter (where checks.link_kind <> 'none') over (partition by checks.printed_figure_id) as check_count,
        row_number() over (
            partition by checks.printed_figure_id
            order by
                case
                    when checks.verdict = 'differs' and checks.explanation is null then 1
                    when checks.verdict = 'differs' then 2
                    when checks.verdict = 'cannot_be_checked' then 4
                    else 3
                end,
                array_position(array['recomputed', 'relation', 'loaded', 'repeated', 'listed', 'bound', 'date'], checks.link_kind),
                checks.check_code
        ) as precedence
    from checks

),

final as (

    select
        figures.printed_figure_id,
        figures.document,
        figures.place,
        figures.table_name,
        figures.reporting_quarter,
        figures.measure_code,
        figures.area_code,
        figures.column_type,
        figures.period_key,
        figures.label_printed,
        figures.theme,
        figures.term,
        figures.rag,
        figures.printed_text,
        figures.printed_value,
        figures.document_code,
        figures.label,
        figures.breakdown_code,
        figures.period_start,
        figures.period_end,
        figures.unit,
        figures.printed_step,
        figures.qualifier,
        figures.status,
        figures.same_print_as,
        ranked.check_code,
        ranked.link_kind,
        ranked.made_from,
        ranked.computed_value,
        ranked.computed_text,
        ranked.difference,
        ranked.verdict,
        ranked.reason,
        ranked.cause,
        ranked.explanation,
        coalesce(ranked.verdict = 'differs' and ranked.explanation is null, false) as is_open,
        coalesce(ranked.check_count, 0)::integer as check_count
    from figures
    left join ranked
        on figures.printed_figure_id = ranked.printed_figure_id
        and ranked.precedence = 1

)

select * from final
