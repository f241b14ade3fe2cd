-- Grain: one row per action of an action plan. Only what never changes: a plan's words stand with its lines, unseen until published.
{{ config(incremental_strategy='merge', unique_key='action_key') }}

with action_lines as (

    select * from {{ ref('int_action_line') }}

),

final as (

    select distinct
        action_key,
        action_number
    from action_lines

)

select * from final
