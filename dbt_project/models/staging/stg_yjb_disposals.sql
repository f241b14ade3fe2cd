-- Grain: one row per line of a workbook of disposals, printed totals included. Renames only; what builds a fact of it names the loads.
with lines as (

    select * from {{ source('typed', 'yjb_disposals') }}

),

loads as (

    select * from {{ source('ledger', 'load') }}

),

periods as (

    select * from {{ source('ledger', 'load_period') }}

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        loads.partner_code,
        {{ period_key('periods.period_type', 'periods.period_start', 'periods.period_end') }} as period_key,
        periods.period_start,
        periods.period_end,
        lines.sheet_name as region_name,
        lines.area as area_name,
        lines.disposal_group,
        lines.disposal,
        lines.total as disposal_count,
        lines.total_flag as disposal_count_flag,
        lines.age_10_14 as age_10_14_count,
        lines.age_10_14_flag as age_10_14_count_flag,
        lines.age_15 as age_15_count,
        lines.age_15_flag as age_15_count_flag,
        lines.age_16 as age_16_count,
        lines.age_16_flag as age_16_count_flag,
        lines.age_17_plus as age_17_plus_count,
        lines.age_17_plus_flag as age_17_plus_count_flag,
        lines.female as female_count,
        lines.female_flag as female_count_flag,
        lines.male as male_count,
        lines.male_flag as male_count_flag,
        lines.gender_not_known as gender_not_known_count,
        lines.gender_not_known_flag as gender_not_known_count_flag,
        lines.white as white_count,
        lines.white_flag as white_count_flag,
        lines.mixed as mixed_count,
        lines.mixed_flag as mixed_count_flag,
        lines.asian as asian_count,
        lines.asian_flag as asian_count_flag,
        lines.black as black_count,
        lines.black_flag as black_count_flag,
        lines.chinese_or_other as chinese_or_other_count,
        lines.chinese_or_other_flag as chinese_or_other_count_flag,
        lines.ethnicity_not_known as ethnicity_not_known_count,
        lines.ethnicity_not_known_flag as ethnicity_not_known_count_flag
    from lines
    inner join loads on lines.load_id = loads.load_id
    inner join periods on lines.load_id = periods.load_id
    where {{ not_quarantined('lines') }}

)

select * from final
