-- Grain: one row per action and reporting quarter, as published now, with what it was in the plan before.
with action_statuses as (

    select * from {{ ref('fct_action_status') }}

),

followed as (

    select
        action_statuses.*,
        lag(action_statuses.rag) over (
            partition by action_statuses.action_key
            order by action_statuses.period_start
        ) as previous_rag
    from action_statuses
    where {{ is_published('action_statuses') }}

),

final as (

    select
        followed.*,
        case
            when followed.previous_rag is null then 'first'
            when followed.previous_rag = followed.rag then 'same'
            when followed.rag = 'W' then 'superseded'
            when followed.previous_rag = 'W' then 'reopened'
            when strpos('RAG', followed.rag) > strpos('RAG', followed.previous_rag) then 'better'
            else 'worse'
        end as rag_movement
    from followed

)

select * from final
