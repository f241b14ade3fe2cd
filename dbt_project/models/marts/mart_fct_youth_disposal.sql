-- Grain: one row per youth offending team, disposal and year, as published now. No totals, so that all may be added up.
{{ config(alias='fct_youth_disposal') }}

with disposals as (

    select * from {{ ref('fct_youth_disposal') }}

),

final as (

    select
        {{ promised_columns('disposals') }}
    from disposals
    where disposals.line_kind = 'disposal'
        and {{ is_published('disposals') }}

)

select * from final
