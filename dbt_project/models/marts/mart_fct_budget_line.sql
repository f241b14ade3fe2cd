-- Grain: one row per body, budget line, financial year and status, as published now.
{{ config(alias='fct_budget_line') }}

with budget_lines as (

    select * from {{ ref('fct_budget_line') }}

),

final as (

    select
        {{ promised_columns('budget_lines') }}
    from budget_lines
    where {{ is_published('budget_lines') }}

)

select * from final
