-- Grain: one row per year and youth offending team, region or nation, as published now: the printed total beside what its teams' disposals add up to.
with printed as (

    select * from {{ ref('fct_youth_disposal') }}
    where line_kind = 'total'

),

disposals as (

    select * from {{ ref('mart_fct_youth_disposal') }}

),

periods as (

    select * from {{ ref('dim_period') }}

),

totals as (

    select * from printed
    where {{ is_published('printed') }}
        -- The nation's sheet has the regions once more.
        and (region_name <> 'National' or area_level = 'nation')

),

added as (

    select
        load_id,
        region_name,
        area_name,
        sum(disposal_count) as disposal_count,
        count(*) filter (where disposal_count is null) as missing_count,
        sum(disposal_count) filter (where disposal_group = 'Pre-court') as pre_court_count,
        sum(disposal_count) filter (where disposal_group = 'First-tier') as first_tier_count,
        sum(disposal_count) filter (where disposal_group = 'Community') as community_count,
        sum(disposal_count) filter (where disposal_group = 'Custody') as custody_count
    from disposals
    group by load_id, region_name, area_name

),

beside as (

    select
        totals.load_id,
        totals.sheet,
        totals.line_number,
        sum(added.disposal_count)::bigint as computed_count,
        sum(added.missing_count)::integer as missing_count,
        sum(added.pre_court_count)::bigint as pre_court_count,
        sum(added.first_tier_count)::bigint as first_tier_count,
        sum(added.community_count)::bigint as community_count,
        sum(added.custody_count)::bigint as custody_count
    from totals
    left join added
        on totals.load_id = added.load_id
        and (totals.area_level = 'nation' or totals.region_name = added.region_name)
        and (totals.area_level <> 'team' or totals.area_name = added.area_name)
    group by totals.load_id, totals.sheet, totals.line_number

),

final as (

    select
        totals.load_id,
        totals.sheet,
        totals.line_number,
        totals.period_key,
        periods.period_label,
        periods.financial_year_sort as period_sort,
        totals.area_level,
        totals.region_name,
        totals.area_name,
        totals.area_code,
        totals.disposal_count as printed_count,
        totals.disposal_count_flag as printed_count_flag,
        beside.computed_count,
        beside.computed_count - totals.disposal_count as difference_count,
        beside.missing_count,
        beside.pre_court_count,
        beside.first_tier_count,
        beside.community_count,
        beside.custody_count
    from totals
    inner join beside
        on totals.load_id = beside.load_id
        and totals.sheet = beside.sheet
        and totals.line_number = beside.line_number
    inner join periods on totals.period_key = periods.period_key

)

select * from final
