-- Grain: one row per period: every financial quarter and year that a reader may ask for, and what was ever published about.
-- A period that only a return not yet published names is nobody's business before it is.
{{ config(alias='dim_period') }}

with periods as (

    select * from {{ ref('dim_period') }}

),

publication as (

    select * from {{ source('ledger', 'publication') }}

),

final as (

    select
        {{ promised_columns('periods') }}
    from periods
    where (
        period_type in ('financial_quarter', 'financial_year')
        and period_start >= '2010-04-01'
        and period_end < make_date({{ financial_year_start('current_date') }} + 3, 4, 1)
    )
    or exists (
        select 1
        from publication
        where publication.period_key = periods.period_key
    )

)

select * from final
