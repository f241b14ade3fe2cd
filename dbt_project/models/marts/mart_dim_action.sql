-- Grain: one row per action of an action plan, in the words of the newest quarter published.
{{ config(alias='dim_action') }}

with action_statuses as (

    select * from {{ ref('fct_action_status') }}

),

newest as (

    select distinct on (action_statuses.action_key) action_statuses.*
    from action_statuses
    where {{ is_published('action_statuses') }}
    order by action_statuses.action_key, action_statuses.period_key desc, action_statuses.load_id desc

),

final as (

    select
        {{ promised_columns('newest', but=['described_in_quarter']) }},
        newest.period_key as described_in_quarter
    from newest

)

select * from final
