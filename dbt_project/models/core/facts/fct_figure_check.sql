-- Grain: one row per release, printed figure and check of it; a figure that nothing checks has one row that says why.
{{ config(unique_key='release_id', pre_hook=joins_of_derived_facts()) }}

with built as (

    select * from {{ ref('int_fct_figure_check') }}

),

final as (

    select
        {{ promised_columns('built') }}
    from built

)

select * from final
