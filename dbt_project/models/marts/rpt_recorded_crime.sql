-- Grain: one row per force, financial quarter, type of crime, area and newest outcome, as published now; with all names.
with counts as (

    select * from {{ ref('mart_fct_recorded_crime_count') }}

),

areas as (

    select * from {{ ref('dim_area') }}

),

partners as (

    select * from {{ ref('dim_partner') }}

),

periods as (

    select * from {{ ref('dim_period') }}

),

quarters as (

    select
        partner_code,
        period_key,
        area_code,
        crime_type,
        last_outcome,
        sum(crime_count)::bigint as crime_count,
        count(distinct period_start)::integer as month_count
    from counts
    group by partner_code, period_key, area_code, crime_type, last_outcome

),

final as (

    select
        quarters.partner_code,
        partners.partner_name,
        quarters.period_key,
        periods.period_label,
        periods.financial_year,
        periods.period_start,
        periods.period_end,
        periods.financial_quarter_sort as period_sort,
        quarters.area_code,
        areas.area_name,
        areas.area_type,
        quarters.crime_type,
        quarters.last_outcome,
        quarters.crime_count,
        quarters.month_count
    from quarters
    inner join partners on quarters.partner_code = partners.partner_code
    inner join periods on quarters.period_key = periods.period_key
    left join areas on quarters.area_code = areas.area_code

)

select * from final
