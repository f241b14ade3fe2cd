-- Grain: one row per term of the action plan.
{{ config(unique_key='term') }}

with terms as (

    select * from {{ ref('terms') }}

),

final as (

    select
        term,
        term_name,
        financial_year,
        term_order
    from terms

)

select * from final
