-- Grain: one row per period: every financial quarter and year from 2010-11 to the second after the current one, and every other period met in a return.
{{ config(incremental_strategy='merge', unique_key='period_key') }}

with indicator_lines as (

    select * from {{ ref('stg_indicator') }}
    where {{ in_release() }}

),

horizon as (

    select make_timestamp({{ financial_year_start('current_date') }} + 3, 3, 31, 0, 0, 0) as last_day

),

quarters as (

    select
        'financial_quarter' as period_type,
        first_day::date as period_start,
        (first_day + interval '3 months' - interval '1 day')::date as period_end
    from generate_series(timestamp '2010-04-01', (select last_day from horizon), interval '3 months') as series (first_day)

),

years as (

    select
        'financial_year' as period_type,
        first_day::date as period_start,
        (first_day + interval '1 year' - interval '1 day')::date as period_end
    from generate_series(timestamp '2010-04-01', (select last_day from horizon), interval '1 year') as series (first_day)

),

periods as (

    select period_type, period_start, period_end from quarters
    union
    select period_type, period_start, period_end from years
    union
    select distinct period_type, period_start, period_end from indicator_lines

),

final as (

    select
        {{ period_key('period_type', 'period_start', 'period_end') }} as period_key,
        period_type,
        period_start,
        period_end,
        case period_type
            when 'financial_quarter' then
                {{ financial_year_label('period_start') }} || ' Q' || {{ financial_quarter_number('period_start') }}::text
            when 'financial_year' then {{ financial_year_label('period_start') }}
            when 'calendar_year' then to_char(period_start, 'YYYY')
            when 'calendar_month' then to_char(period_start, 'FMMonth YYYY')
            when 'as_at' then 'at ' || to_char(period_end, 'FMDD FMMonth YYYY')
            else to_char(period_start, 'FMDD FMMonth YYYY') || ' to ' || to_char(period_end, 'FMDD FMMonth YYYY')
        end as period_label,
        {{ financial_year_label('period_end') }} as financial_year,
        {{ financial_quarter_number('period_end') }} as financial_quarter,
        {{ financial_quarter_key('period_end') }} as financial_quarter_key,
        extract(year from period_end)::integer as calendar_year,
        extract(quarter from period_end)::integer as calendar_quarter,
        to_char(period_end, 'YYYY "Q"Q') as calendar_quarter_label,
        {{ financial_year_start('period_end') }} as financial_year_sort,
        {{ financial_year_start('period_end') }} * 10 + {{ financial_quarter_number('period_end') }} as financial_quarter_sort,
        to_char(period_start, 'YYYYMMDD')::integer as period_sort,
        (period_end - period_start + 1)::integer as day_count
    from periods

)

select * from final
