-- Grain: one row per release, outcome measure, area and financial quarter, from the baseline on to the end of the last year with a figure.
{{ config(unique_key='release_id', pre_hook=joins_of_derived_facts()) }}

with built as (

    select * from {{ ref('int_fct_outcome') }}

),

final as (

    select
        {{ promised_columns('built') }}
    from built

)

select * from final
