-- Grain: one row per action, reporting quarter and rule of action_rules that it breaks, as published now.
with actions as (

    select * from {{ ref('mart_fct_action_status') }}

),

action_details as (

    select * from {{ ref('fct_action_status') }}

),

periods as (

    select * from {{ ref('mart_dim_period') }}

),

rules as (

    select * from {{ ref('action_rules') }}

),

final as (

    select
        actions.period_key,
        periods.period_label,
        periods.financial_quarter_sort as period_sort,
        actions.action_key,
        rules.rule_code,
        rules.rule_order,
        action_details.action_label,
        actions.theme,
        action_details.theme_order,
        actions.rag,
        actions.term_printed,
        actions.due_on,
        replace(
            replace(rules.finding, '{printed}', coalesce(actions.term_printed, 'nothing')),
            '{read}',
            coalesce(actions.term, 'nothing') || case when actions.is_carried_forward then ' c/f' else '' end
        ) as finding,
        rules.remedy,
        actions.load_id,
        actions.sheet,
        actions.line_number
    from actions
    inner join action_details
        on actions.load_id = action_details.load_id
        and actions.action_key = action_details.action_key
    cross join lateral string_to_table(actions.finding_codes, ',') as broken (rule_code)
    inner join periods on actions.period_key = periods.period_key
    inner join rules on broken.rule_code = rules.rule_code

)

select * from final
