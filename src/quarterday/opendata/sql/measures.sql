-- Grain: one row per measure. A measure's own threshold goes before that of its unit of count.
select
    measures.measure_code,
    measures.measure_name,
    measures.unit,
    measures.unit_of_count,
    measures.is_additive_over_time,
    measures.is_additive_over_area,
    measures.direction,
    measures.lag_months,
    measures.source_series,
    case when own.measure_code is null then units.threshold else own.threshold end as disclosure_threshold,
    rates.numerator_measure_code,
    rates.denominator_measure_code,
    rates.denominator_breakdown
from mart.dim_measure as measures
left join core.disclosure_thresholds as own on measures.measure_code = own.measure_code
left join core.disclosure_thresholds as units on measures.unit_of_count = units.unit_of_count and units.measure_code = '*'
left join core.disclosure_rates as rates on measures.measure_code = rates.measure_code
