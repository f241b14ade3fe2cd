-- Grain: one row per outcome measure, area and financial quarter: what is said of its chart besides the figures.
select
    outcomes.measure_code,
    outcomes.area_code,
    outcomes.period_key,
    outcomes.signal_state,
    outcomes.signal_reason,
    outcomes.charted_from,
    outcomes.rebase_reason
from mart.fct_outcome as outcomes
