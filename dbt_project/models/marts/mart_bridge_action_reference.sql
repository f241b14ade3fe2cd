-- Grain: one row per deliverable of the old framework, and of the new that takes it up; either may be missing.
{{ config(alias='bridge_action_reference') }}

with action_references as (

    select * from {{ ref('action_references') }}

),

final as (

    select
        {{ promised_columns('action_references') }}
    from action_references

)

select * from final
