-- Grain: one row per form, partner, measure, breakdown, area, period and status.
select
    measurements.form,
    measurements.partner_code,
    partners.partner_name,
    measurements.measure_code,
    measures.measure_name,
    measures.unit,
    measures.unit_of_count,
    measurements.breakdown_code,
    measurements.area_code,
    areas.ons_code,
    areas.area_name,
    measurements.period_key,
    measurements.period_type,
    measurements.period_start,
    measurements.period_end,
    measurements.value::numeric as value,
    measurements.value_flag,
    measurements.value_qualifier,
    measurements.numerator,
    measurements.denominator,
    measurements.status,
    measurements.load_id,
    measurements.sheet,
    measurements.line_number
from mart.fct_measurement as measurements
inner join mart.dim_measure as measures on measurements.measure_code = measures.measure_code
left join mart.dim_partner as partners on measurements.partner_code = partners.partner_code
left join mart.dim_area as areas on measurements.area_code = areas.area_code
