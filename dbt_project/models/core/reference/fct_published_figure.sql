-- Grain: one row per figure printed in a report, as it was printed.
{{ config(unique_key='printed_figure_id') }}

with printed_figures as (

    select * from {{ ref('printed_figures') }}

),

documents as (

    select * from {{ ref('figure_documents') }}

),

final as (

    select
        printed_figures.printed_figure_id,
        documents.document_name as document,
        printed_figures.place,
        printed_figures.table_name,
        printed_figures.reporting_quarter,
        printed_figures.measure_code,
        printed_figures.area_code,
        printed_figures.column_type,
        printed_figures.period_key,
        printed_figures.label_printed,
        printed_figures.theme,
        printed_figures.term,
        printed_figures.rag,
        printed_figures.printed_text,
        printed_figures.printed_value,
        printed_figures.document_code,
        printed_figures.label,
        printed_figures.breakdown_code,
        printed_figures.period_start,
        printed_figures.period_end,
        printed_figures.unit,
        printed_figures.printed_step,
        printed_figures.qualifier,
        printed_figures.status,
        printed_figures.same_print_as
    from printed_figures
    left join documents on printed_figures.document_code = documents.document_code

)

select * from final
