-- Grain: one row per measure.
{{ config(alias='dim_measure') }}

with measures as (

    select * from {{ ref('dim_measure') }}

),

final as (

    select
        measures.measure_code,
        measures.measure_name,
        measures.unit,
        measures.unit_of_count,
        measures.is_additive_over_time,
        measures.is_additive_over_area,
        measures.direction,
        measures.aggregation,
        measures.lag_months,
        measures.source_series
    from measures

)

select * from final
