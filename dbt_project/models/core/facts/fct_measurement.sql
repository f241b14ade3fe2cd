-- Grain: one row per number of an admitted return: load, sheet, line and column.
-- It is asked for a measure over all periods, and for a period's measures.
{{ config(
    incremental_strategy='replace_loads',
    unique_key='load_id',
    indexes=[
        {'columns': ['measure_code', 'breakdown_code', 'period_start']},
        {'columns': ['period_key', 'load_id', 'measure_code', 'breakdown_code']},
    ],
) }}

with indicator_lines as (

    select * from {{ ref('stg_indicator') }}
    where {{ in_release() }}

),

final as (

    select
        load_id,
        sheet,
        line_number,
        column_number,
        column_name,
        form,
        partner_code,
        measure_code,
        breakdown_code,
        area_code,
        period_key,
        period_type,
        period_start,
        period_end,
        value,
        value_qualifier,
        value_flag,
        value_as_sent,
        numerator,
        denominator,
        status,
        declared_rag,
        note
    from indicator_lines

)

select * from final
