-- Grain: one row per action and reporting quarter, as published now.
{{ config(alias='fct_action_status') }}

with action_statuses as (

    select * from {{ ref('fct_action_status') }}

),

final as (

    select
        action_statuses.load_id,
        action_statuses.sheet,
        action_statuses.line_number,
        action_statuses.action_key,
        action_statuses.period_key,
        action_statuses.period_start,
        action_statuses.period_end,
        action_statuses.theme,
        action_statuses.rag,
        action_statuses.term,
        action_statuses.term_printed,
        action_statuses.is_carried_forward,
        action_statuses.has_evidence,
        action_statuses.has_lead,
        action_statuses.findings
    from action_statuses
    where {{ is_published('action_statuses') }}

)

select * from final
