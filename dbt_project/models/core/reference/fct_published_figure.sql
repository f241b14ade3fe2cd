-- Grain: one row per figure printed in a report, as it was printed.
{{ config(unique_key='printed_figure_id') }}

with printed_figures as (

    select * from {{ ref('printed_figures') }}

),

final as (

    select
        printed_figure_id,
        document,
        place,
        table_name,
        reporting_quarter,
        measure_code,
        area_code,
        column_type,
        period_key,
        label_printed,
        theme,
        term,
        rag,
        printed_text,
        printed_value
    from printed_figures

)

select * from final
