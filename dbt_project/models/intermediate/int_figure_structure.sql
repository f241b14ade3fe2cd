-- Grain: one row per printed figure and number that its place in a table gives it: the same number as loaded, the sum or
-- mean of its areas, the sum of its quarters. The rules know measures, areas and periods; they name no figure.
with figures as (

    select * from {{ ref('int_figure_range') }}

),

numbers as (

    select * from {{ ref('int_figure_number') }}

),

areas as (

    select * from {{ ref('dim_area') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

area_counts as (

    select
        rolls_up_to as area_code,
        count(*) as expected_count
    from areas
    where rolls_up_to is not null
    group by rolls_up_to

),

of_areas as (

    select
        numbers.source,
        max(numbers.made_from) as made_from,
        case when measures.is_additive_over_area then 'sum_of_areas' else 'mean_of_areas' end as check_code,
        numbers.measure_code,
        numbers.breakdown_code,
        areas.rolls_up_to as area_code,
        numbers.period_start,
        numbers.period_end,
        count(numbers.value) as part_count,
        max(area_counts.expected_count) as expected_count,
        case when measures.is_additive_over_area then sum(numbers.value) else avg(numbers.value) end as value,
        case when measures.is_additive_over_area then sum(numbers.low) else avg(numbers.low) end as low,
        case when measures.is_additive_over_area then sum(numbers.high) else avg(numbers.high) end as high
    from numbers
    inner join areas on numbers.area_code = areas.area_code
    inner join area_counts on areas.rolls_up_to = area_counts.area_code
    inner join measures on numbers.measure_code = measures.measure_code
    group by
        numbers.source,
        measures.is_additive_over_area,
        numbers.measure_code,
        numbers.breakdown_code,
        areas.rolls_up_to,
        numbers.period_start,
        numbers.period_end

),

-- What each area has by itself, or else as the sum of its parts: a year of a whole is made of such quarters.
of_quarters_and_areas as (

    select
        source,
        made_from,
        measure_code,
        breakdown_code,
        area_code,
        period_start,
        period_end,
        value,
        low,
        high
    from numbers
    where link_kind in ('loaded', 'relation')
    union all
    select
        of_areas.source,
        of_areas.made_from,
        of_areas.measure_code,
        of_areas.breakdown_code,
        of_areas.area_code,
        of_areas.period_start,
        of_areas.period_end,
        case when of_areas.part_count = of_areas.expected_count then of_areas.value end as value,
        of_areas.low,
        of_areas.high
    from of_areas
    where of_areas.check_code = 'sum_of_areas'
        and not exists (
            select 1
            from numbers
            where numbers.source = of_areas.source
                and numbers.measure_code = of_areas.measure_code
                and numbers.breakdown_code = of_areas.breakdown_code
                and numbers.area_code = of_areas.area_code
                and numbers.period_start = of_areas.period_start
                and numbers.period_end = of_areas.period_end
        )

),

of_quarters as (

    select
        quarters.source,
        max(quarters.made_from) as made_from,
        'sum_of_quarters' as check_code,
        quarters.measure_code,
        quarters.breakdown_code,
        quarters.area_code,
        make_date({{ financial_year_start('quarters.period_start') }}, 4, 1) as period_start,
        make_date({{ financial_year_start('quarters.period_start') }} + 1, 3, 31) as period_end,
        count(quarters.value) as part_count,
        4 as expected_count,
        sum(quarters.value) as value,
        sum(quarters.low) as low,
        sum(quarters.high) as high
    from of_quarters_and_areas as quarters
    inner join measures
        on quarters.measure_code = measures.measure_code
        and measures.is_additive_over_time
    where quarters.period_end = (quarters.period_start + interval '3 months' - interval '1 day')::date
        and extract(day from quarters.period_start) = 1
        and extract(month from quarters.period_start) in (1, 4, 7, 10)
    group by
        quarters.source,
        quarters.measure_code,
        quarters.breakdown_code,
        quarters.area_code,
        {{ financial_year_start('quarters.period_start') }}

),

made as (

    select * from of_areas
    union all
    select * from of_quarters

),

computed as (

    select
        source,
        made_from,
        check_code,
        link_kind,
        measure_code,
        breakdown_code,
        area_code,
        period_start,
        period_end,
        count(value) over (partition by source, check_code, measure_code, breakdown_code, area_code, period_start, period_end) as part_count,
        value,
        low,
        high
    from numbers
    where source = 'warehouse'
    union all
    select
        source,
        made_from,
        case when source = 'warehouse' then 'loaded_' else 'printed_' end || check_code as check_code,
        case when source = 'warehouse' then 'recomputed' else 'relation' end as link_kind,
        measure_code,
        breakdown_code,
        area_code,
        period_start,
        period_end,
        part_count,
        case when part_count = expected_count then value end as value,
        low,
        high
    from made

),

final as (

    select
        figures.printed_figure_id,
        computed.check_code,
        computed.link_kind,
        computed.made_from,
        computed.part_count::integer as part_count,
        trim_scale(computed.value) as value,
        trim_scale(computed.low) as low,
        trim_scale(computed.high) as high
    from figures
    inner join computed
        on figures.measure_code = computed.measure_code
        and figures.breakdown_code = computed.breakdown_code
        and figures.area_code = computed.area_code
        and figures.period_start = computed.period_start
        and figures.period_end = computed.period_end
        and computed.source in ('warehouse', figures.document_code || ' ' || figures.table_name)
    where figures.theme is null

)

select * from final
