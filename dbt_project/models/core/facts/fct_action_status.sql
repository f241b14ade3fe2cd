-- Grain: one row per action and load of an action plan; a load reports on one quarter.
{{ config(unique_key='load_id') }}

with action_lines as (

    select * from {{ ref('int_action_line') }}

),

final as (

    select
        load_id,
        sheet,
        line_number,
        action_key,
        reporting_quarter as period_key,
        quarter_start as period_start,
        quarter_end as period_end,
        theme,
        rag,
        term,
        term_printed,
        is_carried_forward,
        has_evidence,
        has_lead,
        findings
    from action_lines

)

select * from final
