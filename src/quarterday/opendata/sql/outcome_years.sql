-- Grain: one row per outcome measure, area and financial year.
select
    outcomes.measure_code,
    measures.measure_name,
    measures.unit,
    measures.unit_of_count,
    outcomes.area_code,
    areas.ons_code,
    areas.area_name,
    outcomes.period_key,
    periods.period_start,
    periods.period_end,
    outcomes.value::numeric as value,
    null::text as value_flag,
    outcomes.value_qualifier,
    outcomes.numerator,
    outcomes.denominator,
    outcomes.quarter_count,
    outcomes.value_to_date,
    outcomes.baseline_period_key,
    baseline_periods.period_start as baseline_start,
    baseline_periods.period_end as baseline_end,
    outcomes.baseline_value,
    outcomes.change,
    outcomes.change_pct,
    outcomes.rag_computed,
    outcomes.aggregation,
    outcomes.reason,
    outcomes.status,
    outcomes.load_id,
    outcomes.sheet,
    outcomes.line_number
from mart.fct_outcome_year as outcomes
inner join mart.dim_measure as measures on outcomes.measure_code = measures.measure_code
inner join mart.dim_period as periods on outcomes.period_key = periods.period_key
left join mart.dim_period as baseline_periods on outcomes.baseline_period_key = baseline_periods.period_key
left join mart.dim_area as areas on outcomes.area_code = areas.area_code
