-- Grain: one row per action and reporting quarter, as published now, with what it was in the plan before.
{{ config(alias='fct_action_status') }}

with actions as (

    select * from {{ ref('int_action_history') }}

),

final as (

    select
        {{ promised_columns('actions') }}
    from actions

)

select * from final
