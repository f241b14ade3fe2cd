-- Grain: one row per action and reporting quarter.
select
    statuses.action_key,
    actions.action_number,
    actions.action_label,
    statuses.theme,
    statuses.period_key,
    statuses.rag,
    statuses.previous_rag,
    statuses.rag_movement,
    statuses.term,
    statuses.due_on,
    statuses.is_carried_forward,
    statuses.has_evidence,
    statuses.has_lead,
    statuses.finding_codes,
    statuses.load_id,
    statuses.sheet,
    statuses.line_number
from mart.fct_action_status as statuses
left join mart.dim_action as actions on statuses.action_key = actions.action_key
