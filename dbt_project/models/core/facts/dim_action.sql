-- Grain: one row per action of an action plan, in the words of the newest quarter that reported it.
{{ config(incremental_strategy='merge', unique_key='action_key') }}

with action_lines as (

    select * from {{ ref('int_action_line') }}

),

themes as (

    select * from {{ ref('themes') }}

),

newest as (

    select distinct on (action_key)
        action_key,
        action_number,
        theme,
        reference,
        action_label,
        due_year,
        reporting_quarter
    from action_lines
    order by action_key, reporting_quarter desc, load_id desc

),

final as (

    select
        newest.action_key,
        newest.action_number,
        newest.theme,
        themes.theme_order::integer as theme_order,
        newest.reference,
        newest.action_label,
        newest.due_year,
        newest.reporting_quarter as described_in_quarter
    from newest
    left join themes on newest.theme = themes.theme
    {% if is_incremental() %}
    -- An older plan that arrives late does not take the words back.
    where not exists (
        select 1
        from {{ this }} as known
        where known.action_key = newest.action_key
            and known.described_in_quarter > newest.reporting_quarter
    )
    {% endif %}

)

select * from final
