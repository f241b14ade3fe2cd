-- Grain: one row per release, priority and financial quarter in which the priority's plan held.
{{ config(unique_key='release_id', pre_hook=joins_of_derived_facts()) }}

with built as (

    select * from {{ ref('int_fct_priority') }}

),

final as (

    select
        {{ promised_columns('built') }}
    from built

)

select * from final
