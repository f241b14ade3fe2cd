-- Grain: one row per outcome of a plan and measure that it is followed by; an outcome without a measure has one row.
select
    outcomes.outcome_code,
    outcomes.priority_code,
    outcomes.outcome_order,
    outcomes.outcome_label,
    bridge.measure_code
from mart.dim_outcome as outcomes
left join mart.bridge_measure_outcome as bridge on outcomes.outcome_code = bridge.outcome_code
order by outcomes.outcome_code, bridge.measure_code
