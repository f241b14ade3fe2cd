-- Grain: one row per priority and financial quarter with an action plan: how many actions have which letter.
with candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

actions as (

    select * from {{ ref('fct_action_status') }}

),

form_priorities as (

    select * from {{ ref('int_form_priority') }}
    where form = 'reducing_offending_action_plan'

),

final as (

    select
        form_priorities.priority_code,
        actions.period_key,
        count(*) filter (where actions.rag = 'R') as action_red_count,
        count(*) filter (where actions.rag = 'A') as action_amber_count,
        count(*) filter (where actions.rag = 'G') as action_green_count,
        count(*) filter (where actions.rag = 'W') as action_white_count
    from actions
    inner join form_priorities
        on actions.period_end between form_priorities.valid_from and coalesce(form_priorities.valid_to, 'infinity')
    where {{ would_be_published('actions') }}
    group by form_priorities.priority_code, actions.period_key

)

select * from final
