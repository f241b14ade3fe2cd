-- Grain: one row per measure.
{{ config(unique_key='measure_code', post_hook='{{ renew_additive_values() }}') }}

with measures as (

    select * from {{ ref('measures') }}

),

final as (

    select
        measure_code,
        measure_name,
        unit,
        unit_of_count,
        is_additive_over_time,
        is_additive_over_area,
        direction,
        aggregation,
        lag_months,
        source_series
    from measures

)

select * from final
