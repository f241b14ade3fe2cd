-- Grain: one row per earlier release that was public, outcome measure, area and financial quarter, or year, with a figure.
select
    facts.release_id,
    facts.measure_code,
    facts.area_code,
    facts.period_key,
    periods.period_start,
    periods.period_end,
    facts.value::numeric as value,
    facts.value_qualifier,
    facts.status
from {relation} as facts
inner join mart.dim_period as periods on facts.period_key = periods.period_key
where facts.release_id = any(%(releases)s) and facts.value is not null
