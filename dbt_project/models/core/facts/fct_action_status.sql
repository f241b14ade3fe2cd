-- Grain: one row per action and load of an action plan; a load reports on one quarter.
{{ config(incremental_strategy='replace_loads', unique_key='load_id') }}

with action_lines as (

    select * from {{ ref('int_action_line') }}

),

themes as (

    select * from {{ ref('themes') }}

),

final as (

    select
        action_lines.load_id,
        action_lines.sheet,
        action_lines.line_number,
        action_lines.action_key,
        action_lines.action_number,
        action_lines.reporting_quarter as period_key,
        action_lines.quarter_start as period_start,
        action_lines.quarter_end as period_end,
        action_lines.theme,
        themes.theme_order::integer as theme_order,
        action_lines.reference,
        action_lines.action_label,
        action_lines.due_year,
        action_lines.due_on,
        action_lines.rag,
        action_lines.term,
        action_lines.term_printed,
        action_lines.is_carried_forward,
        action_lines.has_evidence,
        action_lines.has_lead,
        action_lines.finding_codes,
        action_lines.findings
    from action_lines
    left join themes on action_lines.theme = themes.theme

)

select * from final
