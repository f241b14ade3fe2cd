-- Grain: one row per number of an admitted return: load, sheet, line and column.
-- It is asked for a measure over all periods, and for a period's measures. What may be added up is kept: see dim_measure.
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

measures as (

    select * from {{ ref('dim_measure') }}

),

final as (

    select
        indicator_lines.load_id,
        indicator_lines.sheet,
        indicator_lines.line_number,
        indicator_lines.column_number,
        indicator_lines.column_name,
        indicator_lines.form,
        indicator_lines.partner_code,
        indicator_lines.measure_code,
        indicator_lines.breakdown_code,
        indicator_lines.area_code,
        indicator_lines.period_key,
        indicator_lines.period_type,
        indicator_lines.period_start,
        indicator_lines.period_end,
        indicator_lines.value,
        indicator_lines.value_qualifier,
        indicator_lines.value_flag,
        indicator_lines.value_as_sent,
        indicator_lines.numerator,
        indicator_lines.denominator,
        indicator_lines.status,
        indicator_lines.declared_rag,
        indicator_lines.note,
        {{ additive_value('indicator_lines') }} as additive_value
    from indicator_lines
    left join measures on indicator_lines.measure_code = measures.measure_code

)

select * from final
