-- Grain: one row per printed figure, with the range of numbers that it can stand for. A blank cell of a matrix is a nought.
with figures as (

    select * from {{ ref('fct_published_figure') }}

),

qualifiers as (

    select * from {{ ref('figure_qualifiers') }}

),

final as (

    select
        figures.printed_figure_id,
        figures.same_print_as,
        figures.document_code,
        figures.table_name,
        figures.reporting_quarter,
        figures.measure_code,
        figures.breakdown_code,
        figures.area_code,
        figures.column_type,
        figures.period_start,
        figures.period_end,
        figures.theme,
        figures.term,
        figures.rag,
        figures.unit,
        figures.status,
        figures.printed_text,
        figures.qualifier,
        coalesce(figures.printed_value, case when figures.theme is not null then 0 end) as value,
        trim_scale({{ figure_low('coalesce(figures.printed_value, case when figures.theme is not null then 0 end)', 'qualifiers', 'figures.printed_step') }}) as low,
        trim_scale({{ figure_high('coalesce(figures.printed_value, case when figures.theme is not null then 0 end)', 'qualifiers', 'figures.printed_step') }}) as high
    from figures
    inner join qualifiers on figures.qualifier = qualifiers.qualifier

)

select * from final
