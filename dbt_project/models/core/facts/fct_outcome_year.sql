-- Grain: one row per release, outcome measure, area and financial year.
{{ config(unique_key='release_id', pre_hook=joins_of_derived_facts()) }}

with built as (

    select * from {{ ref('int_fct_outcome_year') }}

),

final as (

    select
        {{ promised_columns('built') }}
    from built

)

select * from final
