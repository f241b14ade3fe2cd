-- Grain: one row per form and the priority that it serves under a plan, dated by the plan.
with form_priorities as (

    select * from {{ source('ledger', 'form_priority') }}

),

priorities as (

    select * from {{ ref('priorities') }}

),

plans as (

    select * from {{ ref('plans') }}

),

final as (

    select
        form_priorities.form,
        form_priorities.priority_code,
        plans.valid_from,
        plans.valid_to
    from form_priorities
    inner join priorities on form_priorities.priority_code = priorities.priority_code
    inner join plans on priorities.plan_code = plans.plan_code

)

select * from final
