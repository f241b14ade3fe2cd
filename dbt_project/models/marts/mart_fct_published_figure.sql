-- Grain: one row per figure printed in a report.
{{ config(alias='fct_published_figure') }}

with figures as (

    select * from {{ ref('fct_published_figure') }}

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
        figures.printed_value
    from figures

)

select * from final
