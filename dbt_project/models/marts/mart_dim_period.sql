-- Grain: one row per period.
{{ config(alias='dim_period') }}

with periods as (

    select * from {{ ref('dim_period') }}

),

final as (

    select
        periods.period_key,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        periods.period_label,
        periods.financial_year,
        periods.financial_quarter,
        periods.financial_quarter_key,
        periods.calendar_year,
        periods.calendar_quarter,
        periods.calendar_quarter_label,
        periods.financial_year_sort,
        periods.financial_quarter_sort,
        periods.period_sort,
        periods.day_count
    from periods

)

select * from final
