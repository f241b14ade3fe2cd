-- Grain: one row per action of an action plan.
{{ config(alias='dim_action') }}

with actions as (

    select * from {{ ref('dim_action') }}

),

final as (

    select
        actions.action_key,
        actions.action_number,
        actions.theme,
        actions.theme_order,
        actions.reference,
        actions.action_label,
        actions.due_year,
        actions.described_in_quarter
    from actions

)

select * from final
